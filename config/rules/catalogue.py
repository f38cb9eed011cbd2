"""Every parameter of the regulation and of local policy (HANDBOOK section F), and the budgets of SECURITY.

Read from top to bottom, this is what a level may decide. Where no source gives a bound, ours is wide
enough for every local rule we know and narrow enough to stop a slip of the keyboard; such lines say so.
"""

from django.utils.translation import gettext_lazy as _

from config.rules.bounds import FREE, add_only, at_least, at_most, between, fixed, one_of, subset_of
from config.rules.parameter import Level, Parameter, Subject

# A value of an office above is the default of those below, so the nation may set whatever a province may.
NATION = frozenset({Level.NATION})
PROVINCE = NATION | {Level.PROVINCE}
PROVINCE_CITY = PROVINCE | {Level.CITY}
PROVINCE_COUNTY = PROVINCE | {Level.COUNTY}
LOCAL = frozenset({Level.PROVINCE, Level.CITY})
EACH = frozenset(Level)

RULE_2013 = "《中小学生学籍管理办法》（教基一〔2013〕7号）"
SYSTEM_GUIDE = "全国中小学生学籍信息管理系统使用指南"
YEARLY_NOTICE = "教育部年度毕业升级工作通知"
CLASS_SIZE_STANDARD = "国家班额标准"
PROTECTION_STANDARD = "《网络安全等级保护基本要求》（GB/T 22239）"
INFORMATION_LAW = "《中华人民共和国个人信息保护法》"

# What happens to a registration that departs from the rule.
STRICTNESS = {"off": _("不检查"), "warn": _("提示"), "block": _("不予受理")}
NATIONAL_KEY_FIELDS = ("name", "sex", "birth_on", "id_type", "id_number", "grade", "class_number")

# One parameter reads as one paragraph.
# fmt: off

# --- Archives and changes --------------------------------------------------------------------------

ARCHIVES = Subject(_("档案与变更"))

ARCHIVE_DEADLINE = Parameter(
    "ARCHIVE_DEADLINE", "第六条", 2, "月", at_most(2), PROVINCE_CITY,
    _("学生首次注册学籍后，学校在两个月内建立学籍档案"),
)
CHANGE_DEADLINE = Parameter(
    "CHANGE_DEADLINE", "第七条", 1, "月", at_most(1), PROVINCE,
    _("升学、转学及其他学籍变动，学校原则上在一个月内更新档案"),
)
ARCHIVE_FOLLOW_DAYS = Parameter(
    "ARCHIVE_FOLLOW_DAYS", f"{RULE_2013}第十五条", 1, "月", at_most(1), NATION,
    _("电子学籍转接后，转出学校在一个月内办结档案移交"),
)
ARCHIVE_RETENTION = Parameter(
    "ARCHIVE_RETENTION", f"{RULE_2013}第九条", "permanent", "", one_of("permanent", "30y", "10y"), PROVINCE,
    _("学生最后终止学业的学校归档保存学籍档案"),
    kind="choice", labels={"permanent": _("永久"), "30y": _("30年"), "10y": _("10年")},
)
KEY_FIELDS = Parameter(
    "KEY_FIELDS", SYSTEM_GUIDE,
    NATIONAL_KEY_FIELDS, "", add_only(NATIONAL_KEY_FIELDS), PROVINCE,
    _("关键数据变更须提交佐证材料并逐级核准，省级可增加关键数据项"),
    kind="choices",
    labels={
        "name": _("姓名"), "sex": _("性别"), "birth_on": _("出生日期"), "id_type": _("身份证件类型"),
        "id_number": _("身份证件号"), "grade": _("年级"), "class_number": _("班级"),
        "ethnic_group": _("民族"), "nationality": _("国籍/地区"), "overseas_status": _("港澳台侨外"),
        "birthplace": _("出生地"), "native_place": _("籍贯"), "hukou_type": _("户口性质"),
        "hukou_division": _("户口所在地"), "attendance_mode": _("就读方式"),
    },
)
REGISTRATION_STEP_DAYS = Parameter(
    # No article gives a clock for 学籍注册: ten working days a step is our default, after the transfer's.
    "REGISTRATION_STEP_DAYS", "第六条", 10, "工作日", at_most(10), PROVINCE,
    _("学籍注册每一环节在十个工作日内核办；办法未定时限，本系统参照转学执行"),
)
DISPUTE_ANSWER_DAYS = Parameter(
    # The law asks for an answer with a reason and gives no term: fifteen working days is our default.
    "DISPUTE_ANSWER_DAYS", f"{INFORMATION_LAW}第五十条", 15, "工作日", at_most(15), PROVINCE,
    _("监护人对学籍信息提出异议的，学校在十五个工作日内核实并答复，不予采纳的说明理由"),
)

# --- Entry, classes, quota -------------------------------------------------------------------------

ENTRY = Subject(_("入学、班额与学籍总量"))

