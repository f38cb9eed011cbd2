"""Reading numbers: live below and at the county, from the folded summary above (ARCHITECTURE 6)."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import CharField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from registry.protection import protected_ids
from reports.cubes import DIMENSIONS, Cube
from reports.expressions import ChildPath
from reports.models import Summary
from reports.opening import count_sealed

WHOLE = "*"  # the grade of folded rows of all dimensions together
BELOW = "below"  # the dimension of the offices right below
Where = dict[str, str]
Line = dict[str, Any]  # dimensions and measures by name


def live_grouping(
    cube: Cube,
    path: str,
    *,
    by: Sequence[str] = (),
    where: Where | None = None,
    period: str = "",
    exact: bool = False,
    protected: bool | None = None,
) -> list[Line]:
    """The cube's measures at and below `path`, grouped by the dimensions `by`, counted now.

    `exact`: at the office itself only. `protected` True or False keeps, or leaves out, protected pupils.
    """  # fmt: skip
    rows = _rows_at(cube, path, exact=exact, protected=protected)
    dims = _dimensions(cube, path)
    rows = rows.alias(**{f"at_{name}": dims[name] for name in {*by, *(where or {})}})
    rows = rows.filter(**{f"at_{name}": value for name, value in (where or {}).items()})
    if period and cube.period is not None:
        rows = rows.alias(at_period=cube.period).filter(at_period=period)
    names = {name: F(f"at_{name}") for name in by}
    if cube.sealed:
        return count_sealed(rows, names)
    measures = {f"n_{name}": Coalesce(one, 0) for name, one in cube.measures.items()}
    # Without a dimension, by a constant: an aggregate would wrap the rows in a sub-select.
    groups: dict[str, Any] = {f"by_{name}": one for name, one in names.items()} or {"by_nothing": Value(1)}
    found = (
        rows.order_by().values(**groups).annotate(**measures).values(*measures, *(f"by_{one}" for one in by))
    )
    return [{name.split("_", 1)[1]: value for name, value in row.items()} for row in found]


def _rows_at(cube: Cube, path: str, *, exact: bool, protected: bool | None) -> "QuerySet[Any]":
    lookup = cube.path if exact else f"{cube.path}__within"
    rows = cube.rows().filter(**{lookup: path})
    if protected is None or not cube.person:
        return rows
    # They are few: asked for first, they are found by their index, whatever the planner thinks of a scope.
    held = protected_ids()
    return rows.filter(student_id__in=held) if protected else rows.exclude(student_id__in=held)


def _dimensions(cube: Cube, path: str) -> dict[str, Any]:
    missing = {name: Value("", CharField()) for name in DIMENSIONS}
    period = cube.period if cube.period is not None else Value("", CharField())
    leaf = {"leaf": F(cube.path), BELOW: ChildPath(cube.path, path), "period": period}
    # What nobody knows of a row is an empty text, as in the summary.
    known = {name: Coalesce(one, Value(""), output_field=CharField()) for name, one in cube.dims.items()}
    return missing | leaf | known


def read_summary(
    cube: Cube, paths: Iterable[str], *, by: Sequence[str] = (), where: Where | None = None, period: str = ""
) -> list[Line]:
    """The same from the folded summary: of each of `paths` with everything below it. With BELOW among `by`
    the lines are one for each path.
    """
    rows = Summary.objects.filter(is_unit=False, org_path__in=list(paths), cube=cube.code)
    # What is asked whatever the dimensions stands in rows of its own: a hundredth of them.
    rows = rows.exclude(grade=WHOLE) if where or {*by} - {BELOW} else rows.filter(grade=WHOLE)
    return _sums(cube, rows, by, where or {}, period)


def read_own(cube: Cube, path: str, *, where: Where | None = None, period: str = "") -> Line:
    """What the office at `path` has of its own, not of those below it."""
    rows = Summary.objects.filter(is_unit=True, org_path=path, cube=cube.code)
    return _sums(cube, rows, (), where or {}, period)[0]


def _sums(cube: Cube, rows: "QuerySet[Any]", by: Sequence[str], where: Where, period: str) -> list[Line]:
    rows = rows.filter(**where)
    if period and cube.period is not None:
        rows = rows.filter(period=period)
    measures = {
        f"n_{name}": Coalesce(
            Sum("value", filter=Q(measure=name)), 0, output_field=Summary._meta.get_field("value")
        )
        for name in cube.measures
    }
    if not by:
        found: Any = [rows.order_by().aggregate(**measures)]
    else:
        names = {f"by_{name}": F("org_path" if name == BELOW else name) for name in by}
        found = rows.order_by().values(**names).annotate(**measures)
    return [{name.split("_", 1)[1]: value for name, value in row.items()} for row in found]
