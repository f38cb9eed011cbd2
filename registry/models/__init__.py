"""Pupils, their documents and spells, schools and classes, and what the registry found wrong."""

from registry.models.code import CodeValue
from registry.models.enrolment import Enrolment, OpenBusiness
from registry.models.intake import COLUMNS, Cells, ImportBatch, ImportFinding, ImportRow
from registry.models.person import FamilyMember, IdentityDocument, Student, StudentNumber
from registry.models.plan import IntakePlan, SeatPermission, StatusQuota
from registry.models.problem import ProblemRecord
from registry.models.report_in import ReportIn
from registry.models.school import Campus, School, SchoolClass, Term

__all__ = [
    "COLUMNS",
    "Campus",
    "Cells",
    "CodeValue",
    "Enrolment",
    "FamilyMember",
    "IdentityDocument",
    "ImportBatch",
    "ImportFinding",
    "ImportRow",
    "IntakePlan",
    "OpenBusiness",
    "ProblemRecord",
    "ReportIn",
    "School",
    "SchoolClass",
    "SeatPermission",
    "StatusQuota",
    "Student",
    "StudentNumber",
    "Term",
]
