"""Rules are data: every parameter is sound, the nearest level decides, nobody passes the national bound."""

from datetime import date, timedelta

import pytest

from config.clock import today
from config.models import RuleValue
from config.rules import (
    PARAMETERS,
    SUBJECTS,
    Level,
    Parameter,
    RuleEnded,
    RuleMalformed,
    RuleNotYours,
    RuleOutOfBound,
    RuleOverlaps,
    RulePeriodWrong,
    RuleWithoutDocument,
    end_rule,
    rule,
    rulebook_version,
    rules,
    set_rule,
    values_set,
)
from config.rules.bounds import FREE, add_only, at_least, at_most, between, fixed, one_of, subset_of
from config.rules.catalogue import TRANSFER_STEP_DAYS

NATION, PROVINCE, CITY, COUNTY = "CN.", "CN.44.", "CN.44.03.", "CN.44.03.05."
SCHOOL, ELSEWHERE = "CN.44.03.05.3144001234.", "CN.51.01.04."
DAY = date(2026, 3, 2)

# HANDBOOK section F and SECURITY RD-6: what must be declared, with its default.
EXPECTED = {
    "ARCHIVE_DEADLINE": 2,
    "CHANGE_DEADLINE": 1,
    "TRANSFER_STEP_DAYS": 10,
    "REGISTRATION_STEP_DAYS": 10,
    "ARCHIVE_FOLLOW_DAYS": 1,
    "DEATH_CANCEL_DAYS": 10,
    "ENTRY_AGE": 6,
    "ENTRY_CUTOFF": "0831",
    "TRANSFER_WINDOWS": ("term-7..term+14",),
    "ENROLMENT_WINDOWS": ("0815..1214", "0301..0531"),
    "TRANSFER_FREEZE": "0715..0814",
    "GRADUATING_FREEZE": "0701..0814",
    "GRADUATING_CLEAN_ON": "0715",
    "GRADUATION_WINDOW": "0720..0730",
    "PROMOTION_AT": "0810 24:00",
    "CLASS_SIZE_INTAKE_PRIMARY": 45,
    "CLASS_SIZE_INTAKE_JUNIOR": 50,
    "CLASS_SIZE_INTAKE_SENIOR": 50,
    "CLASS_SIZE_MAX_PRIMARY": 55,
    "CLASS_SIZE_MAX_SECONDARY": 60,
    "QUOTA_ENABLED": False,
    "QUOTA": 0,
    "INTAKE_PLAN": "warn",
    "BASE_LIST_MATCH": "off",
    "AUXILIARY_NUMBERS": False,
    "PLACEMENT_REGISTERS": False,
    "PLACEMENT_DAYS": 10,
    "DEFER_APPLY_DAYS": 5,
    "REGISTRATION_CLOSES": "0930",
    "SUSPENSION_MONTHS": 12,
    "SUSPENSION_MONTHS_MAX": 24,
    "SUSPENSION_WARN_DAYS": 15,
    "DROPOUT_WEEKS": 4,
    "DROPOUT_WARN_DAYS": 7,
    "DROPOUT_REPORT_DAYS": 1,
    "DROPOUT_ANSWER_DAYS": 10,
    "DROPOUT_REPORT_DUE_DAYS": 10,
    "COMPULSORY_END_AGE": 16,
    "HOUSEHOLD_LIST_DAYS": 90,
    "ACCOUNT_SEAL_DAYS": 180,
    "ACCOUNT_SEAL_NOTICE_DAYS": 14,
    "MASS_RUN_RECORDS": 5000,
    "MASS_RUN_PERCENT": 1,
    "MASS_RUN_HANDFUL": 5,
    "CLOCK_JUMP_MINUTES": 5,
    "BACKUP_KEEP_DAYS": 30,
    "BACKUP_AGE_DAYS": 1,
    "DRILL_AGE_DAYS": 31,
    "PASSWORD_DAYS": 90,
    "PASSWORD_WARN_DAYS": 14,
    "PASSWORD_LENGTH": 12,
    "PASSWORD_HISTORY": 5,
    "SIGN_IN_FAILURES": 5,
    "ADDRESS_FAILURES": 20,
    "SIGN_IN_WAIT": 15,
    "SIGN_IN_WAIT_MOST": 60,
    "SIGN_IN_IDLE": 30,
    "SIGN_IN_IDLE_HIGH": 15,
    "SIGN_IN_HOURS": 12,
    "STEP_UP_MINUTES": 5,
    "TRAINING_VALID_DAYS": 730,
    "UPLOAD_KEEP_DAYS": 7,
    "KEY_FIELDS": ("name", "sex", "birth_on", "id_type", "id_number", "grade", "class_number"),
    "ROUTE_EXTRA_LEVELS": (),
    "TRANSFER_BAN_GRADUATING": True,
    "TRANSFER_BAN_FIRST_TERM": True,
    "TRANSFER_BAN_MID_TERM": "windows",
    "TRANSFER_BAN_SANCTION": True,
    "TRANSFER_BAN_SAME_CATCHMENT": True,
    "HUKOU_MONTHS": 12,
    "BUSINESS_MONTHS": 12,
    "SUSPENSION_ILLNESS_DAYS": 90,
    "SUSPENSION_INFECTIOUS_MONTHS": 6,
    "SUSPENSION_ANSWER_DAYS": 10,
    "CHANGE_STEP_DAYS": 10,
    "PROBLEM_DAYS": 10,
    "ARBITRATION_DAYS": 20,
    "LEAVER_APPROVAL": "approve",
    "REPEAT_COMPULSORY": False,
    "REPEAT_MOST": 2,
    "REPEAT_APPLY_DAYS": 10,
    "SKIP_ALLOWED": False,
    "GUEST_STUDY": True,
    "OVERAGE_WITHDRAWAL": 20,
    "TRUANCY_DAYS_CONTINUOUS": 15,
    "TRUANCY_DAYS_TERM": 45,
    "SUSPENSION_EXPIRED_MONTHS": 1,
    "VERIFY_PER_SEMESTER": 1,
    "VERIFY_FINDING_DAYS": 10,
    "VERIFY_SAMPLE_PERCENT": 5,
    "VERIFY_SAMPLE_SCHOOLS": 10,
    "SCHOOLING": "6-3",
    "PROMOTION_UNDO_DAYS": 10,
    "YEAR_NOTICE_DAYS": 14,
    "REPEAT_SHARE_S2": 2,
    "ARCHIVE_RETENTION": "permanent",
    "EVIDENCE_MAX_KB": 2048,
    "EVIDENCE_PDF_PAGES": 20,
    "PHOTO_MAX_KB": 60,
    "PHOTO_WIDTH": 260,
    "PHOTO_HEIGHT": 320,
    "PHOTO_ZIP_MOST": 200,
    "PHOTO_ZIP_MB": 20,
    "INTAKE_FILE_MB": 20,
    "INTAKE_ROWS": 50_000,
    "INTAKE_COLUMNS": 200,
    "INTAKE_CELL_CHARACTERS": 32_767,
    "INTAKE_PARTS": 200,
    "INTAKE_UNPACKED_MB": 200,
    "INTAKE_RATIO": 100,
    "INTAKE_MEMORY_MB": 1024,
    "INTAKE_SECONDS": 60,
    "INTAKE_ATTEMPTS": 2,
    "GRANT_MONTHS": 12,
    "GRANT_RECORDS_A_DAY": 200_000,
    "CLIENT_CALLS_PER_MINUTE": 60,
    "CLIENT_TOKENS_PER_MINUTE": 10,
    "RULE_VALID_TO": "",
    "REVEAL_SECONDS": 60,
    "REVEALS_PER_HOUR": 60,
    "REVEALS_PER_DAY": 200,
    "RECORDS_PER_HOUR": 300,
    "RECORDS_PER_DAY": 1500,
    "LOOKUPS_PER_HOUR": 30,
    "LOOKUPS_PER_DAY": 100,
    "BUDGET_NOTICE_PERCENT": 80,
    "BUDGET_EXTRA_PERCENT": 20,
    "REVEALS_STEP_UP": 10,
    "W1_ROWS": 5000,
    "W1_EXPORTS": 3,
    "W1_DAYS": 7,
    "W3_REVEALS": 10,
    "W3_MINUTES": 10,
    "W5_LOOKUPS": 20,
    "W5_WITHOUT_CASE": 5,
    "W7_FAILURES": 20,
    "W7_ACCOUNTS": 5,
    "W7_MINUTES": 10,
    "W9_MINUTES": 10,
    "W14_DAYS": 30,
    "WARNING_HINT_HOURS": 24,
    "WARNING_HOURS": 4,
    "WARNING_SEVERE_HOURS": 1,
    "PROTECTION_DAYS": 366,
    "REVEAL_SECOND_MINUTES": 60,
    "DISPUTE_ANSWER_DAYS": 15,
    "TRAINING_WARN_DAYS": 60,
    "ONE_USE_CODE_HOURS": 24,
    "GRANT_MOST_DAYS": 180,
    "ACCOUNT_LIST_ROWS": 500,
    "LOG_SILENT_HOURS": 2,
    "GUARDIAN_CODE_DAYS": 365,
    "GUARDIAN_CODE_TRIES": 5,
    "GUARDIAN_MINUTES": 15,
    "INSPECTION_HIDDEN_DAYS": 90,
    "EXPORT_ROWS": 200000,
    "EXPORTS_PER_DAY": 3,
    "EXPORT_DOWNLOADS": 3,
    "EXPORT_KEEP_DAYS": 3,
    "STATISTICS_MIN_CELL": 10,
    "STATISTICS_DRIFT": 1,
}


