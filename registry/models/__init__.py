"""Pupils, their documents and spells, schools and classes, and what the registry found wrong."""

from registry.models.changes import (
    AidRecognition,
    Attendance,
    AttendanceReport,
    DropoutEntry,
    EnrolmentSnapshot,
    HostNote,
    StatusChange,
)
from registry.models.code import CodeValue
from registry.models.enrolment import Enrolment, OpenBusiness
from registry.models.export import Export
from registry.models.intake import COLUMNS, Cells, ImportBatch, ImportFinding, ImportRow
from registry.models.person import FamilyMember, IdentityDocument, Student, StudentNumber
from registry.models.plan import IntakePlan, SeatPermission, StatusQuota
from registry.models.problem import ProblemRecord
from registry.models.protection import Protection, RevealRequest
from registry.models.reorganization import OfficeVersion, Reorganization
from registry.models.report_in import ReportIn
from registry.models.school import Campus, School, SchoolClass, Term

__all__ = [
    "COLUMNS",
    "AidRecognition",
    "Attendance",
    "AttendanceReport",
    "Campus",
    "Cells",
    "CodeValue",
    "DropoutEntry",
    "Enrolment",
    "EnrolmentSnapshot",
    "Export",
    "FamilyMember",
    "HostNote",
    "IdentityDocument",
    "ImportBatch",
    "ImportFinding",
    "ImportRow",
    "IntakePlan",
    "OfficeVersion",
    "OpenBusiness",
    "ProblemRecord",
    "Protection",
    "Reorganization",
    "ReportIn",
    "RevealRequest",
    "School",
    "SchoolClass",
    "SeatPermission",
    "StatusChange",
    "StatusQuota",
    "Student",
    "StudentNumber",
    "Term",
]
