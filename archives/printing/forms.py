"""The printed forms (HANDBOOK A5.4, A6, C1), as data: read from top to bottom, this is the paper.

The key of a cell is the key of its value: `render("suspension_form", {"name": "…", "url": "…"})`. Every form
takes the keys of `blocks.COMMON` as well; `Form.keys()` lists all. The caller decides what is masked.
"""

from archives.printing.blocks import Box, Cut, Fields, Form, Letter, Opinions, Row, Table, Tracking
from archives.printing.graduation_forms import GRADUATION_FORMS

PROGRESS = "扫码查询办理进度"
GENUINE = "扫码核验本件"

_PERSON: tuple[Row, ...] = (
    (("name", "学生姓名"), ("sex", "性别"), ("birth_date", "出生日期")),
    (("student_number", "学籍号"), ("ethnic_group", "民族")),
    (("document_type", "身份证件\n类型"), ("document_number", "身份证件号")),
)
_GUARDIAN: Row = (
    ("guardian", "监护人姓名"),
    ("guardian_relation", "与学生关系"),
    ("guardian_phone", "联系电话"),
)
_AT_SCHOOL: tuple[Row, ...] = (
    (("school", "就读学校"), ("school_code", "学校标识码")),
    (("grade", "年级"), ("class_name", "班级"), ("entry_month", "入学年月")),
)
# Rows of (name of the paper, how many, ticked or not).
_EVIDENCE = Table("evidence", "证明材料", ("材料名称", "页数", "核对情况"), (13, 3, 6), least=3)
_TRUE = "本人承诺：以上内容及所附材料真实有效，如有不实，愿承担相应责任。"
_GUARDIAN_SIGNS = Box("监护人声明", (_TRUE,), signature="监护人签名", least_mm=20)
_TWO_COPIES = "本表一式两份，学校和学籍主管部门各存一份；系统内的办理记录与本表具有同等效力。"

TRANSFER_APPLICATION = Form(
    code="transfer_application",
    title="转学申请表",
    number_label="办件号",
    caption=PROGRESS,
    blocks=(
        Fields(
            "学生信息",
            (*_PERSON, (("hukou_address", "户籍地址"),), (("current_address", "现住址"),), _GUARDIAN),
        ),
        Fields(
            "转学信息",
            (
                (("from_school", "转出学校"), ("from_code", "学校标识码")),
                (("from_grade", "转出年级"), ("from_class", "转出班级"), ("route", "转学类别")),
                (("to_school", "转入学校"), ("to_code", "学校标识码")),
                (("to_grade", "转入年级"), ("to_class", "转入班级"), ("ground", "转学原因")),
            ),
        ),
        Box("申请理由", ("{reason:0}",), least_mm=18),
        _EVIDENCE,
        _GUARDIAN_SIGNS,
        Opinions(
            "核办意见", ("转入学校意见", "转入学校主管部门意见", "转出学校意见", "转出学校主管部门意见")
        ),
    ),
    notes=(
        "转学由转入学校在系统内发起，按转入学校、转入学校主管部门、转出学校、转出学校主管部门的顺序核办。",
        "只提交与转学原因相符的证明材料；跨省转学另附原学校出具的学籍卡。",
        _TWO_COPIES,
    ),
)

TRANSFER_CERTIFICATE = Form(
    code="transfer_certificate",
    title="转学证明",
    number_label="办件号",
    caption=GENUINE,
    blocks=(
        Letter(
            to="to_school",
            paragraphs=(
                "兹有我校{grade:6}{class_name:6}学生{name:6}，性别{sex:2}，{birth_date:day}出生，"
                "学籍号{student_number:12}，因{ground:8}申请转入贵校就读。经核办同意转出，"
                "其学籍已于{moved_on:day}转入贵校，请予接收，并在一个月内核对、签收学籍档案材料。",
            ),
            greeting=("特此证明。",),
            closing=(
                "{from_school:14}（公章）",
                "经办人{handler:6}　联系电话{phone:9}",
                "{issued_on:day}",
            ),
            size_pt=14,
        ),
        Cut("转学证明（回执）"),
        Letter(
            to="from_school",
            paragraphs=(
                "贵校转出的学生{name:6}（学籍号{student_number:12}）已于{arrived_on:day}到我校报到，"
                "编入{to_grade:6}{to_class:6}就读。学籍档案材料共{pieces:3}件，已核对签收。",
            ),
            greeting=("特此回复。",),
            closing=(
                "{to_school:14}（公章）",
                "经办人{receiver:6}　联系电话{receiver_phone:9}",
                "{received_on:day}",
            ),
            size_pt=14,
        ),
    ),
    notes=("回执由转入学校填写盖章，与学籍档案材料的签收单一并交回转出学校。",),
)

