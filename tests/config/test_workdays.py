"""The clock in working days: the official calendar with make-up days, and what holds before it is known."""

import csv
from datetime import date, timedelta
from io import StringIO

import holidays
import pytest
from django.core.management import CommandError, call_command

from config.management.commands.import_calendar import SHIPPED
from config.models import WorkingDay
from config.rules import rule
from config.workdays import Workday, add_workdays, is_calendar_final, is_workday, workdays_between

HEADER = "day,is_working,name,document\n"
WHOLE_YEAR = "2027-01-01,0,元旦,国办发明电〔2026〕1号\n2027-10-01,0,国庆节,国办发明电〔2026〕1号\n"


@pytest.fixture
def no_calendar(db):
    WorkingDay.objects.all().delete()


@pytest.fixture
def calendar(no_calendar):
    call_command("import_calendar", stdout=StringIO())


def load(file, *options: str) -> str:
    output = StringIO()
    call_command("import_calendar", str(file), *options, stdout=output)
    return output.getvalue()


def every_day(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days)]


# --- Counting ------------------------------------------------------------------------------------


@pytest.mark.rule("R-TRF-02", "G-04")
def test_ten_working_days_across_the_october_holiday(calendar):
    filed = date(2025, 9, 26)
    last = add_workdays(filed, 10)
    assert last == date(2025, 10, 16)
    assert [day for day in every_day(2025) if filed < day <= last and is_workday(day)] == [
        date(2025, 9, 28), date(2025, 9, 29), date(2025, 9, 30), date(2025, 10, 9), date(2025, 10, 10),
        date(2025, 10, 11), date(2025, 10, 13), date(2025, 10, 14), date(2025, 10, 15), date(2025, 10, 16),
    ]  # fmt: skip
    assert rule("TRANSFER_STEP_DAYS", "CN.44.", filed).days_after(filed) == last
    assert workdays_between(filed, last) == 10


@pytest.mark.rule("R-TRF-02")
def test_a_term_across_the_new_year_and_the_spring_festival(calendar):
    assert add_workdays(date(2025, 12, 31), 1) == date(2026, 1, 4)  # a Sunday made up for 2 January
    assert add_workdays(date(2026, 2, 13), 2) == date(2026, 2, 24)  # Saturday 14 is worked, 15 to 23 is free


def test_counting_starts_on_the_next_working_day(calendar):
    friday, monday = date(2025, 9, 19), date(2025, 9, 22)
    assert add_workdays(friday, 0) == friday
    assert add_workdays(friday, 1) == monday
    assert add_workdays(date(2025, 9, 20), 1) == monday  # from a Saturday as from the Friday before
    assert add_workdays(monday, -1) == friday
    assert add_workdays(date(2025, 9, 20), -1) == friday


def test_between_undoes_adding_in_both_directions(calendar):
    start = date(2025, 9, 26)
    for count in (-30, -10, -1, 0, 1, 10, 60):
        assert workdays_between(start, add_workdays(start, count)) == count
    assert workdays_between(date(2025, 10, 1), date(2025, 10, 8)) == 0


@pytest.mark.parametrize("count", [1, 10, 60])
def test_one_query_for_a_whole_term(calendar, django_assert_num_queries, count):
    with django_assert_num_queries(1):
        add_workdays(date(2025, 12, 1), count)
    with django_assert_num_queries(1):
        workdays_between(date(2024, 1, 1), date(2026, 12, 31))
    with django_assert_num_queries(1):
        is_workday(date(2025, 9, 28))


# --- The official days ---------------------------------------------------------------------------


@pytest.mark.parametrize(("year", "free", "made_up"), [(2024, 28, 8), (2025, 28, 5), (2026, 33, 6)])
def test_the_shipped_years_agree_with_an_independent_calendar(calendar, year, free, made_up):
    assert is_calendar_final(year)
    of_year = WorkingDay.objects.filter(day__year=year)
    assert of_year.filter(is_working=False).count() == free
    assert of_year.filter(is_working=True).count() == made_up
    known = holidays.country_holidays("CN", years=year)
    stored = {row.day: row.is_working for row in of_year}
    for day in every_day(year):
        expected = day in known.weekend_workdays or (day.weekday() < 5 and day not in known)
        assert stored.get(day, day.weekday() < 5) == expected, day


def test_a_day_says_why(calendar):
    assert is_workday(date(2025, 9, 28)) == Workday(True, "国庆节、中秋节调休上班", False)
    assert is_workday(date(2025, 10, 8)) == Workday(False, "国庆节、中秋节", False)
    assert is_workday(date(2025, 10, 18)) == Workday(False, "", False)
    assert is_workday(date(2025, 10, 17)) == Workday(True, "", False)


def test_our_own_table_comes_first(calendar):
    wednesday = date(2025, 9, 3)
    assert is_workday(wednesday)
    WorkingDay.objects.create(day=wednesday, is_working=False, name="临时放假", document="国办通知")
    assert is_workday(wednesday) == Workday(False, "临时放假", False)


# --- A year without its notice -------------------------------------------------------------------