ENTRY_AGE = Parameter(
    "ENTRY_AGE", "《中华人民共和国义务教育法》第十一条", 6, "岁", between(6, 7), PROVINCE,
    _("年满六周岁的儿童入学，条件不具备的地区可以推迟到七周岁"),
)
ENTRY_CUTOFF = Parameter(
    "ENTRY_CUTOFF", "《中华人民共和国义务教育法》第十一条", "0831", "", FREE, PROVINCE,
    _("小学一年级新生在截止日（含当日）前须达到入学年龄，截止日由省级规定"),
    kind="month_day",
)
# Intake up to 55, for 56 is a large class (大班额); at most 65, for 66 is super-large: two national lines.
CLASS_SIZE_INTAKE_PRIMARY = Parameter(
    "CLASS_SIZE_INTAKE_PRIMARY", CLASS_SIZE_STANDARD, 45, "人", at_most(55), PROVINCE_COUNTY,
    _("小学起始年级编班时的班额"),
)
CLASS_SIZE_INTAKE_JUNIOR = Parameter(
    "CLASS_SIZE_INTAKE_JUNIOR", CLASS_SIZE_STANDARD, 50, "人", at_most(55), PROVINCE_COUNTY,
    _("初中起始年级编班时的班额"),
)
CLASS_SIZE_INTAKE_SENIOR = Parameter(
    "CLASS_SIZE_INTAKE_SENIOR", CLASS_SIZE_STANDARD, 50, "人", at_most(55), PROVINCE_COUNTY,
    _("普通高中起始年级编班时的班额"),
)
CLASS_SIZE_MAX_PRIMARY = Parameter(
    "CLASS_SIZE_MAX_PRIMARY", CLASS_SIZE_STANDARD, 55, "人", at_most(65), PROVINCE_COUNTY,
    _("小学班级在转入、复学后的最大人数"),
)
CLASS_SIZE_MAX_SECONDARY = Parameter(
    "CLASS_SIZE_MAX_SECONDARY", CLASS_SIZE_STANDARD, 60, "人", at_most(65), PROVINCE_COUNTY,
    _("初中、普通高中班级在转入、复学后的最大人数"),
)
QUOTA_ENABLED = Parameter(
    "QUOTA_ENABLED", "地方学籍总量规定", False, "", FREE, LOCAL,
    _("是否按学校和学段控制学籍总量"),
    kind="bool",
)
QUOTA = Parameter(
    "QUOTA", "地方学籍总量规定", 0, "人", at_least(0), LOCAL,
    _("学校一个学段的学籍总量；启用总量控制而未核定的为零"),
)

# --- Intake of new pupils (terms that no article gives: bounds are ours) ----------------------------

INTAKE = Subject(_("招生与新生注册"))

INTAKE_PLAN = Parameter(
    "INTAKE_PLAN", "地方招生入学规定", "warn", "", one_of("warn", "off", "block"), EACH,
    _("新生注册人数超出学校招生计划数时的处理"),
    kind="choice", labels=STRICTNESS,
)
BASE_LIST_MATCH = Parameter(
    "BASE_LIST_MATCH", "地方招生入学规定", "off", "", one_of("off", "warn", "block"), PROVINCE_COUNTY,
    _("初中新生不在小升初底表时的处理"),
    kind="choice", labels=STRICTNESS,
)
AUXILIARY_NUMBERS = Parameter(
    "AUXILIARY_NUMBERS", "地方学籍管理规定", False, "", FREE, PROVINCE_COUNTY,
    _("按班级编制学籍辅号（班级代码加三位序号），终身不变"),
    kind="bool",
)
PLACEMENT_REGISTERS = Parameter(
    "PLACEMENT_REGISTERS", "地方招生入学规定", False, "", FREE, PROVINCE,
    _("招生平台录取的新生编班后即提交学籍注册"),
    kind="bool",
)
PLACEMENT_DAYS = Parameter(
    "PLACEMENT_DAYS", "地方招生入学规定", 10, "工作日", at_most(20), PROVINCE,
    _("学校在开学后规定的时间内完成新生编班"),
)
DEFER_APPLY_DAYS = Parameter(
    "DEFER_APPLY_DAYS", "地方学籍管理规定", 5, "工作日", at_most(20), PROVINCE,
    _("监护人在开学后规定的时间内持证明申请延期注册"),
)
REGISTRATION_CLOSES = Parameter(
    "REGISTRATION_CLOSES", "地方学籍管理规定", "0930", "", FREE, PROVINCE_COUNTY,
    _("起始年级新生注册的截止日（含当日），此后及其他年级的注册按补录办理"),
    kind="month_day",
)

# --- Transfers, calendar of the year ---------------------------------------------------------------

TRANSFERS = Subject(_("转学与全年日历"))