def stored(
    key: str, value: object, at: str, since: date = date(2020, 1, 1), until: date | None = None
) -> RuleValue:
    """A value as it lies in the table, past every check."""
    return RuleValue.objects.create(
        path=at,
        key=key,
        value=value,
        valid=(since, until),
        document="粤教基〔2025〕9号",
        set_by_name="广东省",
        created_by_name="李明",
    )


def decide(
    key: str, value: object, at: str = PROVINCE, level: str = "province", **given: object
) -> RuleValue:
    facts = {"document": "粤教基〔2025〕9号", "set_by_name": "广东省", "created_by_name": "李明"} | given
    return set_rule(key, value, at=at, level=level, **facts)


# --- The catalogue -------------------------------------------------------------------------------


def test_every_parameter_of_the_handbook_is_declared_with_its_default():
    assert {key: parameter.value for key, parameter in PARAMETERS.items()} == EXPECTED


def test_every_parameter_stands_under_one_subject():
    listed = [parameter.key for _subject, parameters in SUBJECTS for parameter in parameters]
    assert listed == list(PARAMETERS)
    assert all(str(subject.title) and parameters for subject, parameters in SUBJECTS)


@pytest.mark.parametrize("key", sorted(PARAMETERS))
def test_a_parameter_says_what_it_is_and_keeps_its_own_bound(key):
    parameter = PARAMETERS[key]
    assert parameter.key == key
    assert parameter.citation.startswith("《") or not parameter.article.startswith("第")
    assert parameter.article
    assert str(parameter.text)
    assert not str(parameter.text).endswith("。")
    assert parameter.set_by
    assert parameter.set_by <= set(Level)
    assert parameter.allows(parameter.value)
    assert parameter.bound.clamp(parameter.value) == parameter.value
    assert parameter.bound_in_words()
    assert parameter.display(parameter.value)
    # A number counts something; a word does not.
    assert bool(parameter.unit) == (parameter.kind == "int")


