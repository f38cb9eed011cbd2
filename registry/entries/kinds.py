"""The kinds of entries as data: what each holds, who reads it and who writes it (HANDBOOK C6, A3 art. 7).

A clerk could read this page. `reads` are rights of which all are needed, `writes` rights of which one is
enough, held at exactly the pupil's school.
"""

from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext_lazy as _

from accounts.roles import Right
from registry.codes import choices, label

Pair = tuple[str, Any]
GRADES: tuple[Pair, ...] = (("A", "A"), ("B", "B"), ("C", "C"), ("D", "D"))
AIDS: tuple[Pair, ...] = (
    ("1", _("助学金")), ("2", _("免学费")), ("3", _("免住宿费")), ("4", _("营养膳食补助")), ("9", _("其他")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One value of an entry. A number lies in `least` to `most` with at most `places` decimals; a text is
    always sealed, and whatever else `is_sealed`.
    """

    key: str
    label: Any
    type: Literal["code", "number", "mark", "text"] = "text"
    code_list: str = ""
    own: tuple[Pair, ...] = ()
    among: tuple[str, ...] = ()
    least: int = 0
    most: int = 0
    places: int = 0
    is_must: bool = False
    is_sealed: bool = False

    @property
    def choices(self) -> list[tuple[str, str]]:
        """(code, words) of a code column."""
        if self.own:
            return [(code, str(words)) for code, words in self.own]
        return choices(self.code_list, self.among) if self.code_list else []

    @property
    def is_hidden(self) -> bool:
        return self.is_sealed or self.type == "text"

    def in_words(self, value: str) -> str:
        """A stored value as people read it."""
        if self.own:
            return next((words for code, words in self.choices if code == value), value)
        return label(self.code_list, value) if self.code_list and value else value


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entry. Once a term: the second of one pupil and term is the same entry."""

    code: str
    name: Any
    columns: tuple[Column, ...]
    reads: tuple[Right, ...]
    writes: tuple[Right, ...]
    is_once_a_term: bool = False
    note: Any = ""


_REGISTRAR = (Right.EDIT_STUDENT,)
_DOCTOR = (Right.EDIT_HEALTH, Right.EDIT_STUDENT)
_GROWTH = (Right.VIEW_GROWTH,)
# That a family is poor is shown to who keeps or decides on the record, not to every teacher (D17).
_AID = (Right.VIEW_GROWTH, Right.VIEW_STUDENT)
_HEALTH = (Right.VIEW_HEALTH,)
SANCTION = "sanction"
# 义务教育阶段没有开除学籍，勒令退学早已取消 (R-CHG-01).
COMPULSORY_SANCTIONS = ("1", "2", "3", "4", "9")
SENIOR_SANCTIONS = (*COMPULSORY_SANCTIONS, "6")


def _grade(key: str, words: Any) -> Column:
    return Column(key, words, "code", own=GRADES)


def _days(key: str, words: Any, *, is_must: bool = False) -> Column:
    return Column(key, words, "number", most=200, places=1, is_must=is_must)


def _mark(key: str, words: Any) -> Column:
    return Column(key, words, "mark")


KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            "award", _("获奖"),
            (
                Column("title", _("奖项名称"), is_must=True),
                Column("category", _("获奖类别"), "code", "award_category", is_must=True),
                Column("level", _("获奖级别"), "code", "award_level", is_must=True),
                Column("grade", _("获奖等级"), "code", "award_grade"),
                Column("form", _("获奖方式"), "code", "award_form"),
                Column("issuer", _("颁奖单位")),
            ),
            _GROWTH, _REGISTRAR,
        ),
        Kind(
            SANCTION, _("处分"),
            (
                Column(
                    "type", _("处分名称"), "code", "punishment_type", among=SENIOR_SANCTIONS, is_must=True,
                ),
                Column("reason", _("处分原因"), is_must=True),
                Column("document", _("处分文号")),
            ),
            _GROWTH, _REGISTRAR,
            note=_("义务教育阶段不得开除学籍。未解除的处分在所在地区限制转学。"),
        ),
        Kind(
            "evaluation", _("综合素质评价"),
            (
                _grade("morals", _("思想品德")), _grade("learning", _("学业水平")),
                _grade("body", _("身心健康")), _grade("arts", _("艺术素养")),
                _grade("practice", _("社会实践")), Column("comment", _("评语")),
            ),
            _GROWTH, _REGISTRAR, is_once_a_term=True,
        ),
        Kind(
            "marks", _("成绩摘要"),
            (
                _mark("chinese", _("语文")), _mark("mathematics", _("数学")), _mark("language", _("外语")),
                _mark("science", _("科学")), _mark("society", _("道德与法治")), _mark("sports", _("体育")),
                _mark("overall", _("综合等第")),
            ),
            (Right.VIEW_MARKS,), _REGISTRAR, is_once_a_term=True,
            note=_("可填分数或等第（优、良、中、及格、不及格，A 至 E）；不登记名次。"),
        ),
        Kind(
            "attendance", _("出勤摘要"),
            (
                _days("due", _("应出勤天数"), is_must=True), _days("sick", _("病假天数")),
                _days("leave", _("事假天数")), _days("truant", _("旷课天数")),
                Column("late", _("迟到早退次数"), "number", most=400),
            ),
            _GROWTH, _REGISTRAR, is_once_a_term=True,
        ),
        Kind(
            "fitness", _("体质健康"),
            (
                Column("result", _("测试结果"), "code", "fitness_result", is_must=True, is_sealed=True),
                Column("score", _("测试得分"), "number", most=120, places=1, is_sealed=True),
            ),
            _HEALTH, _DOCTOR, is_once_a_term=True,
        ),
        Kind(
            "health", _("体检"),
            (
                Column("height", _("身高（厘米）"), "number", least=50, most=250, places=1, is_sealed=True),
                Column("weight", _("体重（千克）"), "number", least=5, most=250, places=1, is_sealed=True),
                Column("left_eye", _("左眼视力"), "number", least=0, most=6, places=1, is_sealed=True),
                Column("right_eye", _("右眼视力"), "number", least=0, most=6, places=1, is_sealed=True),
                Column("conclusion", _("体检结论"), is_must=True),
            ),
            _HEALTH, _DOCTOR,
        ),
        Kind(
            "aid", _("受资助情况"),
            (
                Column("form", _("资助项目"), "code", own=AIDS, is_must=True),
                Column("amount", _("金额（元）"), "number", most=100_000, places=2, is_must=True),
                Column("reason", _("困难原因"), "code", "hardship_reason"),
            ),
            _AID, _REGISTRAR,
        ),
        Kind(
            "boarding", _("寄宿生生活补助"),
            (Column("amount", _("金额（元）"), "number", most=100_000, places=2, is_must=True),),
            _AID, _REGISTRAR, is_once_a_term=True,
        ),
    )
}  # fmt: skip
READS: tuple[Right, ...] = (Right.VIEW_GROWTH, Right.VIEW_MARKS, Right.VIEW_HEALTH)
WRITES: tuple[Right, ...] = (Right.EDIT_STUDENT, Right.EDIT_HEALTH)
