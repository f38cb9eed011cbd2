"""Which grade comes after a stage, by the length of stages of both schools (A7.3, R-GRD-09)."""

FIVE, SIX = "5-4", "6-3"


def grades_after(grade: str, from_schooling: str, to_schooling: str) -> tuple[str, ...]:
    """The grades that a graduate of `grade` may enter at a school with the other length of stages: grade 6
    of a six-year school only after a five-year primary school, whose sixth year it is.
    """
    if grade.startswith("1"):
        if (from_schooling, to_schooling) == (FIVE, SIX):
            return ("16",)
        return ("22",) if (from_schooling, to_schooling) == (SIX, FIVE) else ("21",)
    return ("31",) if grade.startswith("2") else ()