@pytest.mark.parametrize(
    ("bound", "inside", "outside", "clamped"),
    [
        (at_most(10), 10, 11, 10),
        (at_most(10), 1, 0, 1),
        (at_least(1), 99, 0, 1),
        (between(6, 7), 7, 8, 7),
        (fixed(10), 10, 5, 10),
        (one_of("permanent", "30y"), "30y", "5y", "permanent"),
        (subset_of("township"), (), ("village", "township"), ("township",)),
        (add_only(("name",)), ("name", "phone"), ("phone",), ("name", "phone")),
    ],
)
def test_a_bound_allows_what_lies_inside_and_clamps_what_does_not(bound, inside, outside, clamped):
    assert bound.allows(inside)
    assert bound.clamp(inside) == inside
    assert not bound.allows(outside)
    assert bound.clamp(outside) == clamped
    assert bound.allows(clamped)


@pytest.mark.parametrize(
    ("key", "right", "wrong"),
    [
        ("TRANSFER_STEP_DAYS", [5], ["5", 5.0, True, None]),
        ("QUOTA_ENABLED", [True], [1, "true"]),
        ("ENTRY_CUTOFF", ["1231", "0229"], ["0230", "831", "08-31", 831, ""]),
        ("TRANSFER_FREEZE", ["0708..0814"], ["0708", "0708..0832", ""]),
        ("PROMOTION_AT", ["0810 24:00", "0811 00:00"], ["0810 24:01", "0810", "0810 9:00"]),
        ("TRANSFER_WINDOWS", [["0820..0920", "lunar0108..lunar0120"], []], ["0820..0920", ["soon"], [1]]),
        ("RULE_VALID_TO", ["", "2028-08-31"], ["2028-02-30", "20280831"]),
        (
            "KEY_FIELDS",
            [[*EXPECTED["KEY_FIELDS"], "ethnic_group"]],
            [["name"], [*EXPECTED["KEY_FIELDS"], "name"], [*EXPECTED["KEY_FIELDS"], "ethnic_gruop"]],
        ),
        ("ARCHIVE_RETENTION", ["10y"], ["5y", ""]),
        ("INTAKE_PLAN", ["off", "warn", "block"], ["on", "", True]),
        ("BASE_LIST_MATCH", ["off", "warn", "block"], ["on", "", 0]),
        ("PLACEMENT_REGISTERS", [True, False], ["on", 1]),
        ("AUXILIARY_NUMBERS", [True, False], ["on", 1]),
        ("PLACEMENT_DAYS", [1, 10, 20], [0, 21, "10"]),
        ("DEFER_APPLY_DAYS", [1, 5, 20], [0, 21, "5"]),
        ("REGISTRATION_CLOSES", ["0930", "1031"], ["0931", "930", ""]),
        ("TRANSFER_BAN_MID_TERM", ["windows", "off"], ["on", "", True]),
        ("LEAVER_APPROVAL", ["approve", "file"], ["", "none"]),
        ("HUKOU_MONTHS", [0, 12, 36], [-1, 37]),
        ("SUSPENSION_ILLNESS_DAYS", [0, 90, 180], [-1, 181]),
        ("CHANGE_STEP_DAYS", [1, 5, 10], [0, 11]),
        ("SUSPENSION_ANSWER_DAYS", [1, 10], [0, 11]),
        # No province may withdraw a pupil earlier than the strictest known rule, nor let her repeat oftener.
        ("OVERAGE_WITHDRAWAL", [20, 22], [19, 26]),
        ("TRUANCY_DAYS_CONTINUOUS", [15, 30], [14, 61]),
        ("TRUANCY_DAYS_TERM", [45, 90], [44, 91]),
        ("SUSPENSION_EXPIRED_MONTHS", [1, 24], [0, 25]),
        ("REPEAT_MOST", [1, 2], [0, 3]),
        ("PHOTO_ZIP_MOST", [1, 200, 500], [0, 501]),
        ("PHOTO_ZIP_MB", [1, 20], [0, 21]),
    ],
)
def test_a_value_must_be_of_its_kind(key, right, wrong):
    assert all(PARAMETERS[key].allows(value) for value in right)
    assert not any(PARAMETERS[key].allows(value) for value in wrong)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("TRANSFER_STEP_DAYS", 5, "5个工作日"),
        ("ARCHIVE_DEADLINE", 2, "2个月"),
        ("CLASS_SIZE_MAX_PRIMARY", 55, "55人"),
        ("QUOTA_ENABLED", False, "否"),
        ("ENTRY_CUTOFF", "0831", "8月31日"),
        ("REGISTRATION_CLOSES", "0930", "9月30日"),
        ("INTAKE_PLAN", "block", "不予受理"),
        ("PROMOTION_AT", "0810 24:00", "8月10日24:00"),
        ("TRANSFER_WINDOWS", ("term-7..term+14",), "开学前7日至开学后14日"),
        (
            "TRANSFER_WINDOWS",
            ("0820..0920", "lunar0108..lunar0120"),
            "8月20日至9月20日、农历1月8日至农历1月20日",
        ),
        ("ROUTE_EXTRA_LEVELS", (), "无"),
        ("ROUTE_EXTRA_LEVELS", ("township",), "乡镇（中心校）"),
        ("RULE_VALID_TO", "", "无"),
    ],
)
def test_a_value_reads_as_chinese(key, value, words):
    assert PARAMETERS[key].display(value) == words