def test_a_missing_year_warns_and_falls_back(no_calendar, monkeypatch):
    warned = []
    monkeypatch.setattr("config.workdays.log.warning", lambda event, **facts: warned.append((event, facts)))
    assert is_workday(date(2030, 10, 1)) == Workday(False, "国庆节", True)
    assert is_workday(date(2030, 10, 15)) == Workday(True, "", True)
    assert is_workday(date(2030, 10, 19)) == Workday(False, "", True)
    assert warned == [("calendar_year_missing", {"year": 2030})] * 3
    assert not is_calendar_final(2030)
    assert add_workdays(date(2030, 10, 14), 3) == date(2030, 10, 17)


def test_a_single_day_entered_by_hand_makes_no_year(no_calendar):
    WorkingDay.objects.create(day=date(2030, 5, 5), is_working=False, name="临时放假", document="通知")
    assert not is_calendar_final(2030)
    assert is_workday(date(2030, 5, 5)) == Workday(False, "临时放假", False)
    assert is_workday(date(2030, 10, 1)).provisional


def test_a_provisional_day_leaves_the_year_provisional(calendar):
    assert is_calendar_final(2026)
    WorkingDay.objects.filter(day=date(2026, 10, 10)).update(is_provisional=True)
    assert not is_calendar_final(2026)
    assert is_workday(date(2026, 10, 10)).provisional


# --- Importing a notice --------------------------------------------------------------------------


def test_an_import_can_be_repeated(no_calendar):
    assert "新增 108 天，更新 0 天，删除 0 天" in load(SHIPPED)
    before = list(WorkingDay.objects.order_by("day").values())
    assert "新增 0 天，更新 0 天，删除 0 天" in load(SHIPPED)
    assert list(WorkingDay.objects.order_by("day").values()) == before


def test_a_dry_run_counts_and_writes_nothing(no_calendar):
    assert "新增 33 天" in load(SHIPPED, "--year", "2025", "--dry-run")
    assert not WorkingDay.objects.exists()
    load(SHIPPED, "--year", "2025")
    assert set(WorkingDay.objects.values_list("day__year", flat=True)) == {2025}


def test_a_notice_replaces_what_was_entered_before_it(calendar, tmp_path):
    WorkingDay.objects.create(
        day=date(2027, 2, 20), is_working=True, name="猜测", document="无", is_provisional=True
    )
    WorkingDay.objects.create(
        day=date(2027, 1, 1),
        is_working=False,
        name="元旦",
        document="国办发明电〔2026〕1号",
        is_provisional=True,
    )
    notice = tmp_path / "2027.csv"
    notice.write_text(HEADER + WHOLE_YEAR, encoding="utf-8")
    assert "2027 年：新增 1 天，更新 1 天，删除 1 天" in load(notice)
    assert is_calendar_final(2027)
    assert is_calendar_final(2026)  # other years are left alone


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("day,working\n", "表头"),
        (HEADER, "没有数据"),
        (HEADER + "2027-10-01,0,国庆节,国办\n", "2027 年不完整：缺少 1 月 1 日"),
        (HEADER + WHOLE_YEAR + "2027-02-30,0,春节,国办\n", "第 4 行：日期“2027-02-30”"),
        (HEADER + WHOLE_YEAR + "2027-02-06,yes,春节,国办\n", "第 4 行：is_working"),
        (HEADER + WHOLE_YEAR + "2027-02-08,1,春节调休,国办\n", "不是周末"),
        (HEADER + WHOLE_YEAR + "2027-01-01,0,元旦,国办\n", "2027-01-01 重复"),
        (HEADER + WHOLE_YEAR + "2027-02-06,0,,国办\n", "名称不能为空"),
        (HEADER + WHOLE_YEAR + "2027-02-06,0,春节, \n", "通知文号不能为空"),
        (HEADER + WHOLE_YEAR + "2027-02-06,0,春节\n", "应有 4 列"),
        (HEADER + WHOLE_YEAR + "2027-02-06,0,春节,国办,多\n", "应有 4 列"),
    ],
)
def test_a_faulty_file_is_refused_whole(calendar, tmp_path, text, reason):
    before = WorkingDay.objects.count()
    file = tmp_path / "notice.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match=reason):
        load(file)
    assert WorkingDay.objects.count() == before


def test_every_faulty_line_is_named(no_calendar, tmp_path):
    file = tmp_path / "notice.csv"
    file.write_text(HEADER + "x,0,a,b\n" * 30, encoding="utf-8")
    with pytest.raises(CommandError) as refused:
        load(file)
    assert str(refused.value).count("行：") == 20
    assert "共 30 处" in str(refused.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_refused(no_calendar, tmp_path, content):
    file = tmp_path / "notice.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match="文件"):
        load(file)
    with pytest.raises(CommandError, match="没有 2019 年"):
        load(SHIPPED, "--year", "2019")


def test_the_shipped_file_names_the_notice_of_every_day():
    with SHIPPED.open(encoding="utf-8", newline="") as stream:
        notices = {row["day"][:4]: row["document"] for row in csv.DictReader(stream)}
    assert notices == {
        "2024": "国办发明电〔2023〕7号", "2025": "国办发明电〔2024〕12号", "2026": "国办发明电〔2025〕7号",
    }  # fmt: skip
