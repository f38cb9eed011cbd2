"""The columns of the template as a page for people: `docs/intake-template.md`, made from the same tables."""

from __future__ import annotations

from config.rules import PARAMETERS
from registry.fields import SECTION_TITLES, TEMPLATE, Field
from registry.intake.sheet import CONTROL_COLUMN, column_letters
from registry.intake.template import (
    GUIDES,
    HEADING_ROWS,
    headings,
    note_of,
    rules_of_filling,
    template_version,
)

_LISTED = 20  # longer lists are named, not copied


def describe() -> str:
    """The page, as Markdown."""
    parts = [
        "# 学籍批量导入模板",
        "本页由 `manage.py intake_template --document` 按字段表生成，请勿手工修改。"
        "模板、本页和解析程序出自同一份字段表。",
        f"模板版本：`{template_version()}`（写在隐藏的第{column_letters(CONTROL_COLUMN)}列标题中）。",
        "## 填写规则",
        "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(rules_of_filling(), 1)),
        "## 解析时的换算",
        "\n".join(f"- {sentence}" for sentence in _CONVERSIONS),
        "## 上限",
        _table(
            ("参数", "上限", "含义"),
            [
                (f"`{key}`", parameter.display(parameter.value), str(parameter.text))
                for key, parameter in PARAMETERS.items()
                if key.startswith("INTAKE_") and parameter.kind == "int"
            ],
        ),
        f"## {len(TEMPLATE)}列",
        _table(
            ("序号", "列", "标题", "键", "分组", "填写说明", "示例"), [_column(field) for field in TEMPLATE]
        ),
        "## 代码表",
        "\n\n".join(_lists()),
    ]
    return "\n\n".join(parts) + "\n"


_CONVERSIONS = (
    "单元格一律按文本读取；数字5读作“5”，不读作“5.0”；日期单元格读作2019-03-15；TRUE、FALSE读作“是”“否”。",
    "超过15位的数字已被表格软件改写，读作3.30106E+17，该单元格报“number_damaged”，不按校验位错误处理。",
    "标题前的★、空格和全角半角差别不计；列的缺少、多出、重复、移位和模板版本不符，整份文件不予受理。",
    "以=、+、-、@、|、%等开头的内容，写入工作簿时前加一个英文单引号，读回时去掉。",
    "说明行、示例行以隐藏列中的标记识别，内容有改动即作为学生读取；只有学校标识码的行视为空行。",
    f"第{HEADING_ROWS + 1}行起为学生；没有说明行和示例行的，第2行起为学生。",
)


def _column(field: Field) -> tuple[str, ...]:
    number = field.template_col or 0
    section = str(SECTION_TITLES.get(field.section, "表头"))
    title = "（版本标记，隐藏）" if number == CONTROL_COLUMN else headings()[number - 1]
    return (
        str(number), column_letters(number), title, f"`{field.key}`", section, note_of(field),
        GUIDES[field.key].example,
    )  # fmt: skip


def _lists() -> list[str]:
    seen: dict[tuple[str, tuple[str, ...]], list[Field]] = {}
    for field in TEMPLATE:
        if field.code_list:
            seen.setdefault((field.code_list, field.allowed), []).append(field)
    texts = []
    for (code_list, _allowed), fields in seen.items():
        users = "、".join(field.label_zh for field in fields)
        choices = fields[0].choices
        values = "；".join(f"{code} {label}" for code, label in choices[:_LISTED])
        more = f"……共{len(choices)}项，见模板的“字典”" if len(choices) > _LISTED else ""
        texts.append(f"**{users}**（`{code_list}`）：{values}{more}")
    return texts


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [titles, tuple("---" for _title in titles), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