# --- Which value holds ---------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.rule("R-TRF-02", "第十五条")
def test_the_nearest_office_on_the_way_up_decides():
    assert rule("TRANSFER_STEP_DAYS", SCHOOL, DAY).value == 10
    stored("TRANSFER_STEP_DAYS", 8, NATION)
    stored("TRANSFER_STEP_DAYS", 5, PROVINCE)
    values = {at: rule("TRANSFER_STEP_DAYS", at, DAY) for at in (NATION, PROVINCE, CITY, SCHOOL, ELSEWHERE)}
    assert {at: held.number for at, held in values.items()} == {
        NATION: 8, PROVINCE: 5, CITY: 5, SCHOOL: 5, ELSEWHERE: 8,
    }  # fmt: skip
    assert values[SCHOOL].set_at == PROVINCE
    assert values[ELSEWHERE].set_at == NATION


@pytest.mark.django_db
def test_a_county_decides_before_its_province_and_only_for_itself():
    stored("CLASS_SIZE_MAX_PRIMARY", 50, PROVINCE)
    stored("CLASS_SIZE_MAX_PRIMARY", 48, COUNTY)
    # A path that only begins with the same digits is another office.
    assert rule("CLASS_SIZE_MAX_PRIMARY", SCHOOL, DAY).value == 48
    assert rule("CLASS_SIZE_MAX_PRIMARY", "CN.44.03.051.", DAY).value == 50
    assert rule("CLASS_SIZE_MAX_PRIMARY", "CN.441.", DAY).value == 55


