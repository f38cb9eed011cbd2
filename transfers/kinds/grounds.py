"""转学理由: the rows of HANDBOOK A5.4 as data: what each must prove, what is asked and checked beside it.

Only proof of the ground may be asked for (R-TRF-16). The stamped application form is no proof of any ground:
where the parties act in the system the leader's confirmation replaces the stamp (P5), so families are not
sent for it; it is asked for only where the transfer was handled on paper (R-TRF-21).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from config.rules import rule
from registry.models import School
from transfers.kind import EvidenceNeed, Facts

_RULE = "R-TRF-16"
REGISTER = EvidenceNeed("监护人或学生的户口簿", ("01", "03"), _RULE)
KINSHIP = EvidenceNeed("亲属关系证明（学生与监护人不在同一户口簿）", ("03", "04"), _RULE)
EMPLOYER = EvidenceNeed("工作单位证明（工作调动）", ("08",), _RULE)
HOME = EvidenceNeed("房产证、购房合同及发票或房管部门证明", ("05",), _RULE)
RESIDENCE = EvidenceNeed("居住证明（居住证、租赁合同或房产证）", ("05", "06", "07"), _RULE)
LICENCE = EvidenceNeed("营业执照", ("11",), _RULE)
TAX = EvidenceNeed("税务登记证明", ("12",), _RULE)
CONTRACT = EvidenceNeed("依法订立的劳动合同", ("09",), _RULE)
PENSION = EvidenceNeed("社会保险缴费证明", ("10",), _RULE)
ORDER = EvidenceNeed("派遣、调动命令或出境证明", ("08", "17"), _RULE)
HEALTH = EvidenceNeed("县级以上医院诊断证明或残疾人证", ("15", "19"), _RULE)
AGREEMENT = EvidenceNeed("监护人与学校的书面意见", ("99",), _RULE)
PREFERENCE = EvidenceNeed("优待对象身份证明", ("08", "99"), _RULE)
DOCUMENT = EvidenceNeed("主管部门撤并分流文件", ("99",), _RULE)
OTHER = EvidenceNeed("所述理由的证明", ("99",), _RULE)
CARD = EvidenceNeed("原学校学籍卡（跨省转学）", ("22",), _RULE)
PAPER_FORM = EvidenceNeed("签章的转学申请表（线下已办）", ("13",), "R-TRF-21")


@dataclass(frozen=True, slots=True)
class Ground:
    """One ground: codes of the list transfer_reason, papers, and the questions its extra check needs."""

    codes: tuple[str, ...]
    papers: tuple[EvidenceNeed, ...]
    asks: tuple[str, ...] = ()
    check: Callable[[Facts, date], str] | None = None

    @property
    def needs_register(self) -> bool:
        return REGISTER in self.papers


# ── Extra checks: an empty text when met, else what is wrong and what to do ───────────────────────────────
def hukou_long_enough(facts: Facts, day: date) -> str:
    """An independent or attached hukou must have been there for a year (HUKOU_MONTHS)."""
    if facts.asked("is_collective_hukou") != "1":
        return ""
    return _term_over(facts, day, "hukou_since", "HUKOU_MONTHS", _("落户"))


def home_handed_over(facts: Facts, day: date) -> str:
    """Counted from the handing over, not from the purchase."""
    handed = facts.day_asked("handed_over_on")
    if handed is not None and handed <= day:
        return ""
    when = f"{handed:%Y-%m-%d}" if handed else _("未填")
    said = _("住房尚未交付（交付日期：{when}）。居住从交付之日起算，不以购房日期为准，请交付后再申请。")
    return said.format(when=when)


def business_long_enough(facts: Facts, day: date) -> str:
    """A business must have run in the catchment for a year (BUSINESS_MONTHS)."""
    return _term_over(facts, day, "business_since", "BUSINESS_MONTHS", _("开业"))


def lives_with_relatives(facts: Facts, day: date) -> str:
    """Guardians abroad or on a posting: the pupil follows relatives who are there."""
    if facts.asked("lives_with_relatives") == "1":
        return ""
    return _("监护人出国、支边或现役调动的，学生须在转入地随亲属居住；不随亲属居住的，请按实际理由申请。")


def one_special_school(facts: Facts, day: date) -> str:
    """普特互转: exactly one of the two schools is one of special education (5…)."""
    kinds = School.objects.filter(organization__path__in=(facts.from_path, facts.to_path))
    special = [kind.startswith("5") for kind in kinds.values_list("running_type", flat=True)]
    if special.count(True) == 1:
        return ""
    return _("普特互转须在特殊教育学校与普通学校之间办理；两校类型相同的，请按实际理由申请。")


def _term_over(facts: Facts, day: date, key: str, parameter: str, what: str) -> str:
    held = rule(parameter, at=facts.to_path, on=day)
    since = facts.day_asked(key)
    full = held.days_after(since) if since else None
    if full is not None and full <= day:
        return ""
    since_words, full_words = (f"{one:%Y-%m-%d}" if one else _("未填") for one in (since, full))
    said = _("{what}日期 {since}，满期日 {full}。{why}请满期后再申请。")
    return said.format(what=what, since=since_words, full=full_words, why=held.explain())


# ── The table ─────────────────────────────────────────────────────────────────────────────────────────────
_GUARDIAN = (REGISTER, KINSHIP)
GROUNDS: tuple[Ground, ...] = (
    Ground(("04",), _GUARDIAN, ("is_collective_hukou", "hukou_since"), hukou_long_enough),  # 回原籍
    Ground(("02",), (*_GUARDIAN, EMPLOYER)),
    Ground(("01", "05"), (*_GUARDIAN, HOME), ("handed_over_on",), home_handed_over),
    Ground(("06",), (*_GUARDIAN, LICENCE, TAX, RESIDENCE), ("business_since",), business_long_enough),
    Ground(("07",), (*_GUARDIAN, CONTRACT, PENSION, RESIDENCE)),
    Ground(("08",), (*_GUARDIAN, ORDER), ("lives_with_relatives",), lives_with_relatives),
    Ground(("09",), (HEALTH,), ("status_stays",), one_special_school),
    Ground(("03",), (*_GUARDIAN, RESIDENCE)),  # 随迁子女: the residence is the ground
    Ground(("10",), (AGREEMENT,)),
    Ground(("11",), (PREFERENCE,)),
    Ground(("12",), (DOCUMENT,)),
    Ground(("99",), (OTHER,)),
)
GROUND_OF: dict[str, Ground] = {code: ground for ground in GROUNDS for code in ground.codes}


def asks_for(key: str) -> Callable[[Mapping[str, str]], bool]:
    """Whether the chosen ground asks the question `key`."""
    return lambda answers: key in _asks(answers)


def _asks(answers: Mapping[str, str]) -> tuple[str, ...]:
    ground = GROUND_OF.get(answers.get("reason", ""))
    if ground is None:
        return ()
    return (*ground.asks, "same_register") if ground.needs_register else ground.asks


def papers_for(answers: Mapping[str, str], *, is_across: bool) -> tuple[EvidenceNeed, ...]:
    """The papers that a transfer with these answers needs, and no others."""
    ground = GROUND_OF.get(answers.get("reason", ""))
    needs = ground.papers if ground else ()
    if answers.get("same_register") != "0":
        needs = tuple(need for need in needs if need is not KINSHIP)
    if is_across:
        needs += (CARD,)
    return (*needs, PAPER_FORM) if answers.get("recorded_later") == "1" else needs