CONTACT_LETTER = Form(
    code="contact_letter",
    title="就学联系函",
    number_label="办件号",
    caption=GENUINE,
    blocks=(
        Letter(
            to="addressee",
            paragraphs=(
                "学生{name:6}因{ground:8}，拟由{from_school:12}转入{to_school:12}{to_grade:6}就读。"
                "经核，该年级尚有空余学位{vacancy:3}个，同意接收。请协助办理转出手续，"
                "并由转入学校在系统内发起转学申请。",
                "本函有效期至{valid_until:day}。本函仅作联系就学之用，不作为学籍变动的依据。",
            ),
            greeting=("此函。",),
            closing=(
                "{issuer:14}（公章）",
                "联系人{handler:6}　联系电话{phone:9}",
                "{issued_on:day}",
            ),
        ),
        Fields(
            "学生信息",
            (*_PERSON, (("from_school", "现就读学校"), ("from_grade", "现年级")), _GUARDIAN),
        ),
        Opinions("转出方意见", ("转出学校意见", "转出学校主管部门意见")),
    ),
)

STATUS_CARD = Form(
    code="status_card",
    title="学籍卡",
    number_label="学籍号",
    caption=GENUINE,
    sizes=(10, 8.5, 7.5, 6.6),
    blocks=(
        Fields(
            "基础信息",
            (
                (("name", "姓名"), ("former_name", "曾用名")),
                (("sex", "性别"), ("birth_date", "出生日期")),
                (("document_type", "身份证件\n类型"), ("document_number", "身份证件号")),
                (("ethnic_group", "民族"), ("nationality", "国籍/地区")),
                (("political_status", "政治面貌"), ("health", "健康状况")),
            ),
            has_photo=True,
        ),
        Fields(
            "户籍信息",
            (
                (("native_place", "籍贯"), ("birthplace", "出生地")),
                (("hukou_place", "户口所在地"), ("hukou_type", "户口性质")),
                (("overseas_status", "港澳台侨外"), ("inclusive_education", "随班就读")),
                (("disability_type", "残疾类型"), ("is_orphan", "是否孤儿"), ("is_only_child", "独生子女")),
                (("left_behind", "留守儿童"), ("is_migrant", "随迁子女"), ("is_martyr_child", "优抚子女")),
            ),
        ),
        Fields(
            "学籍信息",
            (
                *_AT_SCHOOL,
                (("admission_mode", "入学方式"), ("attendance_mode", "就读方式"), ("status", "学籍状态")),
            ),
        ),
        Fields(
            "联系信息",
            (
                (("current_address", "现住址"),),
                (("home_address", "家庭地址"),),
                (("phone", "联系电话"), ("postcode", "邮政编码")),
            ),
        ),
        # Rows of (name, relation, guardian or not, employer, phone).
        Table(
            "family",
            "家庭成员",
            ("姓名", "关系", "是否监护人", "工作单位", "联系电话"),
            (4, 3, 3, 7, 5),
            2,
            3,
        ),
        # Rows of (day, what changed, from where, to where, number of the case), the latest first.
        Table("changes", "学籍变动", ("日期", "变动", "由", "至", "办件号"), (4, 3, 5, 5, 5), 3, 8),
        Box("学校确认", ("以上内容与学籍系统记录一致。",), signature="{school:12}（公章）　经办人"),
    ),
)