@pytest.mark.django_db
def test_a_value_holds_from_its_first_day_until_before_its_last():
    stored("TRANSFER_STEP_DAYS", 5, PROVINCE, since=DAY, until=DAY + timedelta(days=10))
    days = {-1: 10, 0: 5, 9: 5, 10: 10}
    assert {n: rule("TRANSFER_STEP_DAYS", CITY, DAY + timedelta(days=n)).value for n in days} == days


@pytest.mark.django_db
@pytest.mark.rule("R-EST-07")
def test_the_cut_off_of_entry_is_the_provinces():
    stored("ENTRY_CUTOFF", "1231", PROVINCE)
    assert rule("ENTRY_CUTOFF", SCHOOL, DAY).date_in(2026) == date(2026, 12, 31)
    assert rule("ENTRY_CUTOFF", ELSEWHERE, DAY).date_in(2026) == date(2026, 8, 31)
    assert rule("ENTRY_AGE", ELSEWHERE, DAY).number == 6
    stored("ENTRY_CUTOFF", "0229", ELSEWHERE)
    assert [rule("ENTRY_CUTOFF", ELSEWHERE, DAY).date_in(y) for y in (2027, 2028)] == [
        date(2027, 2, 28), date(2028, 2, 29),
    ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.rule("R-TRF-02")
def test_a_stored_value_beyond_the_bound_does_not_count():
    stored("TRANSFER_STEP_DAYS", 30, PROVINCE)
    held = rule("TRANSFER_STEP_DAYS", CITY, DAY)
    assert (held.value, held.is_clamped, held.set_at) == (10, True, PROVINCE)
    assert "超出国家规定" in held.explain()
    stored("KEY_FIELDS", ["name", "ethnic_group"], PROVINCE)
    assert rule("KEY_FIELDS", CITY, DAY).words == (*EXPECTED["KEY_FIELDS"], "ethnic_group")


@pytest.mark.django_db
def test_a_broken_stored_value_decides_nothing():
    stored("TRANSFER_STEP_DAYS", 5, PROVINCE)
    stored("TRANSFER_STEP_DAYS", "soon", CITY)
    assert rule("TRANSFER_STEP_DAYS", COUNTY, DAY).value == 5


@pytest.mark.django_db
def test_one_query_whatever_the_depth_and_the_number(django_assert_num_queries):
    stored("TRANSFER_STEP_DAYS", 5, PROVINCE)
    for at in (NATION, SCHOOL):
        with django_assert_num_queries(1):
            rule("TRANSFER_STEP_DAYS", at, DAY)
    with django_assert_num_queries(1):
        held = rules(PARAMETERS, SCHOOL, DAY)
    assert held.keys() == PARAMETERS.keys()
    assert held["TRANSFER_STEP_DAYS"].value == 5
    assert held["ENTRY_AGE"].value == 6


@pytest.mark.django_db
def test_an_undeclared_parameter_is_an_error_of_the_programmer():
    assert rule(TRANSFER_STEP_DAYS, CITY, DAY) == rule("TRANSFER_STEP_DAYS", CITY, DAY)
    with pytest.raises(KeyError):
        rule("TRANSFER_STEP_HOURS", CITY, DAY)


@pytest.mark.django_db
def test_a_rule_explains_itself():
    assert rule("TRANSFER_STEP_DAYS", PROVINCE, DAY).explain() == (
        "《中小学生学籍管理办法》第十五条：转学的每一方在十个工作日内核办。本值10个工作日，为全国默认值。"
    )
    stored("TRANSFER_STEP_DAYS", 5, PROVINCE)
    assert rule("TRANSFER_STEP_DAYS", SCHOOL, DAY).explain() == (
        "《中小学生学籍管理办法》第十五条：转学的每一方在十个工作日内核办。"
        "本值5个工作日，由广东省（粤教基〔2025〕9号）设定。"
    )


@pytest.mark.django_db
@pytest.mark.rule("R-ACC-04", "第二十四条")
def test_half_a_year_is_180_days_and_the_ministrys_alone():
    held = rule("ACCOUNT_SEAL_DAYS", SCHOOL, DAY)
    assert held.days_before(date(2026, 7, 1)) == date(2026, 1, 2)
    with pytest.raises(RuleNotYours):
        decide("ACCOUNT_SEAL_DAYS", 90)
    with pytest.raises(RuleOutOfBound):
        decide("ACCOUNT_SEAL_DAYS", 181, NATION, "nation")
    decide("ACCOUNT_SEAL_DAYS", 90, NATION, "nation")
    assert rule("ACCOUNT_SEAL_DAYS", SCHOOL).value == 90


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "begins", "ends"),
    [
        ("ARCHIVE_DEADLINE", date(2025, 9, 1), date(2025, 11, 1)),
        ("ARCHIVE_DEADLINE", date(2025, 12, 31), date(2026, 2, 28)),
        ("CHANGE_DEADLINE", date(2024, 1, 31), date(2024, 2, 29)),
        ("DROPOUT_WEEKS", date(2026, 3, 2), date(2026, 3, 30)),
        ("PASSWORD_DAYS", date(2026, 1, 1), date(2026, 4, 1)),
    ],
)
def test_a_term_ends_in_its_own_unit(key, begins, ends):
    assert rule(key, SCHOOL, DAY).days_after(begins) == ends


