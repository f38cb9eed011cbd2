"""毕业证书, 结业证书, 肄业证书, 毕业证明书 and 毕业名册 (HANDBOOK A7.1, R-GRD-07)."""

from archives.printing.blocks import Box, Form, Letter, Table

GENUINE = "扫码核验本件(须登录)"


def _certificate(code: str, title: str, ends: str) -> Form:
    return Form(
        code=code,
        title=title,
        number_label="证书编号",
        caption=GENUINE,
        blocks=(
            Letter(
                to="",
                paragraphs=(
                    "学生{name:4}，性别{sex:2}，{birth_date:day}生，学籍号{student_number:8}，"
                    "于{entry_month:5}至{left_month:5}在我校{stage:4}学习，" + ends,
                ),
                closing=("校长（签章）", "{school:12}（公章）", "{issued_on:day}"),
                size_pt=14,
            ),
        ),
    )


GRADUATION_CERTIFICATE = _certificate(
    "graduation_certificate", "毕业证书", "修完规定课程，成绩合格，准予毕业。"
)
COMPLETION_CERTIFICATE = _certificate(
    "completion_certificate", "结业证书", "修完规定课程，未达到毕业要求，准予结业。"
)
PARTIAL_CERTIFICATE = _certificate(
    "partial_certificate", "肄业证书", "学习满一年以上，未修完规定课程，准予肄业。"
)

GRADUATION_PROOF = Form(
    code="graduation_proof",
    title="毕业证明书",
    number_label="证明书编号",
    caption=GENUINE,
    blocks=(
        Letter(
            to="",
            paragraphs=(
                "学生{name:4}，性别{sex:2}，{birth_date:day}生，学籍号{student_number:8}，"
                "于{entry_month:5}至{left_month:5}在我校{stage:4}学习，{outcome:4}，"
                "原证书编号{certificate:20}，因{ground:4}无法出示原件。",
            ),
            greeting=("特此证明。",),
            closing=("校长（签章）", "{school:12}（公章）", "{issued_on:day}"),
            size_pt=14,
        ),
        Box("学籍主管部门核验", ("经核对，与学籍系统毕业记录一致。",), signature="核验人（公章）"),
    ),
    notes=("毕业证书遗失或损坏后不再补发原件；毕业证明书与原证书具有同等效力。",),
)

GRADUATION_ROLL = Form(
    code="graduation_roll",
    title="毕业名册",
    number_label="毕业名单",
    caption="扫码打开毕业名册(须登录)",
    blocks=(
        Box("范围", ("{school:0}　{year:0} 学年　{grade:0}　{class_name:0}　共 {count:0} 人",), least_mm=12),
        # Rows of (name, sex, birth date, 学籍号, outcome, certificate number, destination).
        Table(
            "graduates",
            "毕业生",
            ("姓名", "性别", "出生日期", "学籍号", "类型", "证书编号", "毕业去向"),
            (4, 2, 4, 4, 2, 8, 5),
            2,
            120,
        ),
        Box("学校确认", ("以上名册与学籍系统毕业记录一致。",), signature="{school:12}（公章）　经办人"),
    ),
    sizes=(9, 8, 7.2, 6.6),
)

GRADUATION_FORMS = (
    GRADUATION_CERTIFICATE, COMPLETION_CERTIFICATE, PARTIAL_CERTIFICATE, GRADUATION_PROOF, GRADUATION_ROLL,
)  # fmt: skip
# By outcome (list completion_type).
CERTIFICATES = {"1": "graduation_certificate", "2": "completion_certificate", "3": "partial_certificate"}