TRANSFER_STEP_DAYS = Parameter(
    "TRANSFER_STEP_DAYS", "第十五条", 10, "工作日", at_most(10), PROVINCE,
    _("转学的每一方在十个工作日内核办"),
)
TRANSFER_WINDOWS = Parameter(
    "TRANSFER_WINDOWS", "第十五条", ("term-7..term+14",), "", FREE, EACH,
    _("转学在规定的时间内办理"),
    kind="windows",
)
ENROLMENT_WINDOWS = Parameter(
    "ENROLMENT_WINDOWS", YEARLY_NOTICE, ("0815..1214", "0301..0531"), "", FREE, NATION,
    _("毕业后跨省就学在规定的时间内办理"),
    kind="windows",
)
TRANSFER_FREEZE = Parameter(
    "TRANSFER_FREEZE", YEARLY_NOTICE, "0715..0814", "", FREE, NATION,
    _("升级前后暂停受理转学，已受理的继续办理"),
    kind="period",
)
GRADUATING_FREEZE = Parameter(
    "GRADUATING_FREEZE", YEARLY_NOTICE, "0701..0814", "", FREE, NATION,
    _("毕业年级暂停受理新的学籍业务"),
    kind="period",
)
GRADUATING_CLEAN_ON = Parameter(
    "GRADUATING_CLEAN_ON", YEARLY_NOTICE, "0715", "", FREE, NATION,
    _("毕业年级停办后仍未办结的业务，到这一天由系统清理，学生恢复到办理前的状态"),
    kind="month_day",
)
GRADUATION_WINDOW = Parameter(
    # HANDBOOK A7.4; a province that graduates its seniors in June sets days of its own.
    "GRADUATION_WINDOW", YEARLY_NOTICE, "0720..0730", "", FREE, PROVINCE,
    _("毕业名单在规定的时间内提交、确认和申请"),
    kind="period",
)
PROMOTION_AT = Parameter(
    "PROMOTION_AT", YEARLY_NOTICE, "0810 24:00", "", FREE, NATION,
    _("非毕业年级由全国系统统一升级"),
    kind="moment",
)
SCHOOLING = Parameter(
    # R-GRD-09: what a school declares is compared with it; a school without grade 6 still declares six years.
    "SCHOOLING", "第五条", "6-3", "", one_of("6-3", "5-4"), PROVINCE_COUNTY | {Level.CITY},
    _("本地小学、初中的学制，学校的学制应与此一致"),
    kind="choice", labels={"6-3": _("六三制"), "5-4": _("五四制")},
)
PROMOTION_UNDO_DAYS = Parameter(
    # The sources say "a few days" (R-GRD-10): ten are ours.
    "PROMOTION_UNDO_DAYS", YEARLY_NOTICE, 10, "日", between(1, 30), NATION,
    _("统一升级后，主管部门可在此期间内撤销一所学校的升级"),
)
YEAR_NOTICE_DAYS = Parameter(
    "YEAR_NOTICE_DAYS", YEARLY_NOTICE, 14, "日", between(1, 60), NATION,
    _("停办和统一升级前多少天在页面上提示"),
)
ROUTE_EXTRA_LEVELS = Parameter(
    "ROUTE_EXTRA_LEVELS", "第五条", (), "",
    subset_of("township", "city_senior", "province_across"), PROVINCE_COUNTY,
    _("在法定环节之外增加的核办层级"),
    kind="choices",
    labels={
        "township": _("乡镇（中心校）"),
        "city_senior": _("普通高中报地市核办"),
        "province_across": _("跨省报省级核办"),
    },
)
# What is refused unless a locality says otherwise (HANDBOOK R-TRF-11): Beijing's four cases and the like.
TRANSFER_BAN_GRADUATING = Parameter(
    "TRANSFER_BAN_GRADUATING", "地方学籍管理规定", True, "", FREE, PROVINCE,
    _("毕业年级学生不予转学"),
    kind="bool",
)
TRANSFER_BAN_FIRST_TERM = Parameter(
    "TRANSFER_BAN_FIRST_TERM", "地方学籍管理规定", True, "", FREE, PROVINCE,
    _("起始年级第一学期的学生不予转学"),
    kind="bool",
)
TRANSFER_BAN_MID_TERM = Parameter(
    "TRANSFER_BAN_MID_TERM", "地方学籍管理规定", "windows", "", one_of("windows", "off"), PROVINCE_COUNTY,
    _("学期中途不予转学，转学只在规定的时间内受理"),
    kind="choice", labels={"windows": _("只在转学窗口内受理"), "off": _("停办期以外随时受理")},
)
TRANSFER_BAN_SANCTION = Parameter(
    "TRANSFER_BAN_SANCTION", "地方学籍管理规定", True, "", FREE, PROVINCE,
    _("受纪律处分尚未解除的学生不予转学"),
    kind="bool",
)
TRANSFER_BAN_SAME_CATCHMENT = Parameter(
    "TRANSFER_BAN_SAME_CATCHMENT", "地方学籍管理规定", True, "", FREE, PROVINCE_COUNTY,
    _("同一学区（服务片区）内不予转学"),
    kind="bool",
)
# The extra checks of two grounds (HANDBOOK A5.4); the bounds are ours.
HUKOU_MONTHS = Parameter(
    "HUKOU_MONTHS", "地方学籍管理规定", 12, "月", between(0, 36), PROVINCE,
    _("回户籍地就读的，户口为独立户或者挂靠户的须已在当地落户满规定的时间"),
)
BUSINESS_MONTHS = Parameter(
    "BUSINESS_MONTHS", "地方学籍管理规定", 12, "月", between(0, 36), PROVINCE,
    _("监护人经商办企业的，须已在学区内经营满规定的时间"),
)

# --- Suspension, absence, repetition, death (bounds of months, weeks and share are ours) -----------

CHANGES = Subject(_("休学、缺课、留级与核准"))

