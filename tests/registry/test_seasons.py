"""Windows, freezes and bans of transfers: their first and last days, lunar ones too, and who set them."""

from datetime import date, timedelta
from io import StringIO

import holidays
import pytest
from django.core.management import call_command
from django.db import connection
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.clock import today
from config.lunar import lunar_date
from config.models import WorkingDay
from registry.models import Term
from registry.services.seasons import (
    ban,
    first_term_ban,
    graduating_ban,
    graduating_freeze,
    is_first_term,
    is_graduating,
    transfer_freeze,
    window_closed,
    windows,
)
from tests import make

ONE_DAY = timedelta(days=1)
HOME = reverse("home")


@pytest.fixture(autouse=True)
def _school(nation: None) -> None:
    make.make_office(make.SCHOOL)


def open_days(path: str, *days: date) -> list[bool]:
    return [not window_closed(path, day) for day in days]


def edges(first: date, last: date) -> tuple[date, ...]:
    return first - ONE_DAY, first, last, last + ONE_DAY


# ── The Chinese calendar ─────────────────────────────────────────────────────────────────────────────────
def test_lunar_days_are_those_of_the_calendar():
    known = {
        (2025, 1, 1): "2025-01-29", (2026, 1, 1): "2026-02-17", (2027, 1, 1): "2027-02-06",
        (2026, 1, 8): "2026-02-24", (2026, 1, 20): "2026-03-08", (2026, 8, 15): "2026-09-25",
        # 2025 has a second sixth month, 2033 a second eleventh: only what follows moves.
        (2025, 6, 1): "2025-06-25", (2025, 7, 1): "2025-08-23", (2025, 12, 30): "2026-02-16",
        (2033, 11, 1): "2033-11-22", (2033, 12, 1): "2034-01-20",
    }  # fmt: skip
    assert {day: str(lunar_date(*day)) for day in known} == known
    feasts = holidays.country_holidays("CN", years=range(2020, 2051), language="zh_CN")
    for year in range(2020, 2051):
        for month, day, name in ((1, 1, "春节"), (5, 5, "端午节"), (8, 15, "中秋节")):
            assert name in feasts.get_list(lunar_date(year, month, day)), (year, name)
        # The last day of the year is the eve of the next New Year: no month is too long or too short.
        eve = lunar_date(year, 12, 30)
        assert eve is not None
        assert year == 2050 or eve + ONE_DAY == lunar_date(year + 1, 1, 1)
    assert (lunar_date(2019, 1, 1), lunar_date(2051, 1, 1)) == (None, None)


# ── Windows ──────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-TRF-12", "TRANSFER_WINDOWS", "第十五条")
def test_a_window_is_open_from_its_first_to_its_last_day():
    """By default a week before to two weeks after the first day of term, as the nearest office set it."""
    for semester, starts in (("1", date(2026, 9, 2)), ("2", date(2027, 2, 25))):
        for path, moved in (("CN.", 5), (make.COUNTY, 0)):
            Term.objects.update_or_create(
                path=path, school_year=2026, semester=semester,
                defaults={"starts_on": starts + moved * ONE_DAY, "ends_on": starts + 130 * ONE_DAY},
            )  # fmt: skip
    autumn, spring = (date(2026, 8, 26), date(2026, 9, 16)), (date(2027, 2, 18), date(2027, 3, 11))
    for season in (autumn, spring):
        assert open_days(make.SCHOOL, *edges(*season)) == [False, True, True, False]
    between = windows(make.SCHOOL, date(2026, 12, 1))
    assert between.present is None
    assert between.next is not None
    assert (between.next.first, between.next.last) == spring
    assert between.is_open(autumn[0])
    assert between.explain() == (
        "现在不在转学窗口内，下次开放为2027年2月18日至3月11日（开学前7日至开学后14日）。"
        "《中小学生学籍管理办法》第十五条：转学在规定的时间内办理。本值开学前7日至开学后14日，为全国默认值。"
        "确有特殊情况的，由转入地学籍主管部门作出例外决定，并写明理由。"
    )
    inside = windows(make.SCHOOL, autumn[1])
    assert inside.present is not None
    assert (inside.present.days_left(autumn[1]), inside.present.days_left(autumn[0])) == (0, 21)
    assert inside.explain().startswith("转学窗口开放中：2026年8月26日至9月16日")
    # Where nobody has set a term it is 1 September and 1 March, and the page says that this is a guess.
    Term.objects.filter(school_year=2026).delete()
    assert open_days(make.SCHOOL, *edges(date(2026, 8, 25), date(2026, 9, 15))) == [False, True, True, False]
    assert open_days(make.SCHOOL, *edges(date(2027, 2, 22), date(2027, 3, 15))) == [False, True, True, False]
    assert "开学日尚未设定，按3月1日推算" in window_closed(make.SCHOOL, date(2026, 12, 1))


