"""What our pages add to the frame: code labels, and a masked value with its reveal (RD-1, RD-2)."""

from typing import Any

from django import template

from registry.codes import label
from registry.fields import BY_KEY
from registry.queries.dossier import Dossier, change_words
from registry.queries.sight import mask

register = template.Library()


@register.filter
def grade_name(code: str) -> str:
    return label("grade", code) if code else ""


@register.filter
def problem_type(code: str) -> str:
    return label("problem_record_type", code)


@register.filter
def first_character(name: str) -> str:
    return name[:1]


@register.filter
def has_photo(student: Any) -> bool:
    """Whether a photo is on file. The relation is the archive's, which we may not import."""
    return any(material.kind == "photo" for material in student.materials.all())


@register.filter
def masked_number(number: str) -> str:
    """A 学籍号 as it is shown: G masked like the identity number it holds, L and J in clear."""
    return mask("status_number", number)


@register.filter
def number_parts(shown: str) -> list[str]:
    """A 学籍号 in its own parts: letter and division, day, sequence; masked numbers stay readable."""
    return [shown[:7], shown[7:15], shown[15:]]


@register.inclusion_tag("components/mono.html")
def status_number(shown: str) -> dict[str, Any]:
    return {"groups": number_parts(shown), "text": shown}


@register.simple_tag
def change_title(change: str) -> str:
    """What a change class is called."""
    return change_words()[change]


@register.inclusion_tag("registry/_masked.html")
def secret(dossier: Dossier, key: str) -> dict[str, Any]:
    """The masked value of one field, with the way to reveal it for those who may."""
    if key == "status_number":
        return secret_line(dossier.student, key, dossier.masked_number, _may_reveal_number(dossier))
    line = dossier.line(BY_KEY[key])
    return secret_line(dossier.student, key, line.shown, line.may_reveal)


def _may_reveal_number(dossier: Dossier) -> bool:
    # L and J numbers are no secret; G is an identity number behind a letter.
    return (
        dossier.masked_number != dossier.student.number
        and dossier.as_of is None
        and dossier.sight.reveals("status_number")
    )


@register.inclusion_tag("registry/_masked.html", name="secret_line")
def secret_line(student: Any, key: str, shown: str, may_reveal: bool = True) -> dict[str, Any]:
    return {
        "student": student,
        "key": key,
        "mask": shown,
        "may_reveal": may_reveal,
        "label": BY_KEY[key].label_zh,
    }