SUSPENSION_FORM = Form(
    code="suspension_form",
    title="休学申请表",
    number_label="办件号",
    caption=PROGRESS,
    blocks=(
        Fields("学生信息", (*_PERSON, *_AT_SCHOOL, (("current_address", "现住址"),), _GUARDIAN)),
        Fields(
            "休学信息",
            (
                (("ground", "休学原因"), ("is_extension", "是否续休")),
                (("suspended_from", "休学开始"), ("suspended_until", "休学期满")),
                (("hospital", "诊断医院"), ("diagnosed_on", "诊断日期")),
            ),
        ),
        Box("申请理由", ("{reason:0}",)),
        _EVIDENCE,
        _GUARDIAN_SIGNS,
        Opinions("审批意见", ("学校意见", "学籍主管部门意见")),
    ),
    notes=(
        "因病休学须附县级以上医院的诊断证明、病历和收费凭证；其他原因附相应证明。",
        "休学期间保留学籍；期满前由监护人申请复学或续休，复学年级按学生实际情况确定。",
        _TWO_COPIES,
    ),
)

RESUMPTION_FORM = Form(
    code="resumption_form",
    title="复学申请表",
    number_label="办件号",
    caption=PROGRESS,
    blocks=(
        Fields("学生信息", (*_PERSON, *_AT_SCHOOL, (("current_address", "现住址"),), _GUARDIAN)),
        Fields(
            "复学信息",
            (
                (("suspended_from", "休学开始"), ("suspended_until", "休学期满")),
                (("suspension_ground", "休学原因"), ("suspension_number", "休学办件号")),
                (("resumed_on", "复学日期"), ("to_grade", "复学年级"), ("to_class", "编入班级")),
            ),
        ),
        Box("申请理由", ("{reason:0}",)),
        _EVIDENCE,
        _GUARDIAN_SIGNS,
        Opinions("审批意见", ("学校意见", "学籍主管部门意见")),
    ),
    notes=(
        "因病休学的，复学须附县级以上医院出具的康复证明。",
        "复学原则上编入原年级，也可以根据康复情况和学习程度编入较低年级；年级由监护人与学校商定后填写。",
        _TWO_COPIES,
    ),
)

WITHDRAWAL_FORM = Form(
    code="withdrawal_form",
    title="退学申请表",
    number_label="办件号",
    caption=PROGRESS,
    blocks=(
        Fields("学生信息", (*_PERSON, *_AT_SCHOOL, (("current_address", "现住址"),), _GUARDIAN)),
        Fields(
            "退学信息",
            (
                (("ground", "退学情形"), ("left_on", "离校日期")),
                (("destination", "退学去向"), ("notice_served_on", "告知送达日")),
            ),
        ),
        Box("申请理由", ("{reason:0}",)),
        _EVIDENCE,
        Box(
            "监护人声明",
            ("本人已知悉：退学经批准后注销学籍，学校出具相应学习证明。" + _TRUE,),
            signature="监护人签名",
        ),
        Opinions("审批意见", ("学校意见", "学籍主管部门意见")),
    ),
    notes=("本表仅适用于高中阶段学生；义务教育阶段学生不得退学。", _TWO_COPIES),
)

KEY_CHANGE_FORM = Form(
    code="key_change_form",
    title="关键数据变更申请表",
    number_label="办件号",
    caption=PROGRESS,
    blocks=(
        Fields("学生信息", (*_PERSON, *_AT_SCHOOL, _GUARDIAN)),
        # Rows of (field, value now, value asked for, what it rests on).
        Table("changes", "变更内容", ("变更项目", "变更前", "变更后", "依据"), (4, 6, 6, 6), least=3),
        Box("变更理由", ("{reason:0}",)),
        Fields("查重结果", ((("duplicates", "证件号查重"), ("checked_on", "查重时间")),)),
        _EVIDENCE,
        _GUARDIAN_SIGNS,
        Opinions("核准意见", ("学校意见", "学籍主管部门意见")),
    ),
    notes=(
        "变更姓名、性别、出生日期、身份证件类型、身份证件号须附居民户口簿或公安机关的证明；"
        "变更后原姓名作为曾用名保留。",
        _TWO_COPIES,
    ),
)