@pytest.mark.rule("R-TRF-12", "TRANSFER_WINDOWS")
def test_a_county_opens_by_lunar_and_by_civil_days():
    make.make_rule("TRANSFER_WINDOWS", ["0820..0920", "lunar0108..lunar0120"])
    make.make_rule("TRANSFER_WINDOWS", ["0801..0831"], make.PROVINCE)
    lunar = (date(2026, 2, 24), date(2026, 3, 8))
    for season in (lunar, (date(2025, 2, 5), date(2025, 2, 17)), (date(2026, 8, 20), date(2026, 9, 20))):
        assert open_days(make.SCHOOL, *edges(*season)) == [False, True, True, False]
    assert not any(open_days(make.SCHOOL, date(2026, 3, 9), date(2025, 2, 24)))
    sentence = window_closed(make.SCHOOL, date(2026, 1, 10))
    assert "下次开放为2026年2月24日至3月8日（农历1月8日至农历1月20日）" in sentence
    assert "由南山区教育局（教基〔2025〕9号）设定" in sentence
    assert open_days(make.NEIGHBOUR, date(2026, 8, 1), date(2026, 9, 1)) == [True, False]


@pytest.mark.rule("R-TRF-12", "TRANSFER_WINDOWS")
def test_windows_that_meet_are_one_and_the_new_year_is_no_wall():
    make.make_rule("TRANSFER_WINDOWS", ["0820..0831", "0901..0910", "0905..0920", "1220..0110"])
    found = windows(make.SCHOOL, date(2026, 8, 25))
    assert found.present is not None
    assert (found.present.first, found.present.last) == (date(2026, 8, 20), date(2026, 9, 20))
    assert str(found.next) == "2026年12月20日至2027年1月10日"
    assert open_days(make.SCHOOL, date(2027, 1, 10), date(2027, 1, 11)) == [True, False]
    make.make_rule("TRANSFER_WINDOWS", ["lunar1220..lunar0108"])
    days = edges(date(2026, 2, 7), date(2026, 2, 24))
    assert open_days(make.SCHOOL, *days) == [False, True, True, False]
    make.make_rule("TRANSFER_WINDOWS", [])
    assert "本地未设定转学窗口" in window_closed(make.SCHOOL, date(2026, 9, 1))


@pytest.mark.rule("R-TRF-11", "TRANSFER_BAN_MID_TERM")
def test_where_mid_term_is_no_hindrance_every_day_is_open():
    day = date(2026, 11, 11)
    assert window_closed(make.SCHOOL, day)
    make.make_rule("TRANSFER_BAN_MID_TERM", "off")
    assert (window_closed(make.SCHOOL, day), window_closed(make.NEIGHBOUR, day) != "") == ("", True)
    found = windows(make.SCHOOL, day)
    assert (found.present, found.next, found.is_open()) == (None, None, True)
    assert "停办期以外随时受理" in found.explain()
    # A freeze stands whatever the windows say.
    assert transfer_freeze(make.SCHOOL, date(2026, 7, 20))


