"""The reports, as data: which numbers stand in which, how they may be split, and what each of them means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from reports.cubes import ADMISSION_MODES, CUBES, DISPOSITIONS, HUKOU_TYPES, Cube

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

BELOW = "below"
PERSONAL = ("grade", "sex", "ethnic", "hukou")
SPLITS: "dict[str, StrOrPromise]" = {
    BELOW: _("下级单位"), "grade": _("年级"), "sex": _("性别"), "ethnic": _("民族"), "hukou": _("户籍"),
}  # fmt: skip
_NOW = _("查询当时")
_YEAR = _("所选学年，7 月 1 日起至次年 6 月 30 日")
_STUDY_YEAR = _("所选学年，自升级次日起至下一次升级；招生自 7 月 1 日起计入新学年")
_STUDY_YEAR_AND_STEPS = _("转入、转出自升级次日起至下一次升级；环节自 7 月 1 日起至次年 6 月 30 日")


@dataclass(frozen=True)
class Column:
    """One number: what it counts, on which day, from which table. A sensitive one is hidden where it is small
    (EX-4) and told by offices only; with `share` it is the percentage of two others.
    """

    key: str
    label: "StrOrPromise"
    counts: "StrOrPromise"
    source: str
    cube: str = ""
    sensitive: bool = False
    share: tuple[str, str] = ("", "")
    list_of: Mapping[str, str] | None = None  # the filters of the list of pupils that has as many rows


@dataclass(frozen=True)
class Report:
    """One report. `splits` are the dimensions its rows may be; `code_label` names that of the category."""

    code: str
    title: "StrOrPromise"
    about: "StrOrPromise"
    article: str
    columns: tuple[Column, ...]
    splits: tuple[str, ...]
    has_years: bool = False
    code_label: "StrOrPromise" = ""
    year: "StrOrPromise" = _YEAR

    @property
    def day(self) -> "StrOrPromise":
        return self.year if self.has_years else _NOW

    def cubes(self) -> list[Cube]:
        return [CUBES[code] for code in dict.fromkeys(one.cube for one in self.columns if one.cube)]

    def column(self, key: str) -> Column:
        return next(one for one in self.columns if one.key == key)


_SPELL = "registry_enrolment"
_RECORD = "registry_student（加密项目，逐人解密计数，不留明细）"
_IN_SCHOOL = _("状态为正常在校的学籍，每人在全国只有一条；借读生只在学籍所在学校计一次")


def _pupil(key: str, label: "StrOrPromise", counts: "StrOrPromise", **more: object) -> Column:
    return Column(key, label, counts, _SPELL, "pupils", **more)  # type: ignore[arg-type]


def _flag(key: str, label: "StrOrPromise", counts: "StrOrPromise") -> Column:
    return Column(key, label, counts, _RECORD, "sealed", sensitive=True)


OVERVIEW = Report(
    "overview", _("学校概况"),
    _("年级、班级与在校学生的构成；下级单位逐级汇总"), "第五条、第二十三条",
    (
        Column("schools", _("学校"), _("有效的学校"), "accounts_organization", "schools"),
        Column("grades", _("年级数"), _("有在用班级的年级，按学校累计"), "registry_schoolclass", "classes"),
        Column("classes", _("班级"), _("在用的班级"), "registry_schoolclass", "classes"),
        _pupil("pupils", _("在校学生"), _IN_SCHOOL, list_of={"status": "01"}),
        _pupil("boys", _("男"), _("性别为男的在校学生"), list_of={"status": "01", "sex": "1"}),
        _pupil("girls", _("女"), _("性别为女的在校学生"), list_of={"status": "01", "sex": "2"}),
        _pupil("minority", _("少数民族"), _("民族不是汉族的在校学生；未填民族的不计")),
        _pupil("migrant", _("随迁子女"), _("进城务工人员随迁子女")),
        _pupil("outside", _("县外户籍"), _("户口所在地的县级区划与学校所在县不同")),
        *(_pupil(f"hukou_{code}", name, _("户口性质为此项")) for code, name in HUKOU_TYPES),
        *(
            _pupil(f"mode_{code}", format_lazy("{}·{}", _("入学"), name), _("入学方式为此项"))
            for code, name in ADMISSION_MODES
        ),
        _pupil(
            "pending", _("待核准"),
            _("已登记、主管部门尚未核准，不计入在校学生"), list_of={"status": "00"},
        ),
        _pupil("suspended", _("休学"), _("休学中，学籍保留，不计入在校学生"), list_of={"status": "02"}),
        Column(
            "guests_in", _("借入"),
            _("在本地借读、学籍在外，不计入在校学生"), "registry_attendance", "guests_in",
        ),
        Column(
            "guests_out", _("借出"),
            _("学籍在本地、在外借读，已计入在校学生"), "registry_attendance", "guests_out",
        ),
        _flag("left_behind", _("留守儿童"), _("单亲留守和双亲留守")),
        _flag("orphan", _("孤儿"), _("“是否孤儿”为是")),
        _flag("martyr", _("烈士或优抚子女"), _("“是否烈士或优抚子女”为是")),
        _flag("subsidy", _("享受一补"), _("“是否享受一补”为是")),
        _flag("aid", _("申请资助"), _("“是否需要申请资助”为是")),
        _flag("disabled", _("残疾"), _("残疾类型不是无残疾")),
        Column(
            "problems", _("问题学籍"),
            _("未销号的问题学籍，不含线索，按先发现的一方计"), "registry_problemrecord", "open_problems",
        ),
    ),
    (BELOW, *PERSONAL),
)  # fmt: skip
_CHANGE = "registry_statuschange"


def _out(key: str, label: "StrOrPromise", counts: "StrOrPromise") -> Column:
    return Column(key, label, counts, _CHANGE, "decreases")


MOVEMENTS = Report(
    "movements", _("学生变动"),
    _("一学年内增加与减少的学生，按变动类别；同一地区内学校之间的转学，转入转出各计一次"), "第七条、第十五条",
    (
        Column("m11", _("招生"), _("本学年进入本学段、已核准的学籍，不含转入"), _SPELL, "newcomers"),
        Column("m12", _("复学"), _("休学期满或回国后复学"), _CHANGE, "increases"),
        Column("m13", _("转入"), _("由其他学校转入，按生效日"), _CHANGE, "increases"),
        _out("m21", _("毕业"), _("办理毕业，按生效日")),
        _out("m22", _("结业"), _("办理结业，按生效日")),
        _out("m23", _("休学"), _("办理休学，不含延期")),
        _out("m24", _("退学"), _("高中阶段退学")),
        _out("m25", _("开除"), _("高中阶段开除学籍")),
        _out("m26", _("死亡"), _("办理死亡注销")),
        _out("late_deaths", _("其中逾期办理的死亡"), _("死亡后超过十个工作日才办理")),
        _out("m27", _("转出"), _("转往其他学校，按生效日")),
        _out("m28", _("辍学"), _("登记为辍学")),
    ),
    (BELOW, *PERSONAL), has_years=True, year=_STUDY_YEAR,
)  # fmt: skip
TRANSFERS = Report(
    "transfers", _("转学流向与时效"),
    _("转入、转出的来源和去向；各环节在期限内决定的比例"), "第十五条",
    (
        Column("moved_in", _("转入"), _("按生效日，来源为学校所在县；外省的为省"), _CHANGE, "flows_in"),
        Column("moved_out", _("转出"), _("按生效日，去向为学校所在县；外省的为省"), _CHANGE, "flows_out"),
        Column(
            "decided", _("已办环节"),
            _("转学各环节中本学年作出决定的，按办理单位"), "transfers_step", "decided_steps",
        ),
        Column("on_time", _("按期"), _("在期限当日或以前决定"), "transfers_step", "decided_steps"),
        Column(
            "share", _("按期率（%）"),
            _("按期占已办，只舍不入"), "transfers_step", share=("on_time", "decided"),
        ),
        Column("waiting", _("现在等待"), _("已送达、尚未决定"), "transfers_step", "steps"),
        Column("overdue", _("其中超期"), _("期限已过"), "transfers_step", "steps"),
    ),
    (BELOW, "code", *PERSONAL), has_years=True, code_label=_("来源或去向"), year=_STUDY_YEAR_AND_STEPS,
)  # fmt: skip
INTAKE = Report(
    "intake", _("招生与注册进度"), _("起始年级的计划、登记、核准与学籍号签发"), "第六条、第八条",
    (
        Column("planned", _("招生计划"), _("学校本学年的招生计划数"), "registry_intakeplan", "plans"),
        Column("entered", _("已登记"), _("起始年级本学年开始的学籍，含待核准"), _SPELL, "entrants"),
        Column("undecided", _("待核准"), _("其中主管部门尚未核准"), _SPELL, "entrants"),
        Column("numbered", _("正式学籍号"), _("其中已有 G 号或 J 号"), _SPELL, "entrants"),
    ),
    (BELOW, *PERSONAL), has_years=True,
)  # fmt: skip
_VERIFIED = "registry_schoolverification"
VERIFICATION = Report(
    "verification", _("学籍核准进度"), _("各学期学籍核准的签署、班级核对与问题整改"), "第二十五条",
    (
        Column("to_verify", _("应核准学校"), _("列入本学年核准的学校，每学期计一次"), _VERIFIED, "verified"),
        Column("signed", _("已签署"), _("学校领导已签署"), _VERIFIED, "verified"),
        Column(
            "signed_share", _("签署率（%）"),
            _("已签署占应核准，只舍不入"), _VERIFIED, share=("signed", "to_verify"),
        ),
        Column("rolls", _("应核对班级"), _("列入核准的班级"), _VERIFIED, "verified"),
        Column("rolls_done", _("已核对班级"), _("班主任已确认"), _VERIFIED, "verified"),
        Column("findings", _("问题"), _("核准发现的问题"), _VERIFIED, "verified"),
        Column("findings_open", _("未销号"), _("其中未销号"), _VERIFIED, "verified"),
        Column("unplanned", _("未定计划"), _("其中未定整改计划，学校不能签署"), _VERIFIED, "verified"),
        Column("late_findings", _("逾期"), _("其中超过期限"), _VERIFIED, "verified"),
    ),
    (BELOW, "code"), has_years=True, code_label=_("学期"),
)  # fmt: skip
_DROPOUT = "registry_dropoutentry"
DROPOUT = Report(
    "dropout", _("控辍保学"), _("辍学台账的立账、劝返与销号"), "第十九条；控辍保学常态化报告",
    (
        Column(
            "suspected", _("疑似辍学"),
            _("本学年立账的疑似辍学"), "registry_suspecteddropout", "suspects",
        ),
        Column(
            "unreported", _("未报告"),
            _("其中未销号且学校尚未书面报告"), "registry_suspecteddropout", "suspects",
        ),
        Column(
            "cleared", _("疑似已销号"),
            _("其中主管部门核实在校后销号，不含转办学籍变动的"), "registry_suspecteddropout", "suspects",
        ),
        Column("visits", _("劝返次数"), _("本学年登记的劝返"), "registry_persuasionvisit", "visits"),
        Column("opened", _("立账"), _("本学年立账的辍学学生"), _DROPOUT, "dropouts"),
        Column("returned", _("已返校"), _("其中凭返校复学销号"), _DROPOUT, "dropouts"),
        Column("ended", _("法定终止"), _("其中因年限届满、死亡等学籍终止销号"), _DROPOUT, "dropouts"),
        Column("still_out", _("仍未返校"), _("其中未销号"), _DROPOUT, "dropouts"),
        Column(
            "return_share", _("返校率（%）"),
            _("已返校占立账，只舍不入"), _DROPOUT, share=("returned", "opened"),
        ),
        Column("due_reports", _("应报报告"), _("本学年应报送的逐级报告"), "registry_dropoutreport", "chain"),
        Column("signed_reports", _("已报"), _("其中已签报"), "registry_dropoutreport", "chain"),
    ),
    (BELOW, "code", *PERSONAL), has_years=True, code_label=_("原因"),
)  # fmt: skip
_PROBLEM = "registry_problemrecord"
PROBLEM_RECORDS = Report(
    "problems", _("问题学籍"), _("问题学籍按类型和状态，按先发现的一方计"), "第九条",
    (
        Column("waiting_problems", _("待处理"), _("未销号，不含线索"), _PROBLEM, "problems"),
        Column("late_problems", _("逾期"), _("其中超过学校办理截止日"), _PROBLEM, "problems"),
        Column("arbitrated", _("仲裁中"), _("其中双方佐证、由国家级仲裁"), _PROBLEM, "problems"),
        Column("hints", _("核对线索"), _("未销号的线索，不影响业务"), _PROBLEM, "problems"),
        *(
            Column(f"with_{code}", name, _("以该方式处置后销号"), _PROBLEM, "problems")
            for code, name in DISPOSITIONS
        ),
        Column("closed_problems", _("已销号"), _("含线索"), _PROBLEM, "problems"),
    ),
    (BELOW, "code"), code_label=_("类型"),
)  # fmt: skip
ACCOUNT_REPORT = Report(
    "accounts", _("账号与培训"), _("任职、先培训后上岗与账号封存，按岗位计；不含代办"),
    "第二十二条、第二十四条",
    (
        Column("posts", _("在任岗位"), _("今天有效的岗位"), "accounts_post", "accounts"),
        Column(
            "trained", _("培训有效"),
            _("任职人培训记录在有效期内"), "accounts_trainingrecord", "accounts",
        ),
        Column("sealed_accounts", _("账号已封存"), _("任职人账号已封存"), "accounts_user", "accounts"),
    ),
    (BELOW, "code"), code_label=_("角色"),
)  # fmt: skip
EXPORT_REPORT = Report(
    "exports", _("数据导出"), _("谁申请导出、经谁批准、导出多少行"), "第二十四条",
    (
        Column("asked", _("申请"), _("本学年提出的导出申请，按申请单位"), "registry_export", "exports"),
        Column("approved", _("已批准"), _("经另一人批准并生成"), "registry_export", "exports"),
        Column("refused", _("未批准"), _("审批人不同意"), "registry_export", "exports"),
        Column("fetched", _("已领取"), _("文件至少领取一次"), "registry_export", "exports"),
        Column("exported_rows", _("导出行数"), _("生成的文件的行数"), "registry_export", "exports"),
    ),
    (BELOW, "code"), has_years=True, code_label=_("用途"),
)  # fmt: skip

REPORTS = {
    report.code: report
    for report in (
        OVERVIEW, MOVEMENTS, TRANSFERS, INTAKE, VERIFICATION, DROPOUT, PROBLEM_RECORDS, ACCOUNT_REPORT,
        EXPORT_REPORT,
    )
}  # fmt: skip