SUSPENSION_MONTHS = Parameter(
    "SUSPENSION_MONTHS", f"{RULE_2013}第十二条", 12, "月", between(1, 24), PROVINCE,
    _("一次休学的期限"),
)
SUSPENSION_MONTHS_MAX = Parameter(
    "SUSPENSION_MONTHS_MAX", f"{RULE_2013}第十二条", 24, "月", between(1, 36), PROVINCE,
    _("连续休学的最长期限"),
)
SUSPENSION_WARN_DAYS = Parameter(
    "SUSPENSION_WARN_DAYS", f"{RULE_2013}第十二条", 15, "工作日", between(1, 60), PROVINCE,
    _("休学期满前提醒监护人办理复学或续休"),
)
SUSPENSION_ILLNESS_DAYS = Parameter(
    # HANDBOOK R-CHG-02: about three months' absence; the article leaves it to the province.
    "SUSPENSION_ILLNESS_DAYS", f"{RULE_2013}第十二条", 90, "日", between(0, 180), PROVINCE,
    _("因病休学的，诊断须休养的时间一般不少于三个月"),
)
SUSPENSION_INFECTIOUS_MONTHS = Parameter(
    # HANDBOOK R-CHG-03 (Shandong): over half a year under treatment.
    "SUSPENSION_INFECTIOUS_MONTHS", "地方学籍管理规定", 6, "月", between(1, 12), PROVINCE,
    _("患传染病治疗时间超过规定期限的，由学校提出休学"),
)
SUSPENSION_ANSWER_DAYS = Parameter(
    # HANDBOOK R-CHG-06.
    "SUSPENSION_ANSWER_DAYS", "地方学籍管理规定", 10, "工作日", at_most(10), PROVINCE,
    _("学校在收到休学申请后规定的时间内答复"),
)
CHANGE_STEP_DAYS = Parameter(
    # No article gives a clock for the other changes: ten working days a step is our default, as for
    # registration.
    "CHANGE_STEP_DAYS", "第七条", 10, "工作日", at_most(10), PROVINCE,
    _("转学以外的学籍变动每一环节在十个工作日内核办；办法未定时限，本系统参照转学执行"),
)
PROBLEM_DAYS = Parameter(
    # HANDBOOK A9 gives no clock: ten working days, as for every other step of the school.
    "PROBLEM_DAYS", "第九条", 10, "工作日", at_most(30), PROVINCE,
    _("学校在问题学籍发现后规定的时间内提出佐证、变更或删除"),
)
ARBITRATION_DAYS = Parameter(
    "ARBITRATION_DAYS", "第九条", 20, "工作日", at_most(60), NATION,
    _("双方均已佐证的问题学籍，由国家级在规定的时间内裁定"),
)
LEAVER_APPROVAL = Parameter(
    # HANDBOOK H 12: no source says whether the county decides or takes note.
    "LEAVER_APPROVAL", f"{RULE_2013}第十二条", "approve", "", one_of("approve", "file"), PROVINCE,
    _("死亡、失踪、其他离校经学校办理后，由学籍主管部门核准或者备案"),
    kind="choice", labels={"approve": _("核准"), "file": _("备案")},
)
DROPOUT_WEEKS = Parameter(
    "DROPOUT_WEEKS", f"{RULE_2013}第二十二条", 4, "周", between(1, 8), PROVINCE,
    _("义务教育阶段学生无故连续缺课且联系不上的，按疑似辍学处理"),
)
DROPOUT_WARN_DAYS = Parameter(
    # No article says when a school is reminded before the four weeks are over: a week is our default.
    "DROPOUT_WARN_DAYS", f"{RULE_2013}第二十二条", 7, "日", between(1, 28), PROVINCE,
    _("未请假缺勤达到规定天数的，提醒学校联系家长并登记劝返"),
)
DROPOUT_REPORT_DAYS = Parameter(
    # "At once" in writing: one working day is our reading.
    "DROPOUT_REPORT_DAYS", "第二十六条", 1, "工作日", at_most(3), PROVINCE,
    _("学校发现疑似辍学后及时书面报告乡镇、县级教育行政部门和学籍主管部门"),
)
DROPOUT_ANSWER_DAYS = Parameter(
    "DROPOUT_ANSWER_DAYS", f"{RULE_2013}第二十二条", 10, "工作日", at_most(20), NATION,
    _("上级下发的疑似辍学名单，学校在规定时间内核查答复"),
)
DROPOUT_REPORT_DUE_DAYS = Parameter(
    "DROPOUT_REPORT_DUE_DAYS", f"{RULE_2013}第二十二条", 10, "日", at_most(30), PROVINCE,
    _("月报、季度核查、学期和学年报告在期末后规定的时间内签报，没有辍学的也须零报告"),
)
COMPULSORY_END_AGE = Parameter(
    # The law counts nine years, not an age; the ledger needs a day: the school year in which a child is 16.
    "COMPULSORY_END_AGE", "《中华人民共和国义务教育法》第二条", 16, "岁", between(15, 18), PROVINCE,
    _("辍学台账保留到义务教育年限结束：满规定年龄的学年末"),
)
HOUSEHOLD_LIST_DAYS = Parameter(
    "HOUSEHOLD_LIST_DAYS", f"{INFORMATION_LAW}第十九条", 90, "日", at_most(180), NATION,
    _("导入的户籍比对名单只保留规定的时间，期满删除"),
)
REPEAT_SHARE_S2 = Parameter(
    "REPEAT_SHARE_S2", f"{RULE_2013}第十二条", 2, "%", between(0, 10), PROVINCE,
    _("普通高中二年级留级学生占年级人数的最高比例"),
)
REPEAT_COMPULSORY = Parameter(
    # HANDBOOK R-CHG-01, A6.1: never by order; Hainan alone allows it on request.
    "REPEAT_COMPULSORY", f"{RULE_2013}第十二条", False, "", FREE, PROVINCE,
    _("义务教育阶段经监护人申请可以留级"),
    kind="bool",
)
REPEAT_MOST = Parameter(
    "REPEAT_MOST", f"{RULE_2013}第十二条", 2, "次", at_most(2), PROVINCE,
    _("学生在同一年级留级的最多次数"),
)
REPEAT_APPLY_DAYS = Parameter(
    "REPEAT_APPLY_DAYS", f"{RULE_2013}第十二条", 10, "工作日", between(1, 60), PROVINCE,
    _("监护人在学年结束前规定的时间提出留级申请"),
)
SKIP_ALLOWED = Parameter(
    "SKIP_ALLOWED", f"{RULE_2013}第十二条", False, "", FREE, PROVINCE,
    _("学生可以在学年初申请跳级"),
    kind="bool",
)
GUEST_STUDY = Parameter(
    "GUEST_STUDY", "地方学籍管理规定", True, "", FREE, PROVINCE_COUNTY,
    _("可以接收借读生，学籍保留在原学校"),
    kind="bool",
)
# When a senior school may begin an automatic withdrawal (HANDBOOK R-CHG-05, Hunan and Shandong): a province
# may only wait longer; the upper bounds are ours.
OVERAGE_WITHDRAWAL = Parameter(
    "OVERAGE_WITHDRAWAL", f"{RULE_2013}第十二条", 20, "岁", between(20, 25), PROVINCE,
    _("普通高中学生多次留级且超过规定年龄的，按自动退学处理"),
)
TRUANCY_DAYS_CONTINUOUS = Parameter(
    "TRUANCY_DAYS_CONTINUOUS", f"{RULE_2013}第十二条", 15, "日", between(15, 60), PROVINCE,
    _("普通高中学生一学期内连续旷课满规定天数，学校联系无果的，按自动退学处理"),
)
TRUANCY_DAYS_TERM = Parameter(
    "TRUANCY_DAYS_TERM", f"{RULE_2013}第十二条", 45, "日", between(45, 90), PROVINCE,
    _("普通高中学生一学期内累计旷课满规定天数，学校联系无果的，按自动退学处理"),
)
SUSPENSION_EXPIRED_MONTHS = Parameter(
    "SUSPENSION_EXPIRED_MONTHS", f"{RULE_2013}第十二条", 1, "月", between(1, 24), PROVINCE,
    _("普通高中学生休学期满后规定时间内未申请复学的，按自动退学处理"),
)
DEATH_CANCEL_DAYS = Parameter(
    "DEATH_CANCEL_DAYS", f"{RULE_2013}第二十一条", 10, "工作日", fixed(10), NATION,
    _("学生死亡的，学校凭证明在十个工作日内注销学籍"),
)
VERIFY_PER_SEMESTER = Parameter(
    "VERIFY_PER_SEMESTER", "第二十五条", 1, "次", at_least(1), NATION,
    _("学校每学期至少核准一次全体学生的学籍"),
)
VERIFY_FINDING_DAYS = Parameter(
    # No source gives a term: ten working days are ours, as for a step.
    "VERIFY_FINDING_DAYS", "第二十五条", 10, "工作日", between(1, 30), PROVINCE_COUNTY,
    _("学校在规定的时间内为核准发现的问题定出整改计划"),
)
VERIFY_SAMPLE_PERCENT = Parameter(
    "VERIFY_SAMPLE_PERCENT", "第二十五条", 5, "%", between(1, 100), PROVINCE_CITY,
    _("上级抽查核准结果时，在抽中的学校抽取学生的比例"),
)
VERIFY_SAMPLE_SCHOOLS = Parameter(
    # What an inspection can visit; ours.
    "VERIFY_SAMPLE_SCHOOLS", "第二十五条", 10, "个", between(1, 100), PROVINCE_CITY,
    _("上级每次抽查核准结果最多抽取的学校"),
)