@pytest.mark.django_db
def test_what_counts_no_time_has_no_term():
    with pytest.raises(TypeError):
        rule("CLASS_SIZE_MAX_PRIMARY", SCHOOL, DAY).days_after(DAY)
    with pytest.raises(TypeError):
        assert rule("ENTRY_CUTOFF", SCHOOL, DAY).number
    with pytest.raises(TypeError):
        assert rule("QUOTA_ENABLED", SCHOOL, DAY).number
    assert rule("QUOTA_ENABLED", SCHOOL, DAY).is_on is False


@pytest.mark.django_db
@pytest.mark.rule("R-TRF-13")
def test_the_freeze_holds_from_its_first_to_its_last_day():
    freeze = rule("TRANSFER_FREEZE", SCHOOL, DAY)
    days = {
        date(2026, 7, 14): False,
        date(2026, 7, 15): True,
        date(2026, 8, 14): True,
        date(2026, 8, 15): False,
    }
    assert {day: freeze.covers(day) for day in days} == days
    stored("TRANSFER_FREEZE", "1220..0110", NATION)
    winter = rule("TRANSFER_FREEZE", SCHOOL, DAY)
    days = {
        date(2026, 12, 19): False,
        date(2026, 12, 20): True,
        date(2027, 1, 10): True,
        date(2027, 1, 11): False,
    }
    assert {day: winter.covers(day) for day in days} == days


