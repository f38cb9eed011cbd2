"""Rights and roles as data (HANDBOOK C6). A post gives a person a role at an office; the role gives these
rights there.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _


class Right(StrEnum):
    """What may be done. Seeing flows down the tree; acting does not."""

    VIEW_STUDENT = "view_student"
    VIEW_CLASS = "view_class"  # roll of a class without identity data
    VIEW_OWN_CLASS = "view_own_class"  # records of the classes one heads
    VIEW_IDENTITY = "view_identity"  # reveal a masked value, with reason
    VIEW_HEALTH = "view_health"
    VIEW_CASE = "view_case"
    FILE = "file_case"
    REVIEW = "review_case"
    DECIDE = "decide_case"
    EDIT_STUDENT = "edit_student"
    MANAGE_CLASS = "manage_class"
    LOOK_UP = "look_up"  # across scope, exact number and name only
    VIEW_LOG = "view_log"
    VIEW_OFFICE = "view_office"
    MANAGE_ACCOUNTS = "manage_accounts"
    ISSUE_NUMBERS = "issue_numbers"
    SET_RULES = "set_rules"
    MANAGE_OFFICES = "manage_offices"  # founding, merging, closing … of schools and offices below
    EXPORT = "export"  # ask for a file of one's own region's data, and collect it
    APPROVE_EXPORT = "approve_export"
    HANDLE_WARNINGS = "handle_warnings"
    CONFIRM_RUN = "confirm_run"  # of a mass act that the breaker held
    PROPOSE_GRANT = "propose_grant"  # a data grant to a receiver outside
    APPROVE_GRANT = "approve_grant"
    GUARDIAN_CODE = "guardian_code"  # hand a guardian the code for the guardians' page
    PROTECT_STUDENT = "protect_student"  # put a pupil under protection, or end it
    OPEN_CAMPAIGN = "open_campaign"  # of the semester's verification, for a province or the nation
    CONFIRM_ROLL = "confirm_roll"  # who of a class is present
    INSPECT = "inspect"  # draw samples of a verification, name offences
    PROMOTE = "promote"  # rehearse and confirm the national promotion
    ARBITRATE = "arbitrate"  # problem records that both sides substantiate
    VIEW_WATCH_LIST = "view_watch_list"  # children whom the dropout control watches over
    REPORT_ABSENCE = "report_absence"
    PUSH_DROPOUT = "push_dropout"  # hand suspected dropouts down to their schools
    VIEW_GROWTH = "view_growth"  # awards, sanctions, evaluation, attendance, aid; never marks or health
    VIEW_MARKS = "view_marks"
    EDIT_HEALTH = "edit_health"  # fitness and health checks
    VIEW_REPORT = "view_report"


RIGHT_LABELS = {
    Right.VIEW_STUDENT: _("查看学籍"),
    Right.VIEW_CLASS: _("查看班级名单"),
    Right.VIEW_OWN_CLASS: _("查看本班学籍"),
    Right.VIEW_IDENTITY: _("查看证件明文"),
    Right.VIEW_HEALTH: _("查看健康信息"),
    Right.VIEW_CASE: _("查看办件"),
    Right.FILE: _("发起业务"),
    Right.REVIEW: _("领导审核"),
    Right.DECIDE: _("主管部门核办"),
    Right.EDIT_STUDENT: _("维护学籍数据"),
    Right.MANAGE_CLASS: _("维护班级"),
    Right.LOOK_UP: _("全国查重"),
    Right.VIEW_LOG: _("查看日志"),
    Right.VIEW_OFFICE: _("查看单位"),
    Right.MANAGE_ACCOUNTS: _("账号与岗位管理"),
    Right.ISSUE_NUMBERS: _("学籍号签发"),
    Right.SET_RULES: _("设定规则"),
    Right.MANAGE_OFFICES: _("办理机构业务"),
    Right.EXPORT: _("申请导出"),
    Right.APPROVE_EXPORT: _("审批导出"),
    Right.HANDLE_WARNINGS: _("处置预警"),
    Right.CONFIRM_RUN: _("确认批量操作"),
    Right.PROPOSE_GRANT: _("拟定对外提供"),
    Right.APPROVE_GRANT: _("审批对外提供"),
    Right.GUARDIAN_CODE: _("发放监护人查询码"),
    Right.PROTECT_STUDENT: _("设定保护对象"),
    Right.OPEN_CAMPAIGN: _("组织学籍核准"),
    Right.CONFIRM_ROLL: _("核对班级名册"),
    Right.INSPECT: _("抽查核准情况"),
    Right.PROMOTE: _("组织升级"),
    Right.ARBITRATE: _("问题学籍仲裁"),
    Right.VIEW_WATCH_LIST: _("查看重点关注名单"),
    Right.REPORT_ABSENCE: _("登记缺勤"),
    Right.PUSH_DROPOUT: _("下发疑似辍学"),
    Right.VIEW_GROWTH: _("查看成长记录"),
    Right.VIEW_MARKS: _("查看成绩摘要"),
    Right.EDIT_HEALTH: _("登记体质健康"),
    Right.VIEW_REPORT: _("查看统计报表"),
}

SCHOOL = ("school",)
BUREAUS = ("township", "county", "city", "province", "nation", "authority")
READERS = ("city", "province", "nation")
# Rights that a dated grant may give to an office outside the own line. Acting rights are never granted this
# way.
GRANTABLE = (Right.VIEW_STUDENT, Right.VIEW_CASE, Right.VIEW_LOG)


@dataclass(frozen=True, slots=True)
class Role:
    """One role: where it exists and what it may do there. `needs_training` is 先培训后上岗 (第二十二条)."""

    code: str
    name: str
    kinds: tuple[str, ...]
    rights: frozenset[Right]
    needs_training: bool = True


def _role(code: str, name: str, kinds: tuple[str, ...], *rights: Right, needs_training: bool = True) -> Role:
    return Role(code, name, kinds, frozenset((*rights, Right.VIEW_OFFICE)), needs_training)


R = Right
ROLES: dict[str, Role] = {
    role.code: role
    for role in (
        _role(
            "registrar", "学籍管理员", SCHOOL,
            R.VIEW_STUDENT, R.VIEW_CLASS, R.VIEW_IDENTITY, R.VIEW_HEALTH, R.VIEW_CASE, R.FILE, R.EDIT_STUDENT,
            R.MANAGE_CLASS, R.LOOK_UP, R.EXPORT, R.GUARDIAN_CODE, R.CONFIRM_ROLL, R.REPORT_ABSENCE,
            R.VIEW_WATCH_LIST, R.VIEW_GROWTH, R.VIEW_MARKS, R.VIEW_REPORT,
        ),
        _role(
            "leader", "学籍主管领导", SCHOOL,
            R.VIEW_STUDENT, R.VIEW_CLASS, R.VIEW_IDENTITY, R.VIEW_CASE, R.REVIEW, R.VIEW_LOG,
            R.APPROVE_EXPORT, R.PROTECT_STUDENT, R.VIEW_WATCH_LIST, R.VIEW_GROWTH, R.VIEW_MARKS,
            R.VIEW_REPORT,
        ),
        _role(
            "head_teacher", "班主任", SCHOOL,
            R.VIEW_OWN_CLASS, R.CONFIRM_ROLL, R.REPORT_ABSENCE, R.VIEW_GROWTH, R.VIEW_MARKS,
            needs_training=False,
        ),
        _role("subject_teacher", "任课教师", SCHOOL, R.VIEW_CLASS, R.VIEW_MARKS, needs_training=False),
        _role(
            "school_doctor", "校医", SCHOOL, R.VIEW_CLASS, R.VIEW_HEALTH, R.EDIT_HEALTH, needs_training=False
        ),
        _role(
            "system_administrator", "系统管理员", (*SCHOOL, *BUREAUS), R.MANAGE_ACCOUNTS, needs_training=False
        ),
        _role("network_administrator", "网络管理员", BUREAUS, needs_training=False),
        _role(
            "reviewer", "审核员", BUREAUS,
            R.VIEW_STUDENT, R.VIEW_CLASS, R.VIEW_IDENTITY, R.VIEW_CASE, R.DECIDE, R.LOOK_UP, R.MANAGE_OFFICES,
            R.EXPORT, R.PROPOSE_GRANT, R.OPEN_CAMPAIGN, R.INSPECT, R.VIEW_WATCH_LIST, R.VIEW_GROWTH,
            R.VIEW_REPORT,
        ),
        _role(
            "bureau_leader", "主管领导", BUREAUS,
            R.VIEW_STUDENT, R.VIEW_CLASS, R.VIEW_CASE, R.REVIEW, R.VIEW_LOG, R.SET_RULES,
            R.APPROVE_EXPORT, R.APPROVE_GRANT, R.PROTECT_STUDENT, R.VIEW_REPORT,
        ),
        _role(
            "auditor", "督查员", READERS,
            R.VIEW_STUDENT, R.VIEW_CLASS, R.VIEW_IDENTITY, R.VIEW_CASE, R.VIEW_LOG, R.EXPORT, R.INSPECT,
            R.VIEW_GROWTH, R.VIEW_REPORT,
            needs_training=False,
        ),
        _role(
            "national_operator", "国家级操作员", ("nation",),
            R.VIEW_STUDENT, R.VIEW_CLASS, R.VIEW_CASE, R.ISSUE_NUMBERS, R.LOOK_UP, R.SET_RULES,
            R.CONFIRM_RUN, R.OPEN_CAMPAIGN, R.PROMOTE, R.ARBITRATE, R.VIEW_REPORT,
            R.PUSH_DROPOUT,
        ),
        _role(
            "security_administrator", "安全管理员", BUREAUS, R.SET_RULES, R.HANDLE_WARNINGS, R.CONFIRM_RUN,
            needs_training=False,
        ),
        _role("audit_administrator", "审计管理员", BUREAUS, R.VIEW_LOG, needs_training=False),
    )
}  # fmt: skip


def roles_with(right: str) -> list[str]:
    """Codes of the roles that hold `right`."""
    return [code for code, role in ROLES.items() if right in role.rights]


# Accounts, policies and logs are in three hands (AC-11); whoever keeps the servers has no status rights
# (R-ACC-10). None of the four holds another office's or her own office's business post besides.
THREE_ADMINISTRATIONS = ("system_administrator", "security_administrator", "audit_administrator")
ADMINISTRATIONS = frozenset((*THREE_ADMINISTRATIONS, "network_administrator"))