# --- Accounts and what a person may look at --------------------------------------------------------

ACCOUNTS = Subject(_("账号与查阅"))

ACCOUNT_SEAL_DAYS = Parameter(
    "ACCOUNT_SEAL_DAYS", "第二十四条", 180, "日", at_most(180), NATION,
    _("半年以上未使用的账号封存"),
)
ACCOUNT_SEAL_NOTICE_DAYS = Parameter(
    # No source gives a term for the warning; two weeks are ours.
    "ACCOUNT_SEAL_NOTICE_DAYS", "第二十四条", 14, "日", between(7, 30), NATION,
    _("账号因长期未使用被封存前多少天提醒"),
)
MASS_RUN_RECORDS = Parameter(
    # SECURITY RE-4, as the three that follow; a level may only stop earlier.
    "MASS_RUN_RECORDS", PROTECTION_STANDARD, 5000, "条", between(1, 5000), NATION,
    _("自动封存、清理和到期处理一次涉及的数据超过此数的，须由两人确认"),
)
MASS_RUN_PERCENT = Parameter(
    "MASS_RUN_PERCENT", PROTECTION_STANDARD, 1, "%", at_most(1), NATION,
    _("自动封存一次涉及的账号超过全部账号此比例的，须由两人确认"),
)
MASS_RUN_HANDFUL = Parameter(
    # A country has a million accounts; where there are fifty, one of them is already 2 %.
    "MASS_RUN_HANDFUL", PROTECTION_STANDARD, 5, "个", at_most(5), NATION,
    _("自动封存一次涉及的账号不超过此数的，不论比例"),
)
BACKUP_KEEP_DAYS = Parameter(
    "BACKUP_KEEP_DAYS", PROTECTION_STANDARD, 30, "日", between(7, 180), NATION,
    _("数据库和材料的备份保留的时间"),
)
BACKUP_AGE_DAYS = Parameter(
    # SECURITY RE-6 and RE-7: daily, and monthly.
    "BACKUP_AGE_DAYS", PROTECTION_STANDARD, 1, "日", at_most(1), NATION,
    _("两次完整备份之间最长的间隔"),
)
DRILL_AGE_DAYS = Parameter(
    "DRILL_AGE_DAYS", PROTECTION_STANDARD, 31, "日", at_most(31), NATION,
    _("两次恢复演练之间最长的间隔"),
)
CLOCK_JUMP_MINUTES = Parameter(
    "CLOCK_JUMP_MINUTES", PROTECTION_STANDARD, 5, "分钟", between(1, 5), NATION,
    _("数据库时间在两次心跳之间跳变超过此数的，暂停自动封存、清理和到期处理"),
)
PASSWORD_DAYS = Parameter(
    # The article gives no interval; ninety days is our promise (SECURITY AC-2), a province only shortens it.
    "PASSWORD_DAYS", "第二十四条", 90, "日", at_most(90), PROVINCE,
    _("定期更换密码"),
)
PASSWORD_WARN_DAYS = Parameter(
    "PASSWORD_WARN_DAYS", "第二十四条", 14, "日", between(7, 30), PROVINCE,
    _("密码到期前多少天开始提醒"),
)
PASSWORD_LENGTH = Parameter(
    "PASSWORD_LENGTH", PROTECTION_STANDARD, 12, "字", fixed(12), NATION,
    _("密码的最短长度；不足二十个字的还须包含四类字符中的三类"),
)
PASSWORD_HISTORY = Parameter(
    "PASSWORD_HISTORY", PROTECTION_STANDARD, 5, "个", fixed(5), NATION,
    _("最近用过的多少个密码不得再用"),
)
# How the door is kept (SECURITY AC-5, AC-6): a province may be stricter, never laxer.
SIGN_IN_FAILURES = Parameter(
    "SIGN_IN_FAILURES", PROTECTION_STANDARD, 5, "次", between(3, 5), NATION,
    _("一个账号连续登录失败多少次后须等待"),
)
ADDRESS_FAILURES = Parameter(
    # A whole school stands behind one address.
    "ADDRESS_FAILURES", PROTECTION_STANDARD, 20, "次", between(10, 50), NATION,
    _("一个网络地址连续登录失败多少次后，未在该处登录过的账号须等待"),
)
SIGN_IN_WAIT = Parameter(
    "SIGN_IN_WAIT", PROTECTION_STANDARD, 15, "分钟", between(15, 60), NATION,
    _("登录失败过多时的等待时间；每再失败一次加倍"),
)
SIGN_IN_WAIT_MOST = Parameter(
    "SIGN_IN_WAIT_MOST", PROTECTION_STANDARD, 60, "分钟", fixed(60), NATION,
    _("登录失败后最长的等待时间；任何人都不能使别人的账号一直不能登录"),
)
SIGN_IN_IDLE = Parameter(
    "SIGN_IN_IDLE", PROTECTION_STANDARD, 30, "分钟", at_most(30), PROVINCE,
    _("没有操作多久后登录结束"),
)
SIGN_IN_IDLE_HIGH = Parameter(
    "SIGN_IN_IDLE_HIGH", PROTECTION_STANDARD, 15, "分钟", at_most(15), PROVINCE,
    _("省级及以上人员和各类管理员没有操作多久后登录结束"),
)
SIGN_IN_HOURS = Parameter(
    "SIGN_IN_HOURS", PROTECTION_STANDARD, 12, "小时", at_most(12), PROVINCE,
    _("一次登录最长的时间"),
)
STEP_UP_MINUTES = Parameter(
    "STEP_UP_MINUTES", PROTECTION_STANDARD, 5, "分钟", fixed(5), NATION,
    _("办理高风险事项前的再次验证在多长时间内有效"),
)
TRAINING_VALID_DAYS = Parameter(
    # Two years, counted in days so that 29 February has a yesterday (SECURITY AC-10).
    "TRAINING_VALID_DAYS", "第二十二条", 730, "日", fixed(730), NATION,
    _("先培训后上岗，培训记录在此期间内有效"),
)
TRAINING_WARN_DAYS = Parameter(
    "TRAINING_WARN_DAYS", "第二十二条", 60, "日", between(7, 180), PROVINCE,
    _("培训记录到期前多少天提醒本人和上级单位"),
)
ONE_USE_CODE_HOURS = Parameter(
    # SECURITY AC-4; the article only asks that accounts be kept safe.
    "ONE_USE_CODE_HOURS", "第二十四条", 24, "小时", at_most(24), PROVINCE,
    _("首次登录和重设用的一次性验证码自发放起的有效时间"),
)
GRANT_MOST_DAYS = Parameter(
    # No source gives a length: half a year is ours, and nobody looks on for more than one.
    "GRANT_MOST_DAYS", "第二十四条", 180, "日", at_most(366), PROVINCE,
    _("一项临时授权的最长期限"),
)
ACCOUNT_LIST_ROWS = Parameter(
    "ACCOUNT_LIST_ROWS", PROTECTION_STANDARD, 500, "行", at_most(2000), NATION,
    _("一份批量建立账号的表格的行数"),
)
UPLOAD_KEEP_DAYS = Parameter(
    "UPLOAD_KEEP_DAYS", "第二十四条", 7, "日", at_most(7), PROVINCE,
    _("已上传而未随业务提交的材料保留的时间"),
)
REVEAL_SECONDS = Parameter(
    "REVEAL_SECONDS", "第二十四条", 60, "秒", at_most(60), PROVINCE,
    _("敏感信息明文显示的时间"),
)
REVEALS_PER_HOUR = Parameter(
    "REVEALS_PER_HOUR", "第二十四条", 60, "次", at_most(60), PROVINCE,
    _("每人每小时查看敏感信息明文的次数"),
)
REVEALS_PER_DAY = Parameter(
    "REVEALS_PER_DAY", "第二十四条", 200, "次", at_most(200), PROVINCE,
    _("每人每日查看敏感信息明文的次数"),
)
RECORDS_PER_HOUR = Parameter(
    "RECORDS_PER_HOUR", "第二十四条", 300, "条", at_most(300), PROVINCE,
    _("每人每小时查阅学籍记录的数量"),
)
RECORDS_PER_DAY = Parameter(
    "RECORDS_PER_DAY", "第二十四条", 1500, "条", at_most(1500), PROVINCE,
    _("每人每日查阅学籍记录的数量"),
)
LOOKUPS_PER_HOUR = Parameter(
    "LOOKUPS_PER_HOUR", "第二十四条", 30, "次", at_most(30), PROVINCE,
    _("每人每小时跨管理范围查重的次数"),
)
LOOKUPS_PER_DAY = Parameter(
    "LOOKUPS_PER_DAY", "第二十四条", 100, "次", at_most(100), PROVINCE,
    _("每人每日跨管理范围查重的次数"),
)
BUDGET_NOTICE_PERCENT = Parameter(
    "BUDGET_NOTICE_PERCENT", "第二十四条", 80, "%", between(10, 80), PROVINCE,
    _("查阅限额使用到此比例时提醒本人"),
)
BUDGET_EXTRA_PERCENT = Parameter(
    # After a second factor the budget is stretched once by this share, then refused (SECURITY RD-6).
    "BUDGET_EXTRA_PERCENT", "第二十四条", 20, "%", between(0, 20), PROVINCE,
    _("限额用尽后经再次验证身份可延展的比例"),
)
REVEALS_STEP_UP = Parameter(
    "REVEALS_STEP_UP", "第二十四条", 10, "次", at_most(10), PROVINCE,
    _("每小时查看敏感信息明文超过此次数须再次验证身份"),
)

