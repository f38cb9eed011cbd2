"""What must hold on every day of the year, asked of the tables and not of the registry's code (HANDBOOK G,
SECURITY RE-2).
"""

from typing import Any

from django.db import connection

from audit.models import Event

# Each finds rows that may not be. A spell that counts: open, not void.
_OPEN = "NOT e.is_void AND e.status IN ('00', '01', '02', '04', '05', '06')"
NEVER = {
    "two open statuses of one person": f"""
        SELECT e.student_id FROM registry_enrolment e WHERE {_OPEN} GROUP BY 1 HAVING count(*) > 1""",
    "two spells of one person at the same time": """
        SELECT a.student_id FROM registry_enrolment a JOIN registry_enrolment b
        ON a.student_id = b.student_id AND a.id < b.id AND a.valid && b.valid
        WHERE NOT a.is_void AND NOT b.is_void""",
    "an ended status whose spell goes on": """
        SELECT e.id FROM registry_enrolment e WHERE NOT e.is_void AND upper_inf(e.valid)
        AND e.status NOT IN ('00', '01', '02', '04', '05', '06')""",
    "an open status whose spell has ended": f"""
        SELECT e.id FROM registry_enrolment e WHERE {_OPEN} AND NOT upper_inf(e.valid)""",
    "a person elsewhere than her status": f"""
        SELECT e.id FROM registry_enrolment e JOIN registry_student s ON s.id = e.student_id
        JOIN accounts_organization o ON o.id = e.school_id
        WHERE {_OPEN} AND (e.org_path <> s.org_path OR e.org_path <> o.path)""",
    "a copy of the name that is no longer hers": f"""
        SELECT e.id FROM registry_enrolment e JOIN registry_student s ON s.id = e.student_id
        WHERE {_OPEN} AND (e.name, e.name_py, e.sex) <> (s.name, s.name_py, s.sex)""",
    "somebody in school outside the grade of her class": """
        SELECT e.id FROM registry_enrolment e JOIN registry_schoolclass c ON c.id = e.school_class_id
        WHERE NOT e.is_void AND e.status = '01' AND (e.grade <> c.grade OR e.org_path <> c.org_path)""",
    "a closed class with somebody in it": """
        SELECT e.id FROM registry_enrolment e JOIN registry_schoolclass c ON c.id = e.school_class_id
        WHERE NOT e.is_void AND e.status = '01' AND NOT c.is_open""",
    "a number of two persons": """
        SELECT number FROM registry_studentnumber WHERE kind = 'national'
        GROUP BY 1 HAVING count(DISTINCT student_id) > 1""",
    "a card without the current number": """
        SELECT s.id FROM registry_student s JOIN registry_studentnumber n ON n.student_id = s.id
        WHERE n.is_current AND n.kind = 'national' AND n.number <> s.number""",
    "one document claimed by two persons": """
        SELECT blind FROM registry_identitydocument WHERE is_claimed AND blind IS NOT NULL
        GROUP BY 1 HAVING count(DISTINCT student_id) > 1""",
    "open business without an open case": """
        SELECT b.id FROM registry_openbusiness b LEFT JOIN transfers_case c ON c.number = b.case_no
        WHERE c.id IS NULL OR NOT c.is_open""",
    "a waiting case with no step or two": """
        SELECT c.id FROM transfers_case c LEFT JOIN transfers_step s ON s.case_id = c.id AND s.is_current
        WHERE c.state = 'waiting' GROUP BY 1 HAVING count(s.id) <> 1""",
    "an ended case that still waits for somebody": """
        SELECT c.id FROM transfers_case c JOIN transfers_step s ON s.case_id = c.id
        WHERE NOT c.is_open AND s.is_current""",
    "one person who signed twice in a case": """
        SELECT case_id FROM transfers_step WHERE decided_by_id IS NOT NULL AND decision <> 'return'
        GROUP BY 1, decided_by_id HAVING count(*) > 1""",
    "an open dropout of somebody back in school": """
        SELECT d.id FROM registry_dropoutentry d JOIN registry_enrolment e ON e.student_id = d.student_id
        WHERE d.closed_on IS NULL AND NOT e.is_void AND e.status = '01'""",
    "a guest whose status is where she is a guest": f"""
        SELECT a.id FROM registry_attendance a JOIN registry_enrolment e ON e.student_id = a.student_id
        WHERE {_OPEN} AND a.host_id = e.school_id AND upper_inf(a.valid)""",
}  # fmt: skip


def broken() -> dict[str, list[Any]]:
    """The invariants that do not hold, each with rows that break it. Needs the scope of the whole country."""
    found = {}
    with connection.cursor() as cursor:
        for name, statement in NEVER.items():
            cursor.execute(f"{statement} LIMIT 5")
            if rows := [row[0] for row in cursor.fetchall()]:
                found[name] = rows
    return found


def silent(students: list[int]) -> list[int]:
    """Those of the pupils about whom the log says nothing: every change is one act (AU-1)."""
    told = set(
        Event.objects.filter(subject_type="student", subject_id__in=students).values_list(
            "subject_id", flat=True
        )
    )
    return sorted(set(students) - told)
