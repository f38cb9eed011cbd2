"""What statistics ask of the database beyond Django's own functions."""

from typing import Any

from django.db.models import CharField, F, Func

from config.clock import today
from config.scope import NATION
from registry.services.seasons import promotion_day


class SchoolYear(Func):
    """The school year of a day as text; new pupils register from July on."""

    template = "extract(year FROM (%(expressions)s) - interval '6 months')::int::text"
    output_field = CharField()


class StudyYear(Func):
    """The school year that pupils were in on a day, as text: it turns with the national promotion, as their
    grades and the lists of graduates do (A7.4).
    """

    output_field = CharField()

    def as_sql(self, compiler: Any, connection: Any, **more: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        day, params = compiler.compile(self.get_source_expressions()[0])
        turns = f"{promotion_day(NATION, today()):%m%d}"
        year = f"(extract(year FROM {day})::int - (to_char({day}, 'MMDD') < '{turns}')::int)::text"
        return year, [*params, *params]


class ChildPath(Func):
    """The office right below `base` that a path lies in; what lies at the base itself gets one more dot."""

    output_field = CharField()

    def __init__(self, path: str, base: str) -> None:
        super().__init__(F(path))
        self.depth = base.count(".") + 1

    def as_sql(self, compiler: Any, connection: Any, **more: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        path, params = compiler.compile(self.get_source_expressions()[0])
        return f"(array_to_string((string_to_array({path}, '.'))[1:{self.depth}], '.') || '.')", [*params]
