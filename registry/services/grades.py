"""The next grade inside a stage, by the length of schooling (R-GRD-09): in Python and, for sets, in SQL."""

from registry.models import School

_STAGES = ("1", "2", "3")


def last_year(stage: str, schooling: str) -> int:
    """How many years the stage takes where stages take `schooling` years, "6-3" or "5-4"; senior always 3."""
    return {"1": int(schooling[0]), "2": int(schooling[2])}.get(stage, 3)


def next_grade(grade: str, schooling: str) -> str:
    """The grade that follows inside the stage; empty after the last one."""
    stage, year = grade[0], int(grade[1])
    return f"{stage}{year + 1}" if year < last_year(stage, schooling) else ""


def grade_steps() -> list[tuple[str, str, str]]:
    """(schooling, grade, next grade) for every grade that has a next one in its stage."""
    schoolings = [str(code) for code, _name in School._meta.get_field("schooling").choices or ()]
    return [
        (schooling, f"{stage}{year}", f"{stage}{year + 1}")
        for schooling in schoolings
        for stage in _STAGES
        for year in range(1, last_year(stage, schooling))
    ]


def next_grade_sql(grade: str = "e.grade", schooling: str = "s.schooling") -> str:
    """`next_grade` as an expression over the columns `grade` and `schooling`; empty text after the last."""
    cases = " ".join(f"WHEN '{held}:{one}' THEN '{then}'" for held, one, then in grade_steps())
    return f"(CASE {schooling} || ':' || {grade} {cases} ELSE '' END)"