CASE_RECEIPT = Form(
    code="case_receipt",
    title="受理回执",
    number_label="办件号",
    caption=PROGRESS,
    square_in_corner=False,
    blocks=(
        Tracking(
            (
                "扫描右侧二维码，或在查询页面输入左侧查询码，可随时查看本件在哪个单位、何时到期。",
                "凭查询码即可查看进度，请妥善保管，不要转发给无关人员。",
            )
        ),
        Fields(
            "受理信息",
            (
                (("kind", "办理事项"), ("name", "学生姓名")),
                (("office", "受理单位"), ("filed_at", "受理时间")),
                (("from_name", "现所在单位"), ("to_name", "拟到单位")),
                (("handler", "经办人"), ("phone", "联系电话"), ("expected_on", "预计办结")),
            ),
        ),
        # Rows of (step, office, term, contact).
        Table("steps", "办理流程", ("环节", "办理单位", "办理时限", "联系电话"), (5, 8, 4, 5), least=1),
        _EVIDENCE,
        Box(
            "后续办理",
            (
                "1．各单位按上列顺序办理，时限自本件到达该单位起按工作日计算，节假日顺延，不会逾期自动通过。",
                "2．材料需要补正的，由受理单位通知您；补正后从退回的环节继续办理。",
                "3．不予通过的，将告知理由；您可以补充材料后再次申请。",
                "4．某一环节逾期未办的，由上一级单位督办。如有疑问，请先联系受理单位。",
                "{remarks:0}",
            ),
            signature="受理单位（公章）",
            least_mm=48,
        ),
    ),
)

CONFIRMATION_SHEET = Form(
    code="confirmation_sheet",
    title="学籍基础信息确认表",
    number_label="学籍号",
    caption="交回后扫码归档",
    sizes=(10, 9, 8, 7.2, 6.6),
    blocks=(
        Fields(
            "基础信息",
            (
                (("name", "姓名"), ("former_name", "曾用名"), ("sex", "性别")),
                (("birth_date", "出生日期"), ("ethnic_group", "民族"), ("nationality", "国籍/地区")),
                (("document_type", "证件类型"), ("document_number", "证件号")),
                (("native_place", "籍贯"), ("birthplace", "出生地")),
                (("hukou_type", "户口性质"), ("hukou_place", "户口所在地")),
                (("overseas_status", "港澳台侨外"), ("political_status", "政治面貌")),
            ),
        ),
        Fields(
            "学籍信息",
            (
                (("school", "学校"), ("grade", "年级"), ("class_name", "班级")),
                (("entry_month", "入学年月"), ("admission_mode", "入学方式"), ("attendance_mode", "就读")),
                (("is_only_child", "独生子女"), ("is_migrant", "随迁子女"), ("left_behind", "留守儿童")),
                (("is_orphan", "是否孤儿"), ("is_martyr_child", "优抚子女"), ("had_preschool", "学前教育")),
            ),
        ),
        Fields(
            "联系信息",
            (
                (("current_address", "现住址"),),
                (("home_address", "家庭地址"),),
                (("postal_address", "通信地址"),),
                (("phone", "联系电话"), ("postcode", "邮政编码")),
            ),
        ),
        # Rows of (name, relation, guardian or not, phone).
        Table("family", "家庭成员", ("姓名", "关系", "是否监护人", "联系电话"), (5, 4, 4, 6), 2, 4),
        # For a pen: (what is wrong, what is right, which paper proves it).
        Table("corrections", "更正", ("有误的项目", "正确的内容", "所附证明"), (5, 10, 5), least=5),
        Box(
            "监护人确认",
            (
                "以上信息（含所作更正）经核对属实。带星号的内容只印出一部分，请核对印出的部分；如有变化，请在更正栏写明。",
            ),
            signature="监护人签名",
        ),
        Box("班主任核对", ("已收回，字迹清楚，签名齐全。",), signature="班主任签名", least_mm=16),
    ),
    notes=(
        "请用黑色签字笔填写；没有错误的项目不必重复填写。",
        "姓名、性别、出生日期、证件类型、证件号有误的，须附居民户口簿等证明，由学校申请变更、主管部门核准。",
        "本表由学校存入学生学籍档案。",
    ),
)

FORMS: dict[str, Form] = {
    form.code: form
    for form in (
        TRANSFER_APPLICATION, TRANSFER_CERTIFICATE, CONTACT_LETTER, STATUS_CARD, SUSPENSION_FORM,
        RESUMPTION_FORM, WITHDRAWAL_FORM, KEY_CHANGE_FORM, CASE_RECEIPT, CONFIRMATION_SHEET,
        *GRADUATION_FORMS,
    )
}  # fmt: skip