# --- Setting a value -----------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.rule("R-TRF-02", "第十五条")
def test_a_province_tightens_the_clock_but_never_loosens_it():
    for value in (11, 0, -1):
        with pytest.raises(RuleOutOfBound) as refused:
            decide("TRANSFER_STEP_DAYS", value)
        assert refused.value.article == "第十五条"
        assert "应为1至10个工作日" in refused.value.detail
    with pytest.raises(RuleMalformed):
        decide("TRANSFER_STEP_DAYS", "5")
    assert not RuleValue.objects.filter(path=PROVINCE).exists()
    decide("TRANSFER_STEP_DAYS", 5)
    held = rule("TRANSFER_STEP_DAYS", SCHOOL)
    assert (held.value, held.set_at, held.document) == (5, PROVINCE, "粤教基〔2025〕9号")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "value", "may"),
    [
        ("TRANSFER_STEP_DAYS", 5, {"nation", "province"}),
        ("ARCHIVE_DEADLINE", 1, {"nation", "province", "city"}),
        ("CLASS_SIZE_MAX_PRIMARY", 50, {"nation", "province", "county"}),
        ("DEATH_CANCEL_DAYS", 10, {"nation"}),
        ("QUOTA_ENABLED", True, {"province", "city"}),
        ("INTAKE_PLAN", "block", {"nation", "province", "city", "county"}),
        ("BASE_LIST_MATCH", "warn", {"nation", "province", "county"}),
        ("AUXILIARY_NUMBERS", True, {"nation", "province", "county"}),
        ("PLACEMENT_REGISTERS", True, {"nation", "province"}),
        ("PLACEMENT_DAYS", 5, {"nation", "province"}),
        ("DEFER_APPLY_DAYS", 3, {"nation", "province"}),
        ("REGISTRATION_CLOSES", "1015", {"nation", "province", "county"}),
        ("PHOTO_ZIP_MOST", 100, {"nation"}),
        ("TRANSFER_WINDOWS", ["0820..0920"], {"nation", "province", "city", "county"}),
    ],
)
def test_only_the_named_levels_set_a_parameter(key, value, may):
    at = {
        "nation": NATION,
        "province": PROVINCE,
        "city": CITY,
        "county": COUNTY,
        "township": COUNTY,
        "school": SCHOOL,
    }
    for level, path in at.items():
        if level in may:
            decide(key, value, path, level)
            assert rule(key, path).set_at == path
            RuleValue.objects.all().delete()
        else:
            with pytest.raises(RuleNotYours) as refused:
                decide(key, value, path, level)
            assert refused.value.status == 403
    assert not RuleValue.objects.exists()


@pytest.mark.django_db
def test_no_level_decides_for_the_nation():
    with pytest.raises(RuleNotYours):
        decide("TRANSFER_STEP_DAYS", 5, NATION, "province")
    decide("TRANSFER_STEP_DAYS", 5, NATION, "nation")


@pytest.mark.django_db
def test_a_local_value_names_its_document():
    with pytest.raises(RuleWithoutDocument):
        decide("TRANSFER_STEP_DAYS", 5, document=" ")
    decide("TRANSFER_STEP_DAYS", 5, document="粤教基〔2025〕9号")


@pytest.mark.django_db
def test_a_new_value_ends_the_old_one_and_leaves_its_past_alone():
    stored("TRANSFER_STEP_DAYS", 8, PROVINCE)
    before = rulebook_version()
    tomorrow = today() + timedelta(days=1)
    decide("TRANSFER_STEP_DAYS", 5, starts=tomorrow)
    assert rule("TRANSFER_STEP_DAYS", CITY, date(2020, 1, 1)).value == 8
    assert rule("TRANSFER_STEP_DAYS", CITY, today()).value == 8
    assert rule("TRANSFER_STEP_DAYS", CITY, tomorrow).value == 5
    assert rulebook_version() != before


@pytest.mark.django_db
def test_a_temporary_value_gives_way_to_the_one_before():
    stored("TRANSFER_STEP_DAYS", 8, PROVINCE)
    starts, until = today() + timedelta(days=10), today() + timedelta(days=20)
    decide("TRANSFER_STEP_DAYS", 5, starts=starts, until=until)
    days = {starts - timedelta(days=1): 8, starts: 5, until - timedelta(days=1): 5, until: 8}
    assert {day: rule("TRANSFER_STEP_DAYS", CITY, day).value for day in days} == days
    with pytest.raises(RulePeriodWrong) as refused:
        decide("TRANSFER_STEP_DAYS", 5, starts=until, until=until)
    assert refused.value.status == 422


@pytest.mark.django_db
def test_the_past_is_not_rewritten_and_the_future_not_overrun():
    stored("TRANSFER_STEP_DAYS", 8, PROVINCE)
    with pytest.raises(RuleOverlaps):
        decide("TRANSFER_STEP_DAYS", 5, starts=today() - timedelta(days=1))
    stored("ARCHIVE_DEADLINE", 1, PROVINCE, since=today() + timedelta(days=30))
    with pytest.raises(RuleOverlaps) as refused:
        decide("ARCHIVE_DEADLINE", 2)
    assert refused.value.status == 409
    assert RuleValue.objects.count() == 2
    # Where nothing was set, a document of last year may be entered late.
    decide("CHANGE_DEADLINE", 1, starts=date(2020, 9, 1))
    decide("ARCHIVE_DEADLINE", 2, until=today() + timedelta(days=30))