PROTECTION_DAYS = Parameter(
    # No source gives a length: a year is ours, then two persons look at it again.
    "PROTECTION_DAYS", "《未成年人网络保护条例》第三十六条", 366, "日", between(1, 366), PROVINCE,
    _("一名学生列为保护对象的最长期限，到期须重新提出和确认"),
)
REVEAL_SECOND_MINUTES = Parameter(
    "REVEAL_SECOND_MINUTES", "第二十四条", 60, "分钟", at_most(60), PROVINCE,
    _("查看保护对象明文的申请须在此时间内由另一人同意并使用"),
)

# --- Early warning (SECURITY 11): a province may tighten, never loosen -----------------------------

WARNINGS = Subject(_("预警"))

W3_REVEALS = Parameter(
    "W3_REVEALS", "第二十三条", 10, "次", at_most(10), PROVINCE,
    _("一人在规定分钟数内查看明文达到此次数即预警"),
)
W3_MINUTES = Parameter(
    "W3_MINUTES", "第二十三条", 10, "分钟", between(10, 60), PROVINCE,
    _("累计查看明文次数的分钟数"),
)
W5_LOOKUPS = Parameter(
    "W5_LOOKUPS", "第二十三条", 20, "次", at_most(20), PROVINCE,
    _("一人一日跨范围查重超过此次数即预警"),
)
W5_WITHOUT_CASE = Parameter(
    "W5_WITHOUT_CASE", "第二十三条", 5, "次", at_most(5), PROVINCE,
    _("一人一日连续查重而没有随后的办件，达到此次数即预警"),
)
W7_FAILURES = Parameter(
    "W7_FAILURES", "第二十三条", 20, "次", at_most(20), PROVINCE,
    _("一个单位的账号在规定分钟数内登录失败达到此次数即预警"),
)
W7_ACCOUNTS = Parameter(
    "W7_ACCOUNTS", "第二十三条", 5, "个", at_most(5), PROVINCE,
    _("同一地址在规定分钟数内登录失败的账号达到此数即预警"),
)
W7_MINUTES = Parameter(
    "W7_MINUTES", "第二十三条", 10, "分钟", between(10, 60), PROVINCE,
    _("累计登录失败的分钟数"),
)
W9_MINUTES = Parameter(
    "W9_MINUTES", "第二十三条", 10, "分钟", between(10, 60), PROVINCE,
    _("经办人与审核领导先后在同一设备上登录，间隔不超过此分钟数即预警"),
)
W14_DAYS = Parameter(
    "W14_DAYS", "第二十四条", 30, "日", between(7, 90), PROVINCE,
    _("一项对外提供到期前多少天预警"),
)
WARNING_HINT_HOURS = Parameter(
    "WARNING_HINT_HOURS", "第二十三条", 24, "小时", at_most(24), PROVINCE,
    _("提示级预警的处置时限，逾期报上一级"),
)
WARNING_HOURS = Parameter(
    "WARNING_HOURS", "第二十三条", 4, "小时", at_most(4), PROVINCE,
    _("预警级预警的处置时限，逾期报上一级"),
)
WARNING_SEVERE_HOURS = Parameter(
    "WARNING_SEVERE_HOURS", "第二十三条", 1, "小时", at_most(1), PROVINCE,
    _("严重级预警的处置时限，逾期报上一级"),
)
LOG_SILENT_HOURS = Parameter(
    # Checkpoints are signed every hour (SECURITY AU-4, W15).
    "LOG_SILENT_HOURS", "第二十三条", 2, "小时", at_most(2), NATION,
    _("日志多久没有签署检查点即预警"),
)