# ── Freezes ──────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-TRF-13", "TRANSFER_FREEZE", "GRADUATING_FREEZE")
def test_a_freeze_holds_from_its_first_to_its_last_day():
    days = edges(date(2026, 7, 15), date(2026, 8, 14))
    assert [bool(transfer_freeze(make.SCHOOL, day)) for day in days] == [False, True, True, False]
    sentence = transfer_freeze(make.SCHOOL, days[1])
    assert "升级前后暂停受理转学" in sentence
    assert "2026年7月15日至8月14日停止受理，2026年8月15日起恢复。" in sentence
    assert "由省级教育行政部门依据教育部通知作出例外决定" in sentence
    days = edges(date(2026, 7, 1), date(2026, 8, 14))
    for grade, expected in (("16", [False, True, True, False]), ("15", [False] * 4)):
        assert [bool(graduating_freeze(make.SCHOOL, grade, "6-3", day)) for day in days] == expected
    # The ministry's notice of another year moves it, over the new year if need be.
    make.make_rule("TRANSFER_FREEZE", "1220..0110", make.NATION)
    sentence = transfer_freeze(make.SCHOOL, date(2027, 1, 10))
    assert "2026年12月20日至2027年1月10日停止受理，2027年1月11日起恢复。" in sentence
    assert not transfer_freeze(make.SCHOOL, date(2027, 1, 11))


# ── Bans ─────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-TRF-11", "TRANSFER_BAN_GRADUATING")
def test_the_last_grade_of_a_stage_depends_on_the_schooling():
    graduating = {
        schooling: [grade for grade in ("14", "15", "16", "22", "23", "24", "32", "33") if
                    is_graduating(grade, schooling)]
        for schooling in ("6-3", "5-4")
    }  # fmt: skip
    assert graduating == {"6-3": ["16", "23", "33"], "5-4": ["15", "24", "33"]}
    day = date(2026, 9, 5)
    assert "毕业年级学生不予转学" in graduating_ban(make.SCHOOL, "23", "6-3", day)
    assert graduating_ban(make.SCHOOL, "23", "5-4", day) == ""
    make.make_rule("TRANSFER_BAN_GRADUATING", False, make.PROVINCE)
    assert graduating_ban(make.SCHOOL, "23", "6-3", day) == ""
    assert graduating_ban(make.FAR, "23", "6-3", day)


@pytest.mark.rule("R-TRF-11", "TRANSFER_BAN_FIRST_TERM")
def test_the_first_term_lasts_from_promotion_to_the_end_of_the_autumn_term():
    days = (date(2026, 8, 10), date(2026, 8, 11), date(2027, 1, 31), date(2027, 2, 1))
    Term.objects.filter(school_year=2026).delete()
    assert [is_first_term("21", make.SCHOOL, day) for day in days] == [False, True, True, False]
    assert not any(is_first_term("22", make.SCHOOL, day) for day in days)
    Term.objects.create(
        path=make.COUNTY,
        school_year=2026,
        semester="1",
        starts_on=date(2026, 9, 1),
        ends_on=date(2027, 1, 15),
    )
    days = edges(date(2026, 8, 11), date(2027, 1, 15))
    assert [bool(first_term_ban(make.SCHOOL, "11", day)) for day in days] == [False, True, True, False]
    make.make_rule("PROMOTION_AT", "0811 00:00", make.NATION)
    assert is_first_term("11", make.SCHOOL, date(2026, 8, 11))
    sentence = first_term_ban(make.SCHOOL, "11", days[1])
    assert "起始年级第一学期" in sentence
    assert sentence.endswith("由转入地学籍主管部门作出例外决定，并写明理由。")
    make.make_rule("TRANSFER_BAN_FIRST_TERM", False, make.PROVINCE)
    assert not first_term_ban(make.SCHOOL, "11", days[1])