# --- Ending a value -------------------------------------------------------------------------------


def end(row: RuleValue, ends: date, document: str = "粤教基〔2026〕3号") -> RuleValue:
    return end_rule(row, ends=ends, document=document, set_by_name="广东省", created_by_name="李明")


@pytest.mark.django_db
def test_an_ended_value_keeps_its_days_and_the_offices_above_decide_again():
    stored("TRANSFER_STEP_DAYS", 8, NATION)
    held = stored("TRANSFER_STEP_DAYS", 5, PROVINCE)
    before, tomorrow = rulebook_version(), today() + timedelta(days=1)
    mark = end(held, tomorrow)
    assert [rule("TRANSFER_STEP_DAYS", CITY, day).value for day in (DAY, today(), tomorrow)] == [5, 5, 8]
    assert (mark.document, RuleValue.objects.count()) == ("粤教基〔2026〕3号", 3)
    assert mark not in values_set()
    assert rulebook_version() != before
    # A new value may begin on the very day, and the mark gives way.
    decide("TRANSFER_STEP_DAYS", 6, starts=tomorrow)
    assert rule("TRANSFER_STEP_DAYS", CITY, tomorrow).value == 6


@pytest.mark.django_db
def test_a_new_value_for_a_time_leaves_the_end_of_the_old_one_in_force():
    end(stored("TRANSFER_STEP_DAYS", 5, PROVINCE), today())
    starts, until = today() + timedelta(days=5), today() + timedelta(days=9)
    decide("TRANSFER_STEP_DAYS", 6, starts=starts, until=until)
    days = {today(): 10, starts: 6, until: 10}
    assert {day: rule("TRANSFER_STEP_DAYS", CITY, day).value for day in days} == days


@pytest.mark.django_db
def test_a_coming_value_is_withdrawn_and_never_holds():
    tomorrow = today() + timedelta(days=1)
    waits = decide("TRANSFER_STEP_DAYS", 5, starts=tomorrow)
    end(waits, today())
    assert rule("TRANSFER_STEP_DAYS", CITY, tomorrow).value == 10
    waits.refresh_from_db()
    assert waits.valid.isempty
    with pytest.raises(RuleEnded) as refused:
        end(waits, today())
    assert refused.value.status == 409
    decide("TRANSFER_STEP_DAYS", 6, starts=tomorrow)


@pytest.mark.django_db
def test_an_end_needs_a_document_and_a_day_on_which_the_value_holds():
    first, last = today() - timedelta(days=9), today() + timedelta(days=9)
    held = stored("TRANSFER_STEP_DAYS", 5, PROVINCE, since=first, until=last)
    for day in (today() - timedelta(days=1), last):
        with pytest.raises(RulePeriodWrong):
            end(held, day)
    with pytest.raises(RuleWithoutDocument):
        end(held, today(), document=" ")
    young = decide("ARCHIVE_DEADLINE", 1)
    with pytest.raises(RulePeriodWrong):  # it has held since this morning
        end(young, today())
    assert rule("TRANSFER_STEP_DAYS", CITY).value == 5
    mark = end(held, today())
    with pytest.raises(RuleEnded):
        end(mark, today())
    with pytest.raises(RuleEnded):
        end(stored("CHANGE_DEADLINE", 1, PROVINCE, until=today()), today())


@pytest.mark.django_db
def test_a_value_in_force_says_from_when_until_when():
    stored("TRANSFER_STEP_DAYS", 5, PROVINCE, since=DAY, until=DAY + timedelta(days=10))
    held = rule("TRANSFER_STEP_DAYS", CITY, DAY)
    assert (held.since, held.until) == (DAY, DAY + timedelta(days=10))
    assert rule("TRANSFER_STEP_DAYS", ELSEWHERE, DAY).since is None


def test_a_parameter_cannot_be_changed():
    parameter = Parameter("X", "第一条", 1, "日", FREE, frozenset(Level), "一句话")
    with pytest.raises(AttributeError):
        parameter.value = 2
