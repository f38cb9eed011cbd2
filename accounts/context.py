"""What the frame of every page shows: navigation by task, the office she acts for, her posts."""

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.notices import unread_in_words
from accounts.roles import Right
from accounts.sign_ins import password_days_left
from config.fence import is_fenced
from config.rules import CATALOGUE_VERSION

# label, route, icon, rights any of which opens it
_NAVIGATION = (
    (_("今日待办"), "home", "home", ()),
    (_("学生"), "registry:students", "students", (Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS)),
    (_("班级"), "registry:classes", "classes", (Right.VIEW_CLASS, Right.VIEW_OWN_CLASS)),
    (_("核对名册"), "verification:rolls", "check", (Right.CONFIRM_ROLL,)),
    (_("新生注册"), "transfers:register", "register", (Right.FILE,)),
    (_("转入与借读"), "transfers:move_in", "switch", (Right.FILE,)),
    (_("批量导入"), "registry:imports", "upload", (Right.FILE,)),
    (_("统一招生"), "enrolling:results", "upload", (Right.DECIDE,)),
    (_("录取学生"), "enrolling:admissions", "register", (Right.FILE,)),
    (_("成长记录导入"), "entries:sheets", "upload", (Right.EDIT_STUDENT, Right.EDIT_HEALTH)),
    (_("照片采集"), "archives:photos", "user", (Right.FILE,)),
    (_("办件"), "transfers:cases", "cases", (Right.VIEW_CASE,)),
    (_("待审队列"), "transfers:queue", "queue", (Right.REVIEW, Right.DECIDE, Right.FILE)),
    (_("超期督办"), "transfers:overdue", "alert", (Right.DECIDE,)),
    (_("办理时效"), "transfers:pace", "clock", (Right.VIEW_CASE,)),
    (_("休学到期"), "transfers:suspensions", "clock", (Right.FILE,)),
    (_("档案移交"), "transfers:handovers", "file", (Right.VIEW_CASE,)),
    (_("借读"), "registry:guests", "students", (Right.VIEW_STUDENT,)),
    (_("直属学校变动"), "registry:host_notes", "switch", (Right.DECIDE,)),
    (_("毕业办理"), "graduation:lists", "file", (Right.VIEW_STUDENT,)),
    (_("问题学籍"), "registry:problems", "problems", (Right.VIEW_STUDENT,)),
    (_("学籍核准"), "verification:home", "check", (Right.VIEW_STUDENT,)),
    (_("缺勤登记"), "dropout:absences", "clock", (Right.REPORT_ABSENCE,)),
    (_("控辍保学"), "dropout:ledgers", "alert", (Right.VIEW_STUDENT,)),
    (_("重点关注"), "dropout:watch_list", "lock", (Right.VIEW_WATCH_LIST,)),
    (_("导出"), "registry:exports", "download", (Right.EXPORT, Right.APPROVE_EXPORT)),
    (_("统计报表"), "reports:index", "rules", (Right.VIEW_REPORT,)),
    (_("单位"), "accounts:offices", "offices", (Right.VIEW_OFFICE,)),
    (_("人员与账号"), "accounts:people", "user", (Right.MANAGE_ACCOUNTS,)),
    (_("待复核的重设"), "accounts:code_requests", "lock", (Right.HANDLE_WARNINGS,)),
    (_("账号封存"), "accounts:sealings", "lock", (Right.MANAGE_ACCOUNTS,)),
    (_("批量操作确认"), "accounts:mass_runs", "alert", (Right.CONFIRM_RUN,)),
    (_("学校与机构"), "transfers:offices_new", "school", (Right.MANAGE_OFFICES,)),
    (_("学年日历"), "year:calendar", "calendar", (Right.VIEW_OFFICE,)),
    (_("统一升级"), "year:promotions", "next", (Right.VIEW_STUDENT, Right.CONFIRM_RUN)),
    (_("规则"), "transfers:rules", "rules", (Right.VIEW_OFFICE,)),
    (_("对外提供"), "exchange:grants", "switch", (Right.PROPOSE_GRANT, Right.APPROVE_GRANT)),
    (_("日志"), "audit:events", "log", (Right.VIEW_LOG,)),
    (_("安全预警"), "audit:warnings", "alert", (Right.HANDLE_WARNINGS,)),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"navigation": [], "is_demo": settings.DEMO, "version": settings.VERSION}
    navigation = [
        {"label": label, "route": route, "icon": icon, "address": reverse(route)}
        for label, route, icon, rights in _NAVIGATION
        if not rights or any(user.holds(right) for right in rights)
    ]
    above = [str(item["address"]) for item in navigation if request.path.startswith(str(item["address"]))]
    return {
        "navigation": navigation,
        "nearest": max(above, key=len, default=""),  # of two entries that lead here the closer one
        "acting_post": user.acting_post,
        "acting_office": user.acting_office,
        "granted_office": user.granted_office,
        "granted_offices": getattr(request, "granted_offices", []),
        "posts": getattr(request, "valid_posts", []),
        "is_demo": settings.DEMO,
        "is_fenced": is_fenced(),
        "password_days": password_days_left(request),
        "version": settings.VERSION,
        "rulebook": CATALOGUE_VERSION,
        "unread": partial(unread_in_words, user),  # asked by the bell alone: fragments have none
    }