# --- Images (at most 2 MB and 60 KB; the photo's size in pixels has bounds of ours) ----------------

IMAGES = Subject(_("材料与照片文件"))

EVIDENCE_MAX_KB = Parameter(
    "EVIDENCE_MAX_KB", SYSTEM_GUIDE, 2048, "KB", at_most(2048), NATION,
    _("佐证材料每个文件的大小，格式为JPG、JPEG、PNG或PDF"),
)
EVIDENCE_PDF_PAGES = Parameter(
    "EVIDENCE_PDF_PAGES", PROTECTION_STANDARD, 20, "页", at_most(20), NATION,
    _("一份PDF佐证材料的页数"),
)
PHOTO_MAX_KB = Parameter(
    "PHOTO_MAX_KB", "全国中小学生学籍照片采集要求", 60, "KB", at_most(60), NATION,
    _("学籍照片文件的大小"),
)
PHOTO_WIDTH = Parameter(
    "PHOTO_WIDTH", "全国中小学生学籍照片采集要求", 260, "像素", between(130, 1040), NATION,
    _("学籍照片的宽度"),
)
PHOTO_HEIGHT = Parameter(
    "PHOTO_HEIGHT", "全国中小学生学籍照片采集要求", 320, "像素", between(160, 1280), NATION,
    _("学籍照片的高度"),
)
PHOTO_ZIP_MOST = Parameter(
    # One archive a class: far above the largest class, far below what a bomb needs.
    "PHOTO_ZIP_MOST", "全国中小学生学籍照片采集要求", 200, "张", at_most(500), NATION,
    _("一个照片压缩包内的照片数量"),
)
PHOTO_ZIP_MB = Parameter(
    "PHOTO_ZIP_MB", PROTECTION_STANDARD, 20, "MB", at_most(20), NATION,
    _("一个照片压缩包的大小"),
)

# --- Workbooks that are imported (SECURITY FI-2, FI-3: only narrower) -------------------------------

WORKBOOKS = Subject(_("导入的表格文件"))

INTAKE_FILE_MB = Parameter(
    "INTAKE_FILE_MB", PROTECTION_STANDARD, 20, "MB", at_most(20), NATION,
    _("一份导入文件的大小"),
)
INTAKE_ROWS = Parameter(
    "INTAKE_ROWS", PROTECTION_STANDARD, 50_000, "行", at_most(50_000), NATION,
    _("一份导入文件的数据行数"),
)
INTAKE_COLUMNS = Parameter(
    "INTAKE_COLUMNS", PROTECTION_STANDARD, 200, "列", between(80, 200), NATION,
    _("导入文件中一个工作表的列数"),
)
INTAKE_CELL_CHARACTERS = Parameter(
    "INTAKE_CELL_CHARACTERS", PROTECTION_STANDARD, 32_767, "字", between(1000, 32_767), NATION,
    _("导入文件中一个单元格的字数"),
)
INTAKE_PARTS = Parameter(
    "INTAKE_PARTS", PROTECTION_STANDARD, 200, "个", between(20, 200), NATION,
    _("导入文件压缩包内的条目数"),
)
INTAKE_UNPACKED_MB = Parameter(
    "INTAKE_UNPACKED_MB", PROTECTION_STANDARD, 200, "MB", at_most(200), NATION,
    _("导入文件解压后的大小"),
)
INTAKE_RATIO = Parameter(
    "INTAKE_RATIO", PROTECTION_STANDARD, 100, "倍", between(30, 100), NATION,
    _("导入文件中一个条目解压后与解压前大小之比"),
)
INTAKE_MEMORY_MB = Parameter(
    "INTAKE_MEMORY_MB", PROTECTION_STANDARD, 1024, "MB", between(256, 1024), NATION,
    _("解析导入文件的进程可用的内存"),
)
INTAKE_SECONDS = Parameter(
    "INTAKE_SECONDS", PROTECTION_STANDARD, 60, "秒", between(10, 60), NATION,
    _("解析导入文件的进程可用的处理器时间"),
)
INTAKE_ATTEMPTS = Parameter(
    "INTAKE_ATTEMPTS", PROTECTION_STANDARD, 2, "次", at_most(2), NATION,
    _("解析进程异常退出的导入文件最多解析的次数，此后搁置"),
)

