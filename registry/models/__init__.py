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
from registry.models.dropout import (
    Absence,
    DropoutList,
    DropoutReport,
    HandedDropout,
    HouseholdList,
    HouseholdRow,
    PersuasionVisit,
    SuspectedDropout,
    WatchEntry,
)
from registry.models.enrolling import Admission, AdmissionList
from registry.models.enrolment import Enrolment, OpenBusiness
from registry.models.entry import EntrySheet, RecordEntry
from registry.models.export import Export
from registry.models.graduation import (
    CertificatePrint,
    CertificateProof,
    GraduationList,
    GraduationRecord,
    GraduationRow,
)
from registry.models.intake import COLUMNS, Cells, ImportBatch, ImportFinding, ImportRow
from registry.models.person import FamilyMember, IdentityDocument, Student, StudentNumber
from registry.models.plan import IntakePlan, SeatPermission, StatusQuota
from registry.models.problem import ProblemRecord
from registry.models.promotion import PromotionPart, PromotionRun, PromotionSchool
from registry.models.protection import Protection, RevealRequest
from registry.models.reorganization import OfficeVersion, Reorganization
from registry.models.report_in import ReportIn
from registry.models.roll import ClassRoll, ConfirmationSheet, RollMark
from registry.models.school import Campus, School, SchoolClass, Term
from registry.models.verification import (
    Campaign,
    CampaignUnit,
    Finding,
    Sample,
    SampleRow,
    SchoolVerification,
)

__all__ = [
    "COLUMNS",
    "Absence",
    "Admission",
    "AdmissionList",
    "AidRecognition",
    "Attendance",
    "AttendanceReport",
    "Campaign",
    "CampaignUnit",
    "Campus",
    "Cells",
    "CertificatePrint",
    "CertificateProof",
    "ClassRoll",
    "CodeValue",
    "ConfirmationSheet",
    "DropoutEntry",
    "DropoutList",
    "DropoutReport",
    "Enrolment",
    "EnrolmentSnapshot",
    "EntrySheet",
    "Export",
    "FamilyMember",
    "Finding",
    "GraduationList",
    "GraduationRecord",
    "GraduationRow",
    "HandedDropout",
    "HostNote",
    "HouseholdList",
    "HouseholdRow",
    "IdentityDocument",
    "ImportBatch",
    "ImportFinding",
    "ImportRow",
    "IntakePlan",
    "OfficeVersion",
    "OpenBusiness",
    "PersuasionVisit",
    "ProblemRecord",
    "PromotionPart",
    "PromotionRun",
    "PromotionSchool",
    "Protection",
    "Reorganization",
    "RecordEntry",
    "ReportIn",
    "RevealRequest",
    "RollMark",
    "Sample",
    "SampleRow",
    "School",
    "SchoolClass",
    "SchoolVerification",
    "SeatPermission",
    "StatusChange",
    "StatusQuota",
    "Student",
    "StudentNumber",
    "SuspectedDropout",
    "Term",
    "WatchEntry",
]