@pytest.mark.rule("R-TRF-11")
@pytest.mark.parametrize("key", ["TRANSFER_BAN_SANCTION", "TRANSFER_BAN_SAME_CATCHMENT"])
def test_a_ban_stands_until_the_province_lifts_it(key):
    assert "地方学籍管理规定" in ban(key, make.SCHOOL, today())
    make.make_rule(key, False, make.PROVINCE)
    assert ban(key, make.SCHOOL, today()) == ""
    assert ban(key, make.FAR, today())


def test_a_question_asks_as_much_for_one_window_as_for_many():
    make.make_rule("TRANSFER_WINDOWS", ["term-7..term+14"])
    with CaptureQueriesContext(connection) as found:
        windows(make.SCHOOL, today())
    make.make_rule(
        "TRANSFER_WINDOWS", ["term-7..term+14", "term+60..term+70", "0820..0920", "lunar0108..lunar0120"]
    )
    with CaptureQueriesContext(connection) as more:
        windows(make.SCHOOL, today())
    assert (len(found), len(more)) == (2, 2)


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-TRF-12", "R-TRF-13")
def test_the_frame_says_what_is_open_and_what_is_closed(client: Client):
    day = today()
    make.make_rule("GRADUATING_FREEZE", f"{day + 40 * ONE_DAY:%m%d}..{day + 41 * ONE_DAY:%m%d}", make.NATION)
    make.make_rule("TRANSFER_FREEZE", f"{day + 40 * ONE_DAY:%m%d}..{day + 41 * ONE_DAY:%m%d}", make.NATION)
    make.make_rule("TRANSFER_WINDOWS", [f"{day:%m%d}..{day + 3 * ONE_DAY:%m%d}"])
    client.force_login(make.make_reviewer())
    page = client.get(HOME).text
    assert "转学窗口开放中" in page
    assert "还剩 3 天" in page
    assert "下次转学窗口" not in page
    make.make_rule("TRANSFER_WINDOWS", [f"{day - 3 * ONE_DAY:%m%d}..{day:%m%d}"])
    assert "今天截止" in client.get(HOME).text
    make.make_rule("TRANSFER_FREEZE", f"{day:%m%d}..{day:%m%d}", make.NATION)
    page = client.get(HOME).text
    assert "升级前后暂停受理转学" in page
    assert "转学窗口开放中" not in page
    make.make_rule("TRANSFER_WINDOWS", [f"{day + 30 * ONE_DAY:%m%d}..{day + 32 * ONE_DAY:%m%d}"])
    page = client.get(HOME).text
    assert "下次转学窗口" in page
    assert str(windows(make.COUNTY, day).next) in page
    # Who neither files nor decides is told of the freeze only.
    client.force_login(make.make_user("subject_teacher", make.SCHOOL))
    page = client.get(HOME).text
    assert "升级前后暂停受理转学" in page
    assert "下次转学窗口" not in page


def test_a_deadline_in_a_year_without_a_notice_is_marked_at_the_price_of_one_query():
    WorkingDay.objects.all().delete()
    call_command("import_calendar", year=[2026], stdout=StringIO())
    rows = Template("{% load frame %}{% for day in days %}{% due day 3 %}{% endfor %}")

    def shown(*days: date) -> tuple[int, int]:
        context = Context({"days": days, "request": RequestFactory().get("/")})
        with CaptureQueriesContext(connection) as found:
            text = rows.render(context)
        return text.count("暂定"), len(found)

    assert shown(date(2026, 9, 16), date(2026, 12, 31)) == (0, 1)
    assert shown(date(2030, 1, 2)) == (1, 1)
    assert shown(*(date(2030, month, 3) for month in range(1, 9))) == (8, 1)
    assert "2030年放假安排" in rows.render(Context({"days": [date(2030, 1, 2)]}))
    assert "暂定" not in Template("{% load frame %}{% due day %}").render(Context({"day": date(2030, 1, 2)}))