# --- Guardians ---------------------------------------------------------------------------------------

GUARDIANS = Subject(_("监护人查询"))

GUARDIAN_CODE_DAYS = Parameter(
    "GUARDIAN_CODE_DAYS", INFORMATION_LAW, 365, "日", between(1, 365), PROVINCE,
    _("监护人查询码自发放起的有效天数"),
)
GUARDIAN_CODE_TRIES = Parameter(
    "GUARDIAN_CODE_TRIES", INFORMATION_LAW, 5, "次", between(3, 10), PROVINCE,
    _("监护人查询码核对学生身份失败多少次后停用"),
)
GUARDIAN_MINUTES = Parameter(
    "GUARDIAN_MINUTES", INFORMATION_LAW, 15, "分钟", between(5, 30), PROVINCE,
    _("监护人查询页无操作多久后退出"),
)
INSPECTION_HIDDEN_DAYS = Parameter(
    "INSPECTION_HIDDEN_DAYS", INFORMATION_LAW, 90, "日", between(0, 90), PROVINCE,
    _("上级检查时的查看多少天后向监护人显示"),
)

# --- Files of pupils' data inside the own region (SECURITY EX-1, EX-5, AP-6, W1: only narrower) ------

EXPORTS = Subject(_("导出"))

EXPORT_ROWS = Parameter(
    "EXPORT_ROWS", "第二十四条", 200_000, "行", at_most(200_000), PROVINCE,
    _("一次导出的人数"),
)
EXPORTS_PER_DAY = Parameter(
    "EXPORTS_PER_DAY", "第二十四条", 3, "次", at_most(3), PROVINCE,
    _("一人一日申请导出的次数"),
)
EXPORT_DOWNLOADS = Parameter(
    "EXPORT_DOWNLOADS", "第二十四条", 3, "次", at_most(3), PROVINCE,
    _("一份导出文件可以领取的次数"),
)
EXPORT_KEEP_DAYS = Parameter(
    "EXPORT_KEEP_DAYS", "第二十四条", 3, "日", at_most(3), PROVINCE,
    _("导出文件生成后保留的时间，到期删除"),
)
STATISTICS_MIN_CELL = Parameter(
    "STATISTICS_MIN_CELL", INFORMATION_LAW, 10, "人", at_least(10), PROVINCE,
    _("学校以上的统计中，涉及敏感信息而少于此数的格不公布，并同时隐去可推算出它的格"),
)
STATISTICS_DRIFT = Parameter(
    "STATISTICS_DRIFT", "第二十三条", 1, "个", between(1, 100), NATION,
    _("夜间核对更正的汇总数字达到此数即预警"),
)
W1_ROWS = Parameter(
    "W1_ROWS", "第二十三条", 5000, "行", at_most(5000), PROVINCE,
    _("一次导出超过此数即预警"),
)
W1_EXPORTS = Parameter(
    "W1_EXPORTS", "第二十三条", 3, "次", between(2, 3), PROVINCE,
    _("一人在预警期间内导出达到此数即预警，须领导再次确认"),
)
W1_DAYS = Parameter(
    "W1_DAYS", "第二十三条", 7, "日", at_least(7), PROVINCE,
    _("计算一人导出次数的预警期间"),
)

# --- Provision outside (SECURITY EX-2, AP-6) --------------------------------------------------------

PROVISION_OUTSIDE = Subject(_("对外提供"))

GRANT_MONTHS = Parameter(
    "GRANT_MONTHS", "第二十四条", 12, "月", at_most(12), PROVINCE,
    _("一项对外提供的最长期限，到期前须重新审批"),
)
GRANT_RECORDS_A_DAY = Parameter(
    # No source gives a number: ours lets a city be read in a day, and not a province.
    "GRANT_RECORDS_A_DAY", "第二十四条", 200_000, "条", at_most(1_000_000), PROVINCE,
    _("一项对外提供每日额度的上限"),
)
CLIENT_CALLS_PER_MINUTE = Parameter(
    "CLIENT_CALLS_PER_MINUTE", PROTECTION_STANDARD, 60, "次", at_most(60), PROVINCE,
    _("一个客户端每分钟的请求次数"),
)
CLIENT_TOKENS_PER_MINUTE = Parameter(
    "CLIENT_TOKENS_PER_MINUTE", PROTECTION_STANDARD, 10, "次", at_most(10), NATION,
    _("一个地址每分钟申请访问令牌的次数"),
)

# --- The rules themselves --------------------------------------------------------------------------

THEMSELVES = Subject(_("规则本身"))

RULE_VALID_TO = Parameter(
    "RULE_VALID_TO", "第五条", "", "", FREE, EACH,
    _("本级学籍管理实施细则的有效期截止日"),
    kind="date",
)

# fmt: on

PARAMETERS: dict[str, Parameter] = {
    name: declared for name, declared in list(globals().items()) if isinstance(declared, Parameter)
}


def _by_subject() -> list[tuple[Subject, list[Parameter]]]:
    """A parameter belongs to the subject that stands above it in this file."""
    found: list[tuple[Subject, list[Parameter]]] = []
    for declared in list(globals().values()):
        if isinstance(declared, Subject):
            found.append((declared, []))
        elif isinstance(declared, Parameter):
            found[-1][1].append(declared)
    return found


SUBJECTS = _by_subject()
