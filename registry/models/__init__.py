"""Pupils, their documents and spells, schools and classes, and what the registry found wrong."""

from registry.models.code import CodeValue
from registry.models.enrolment import Enrolment, OpenBusiness
from registry.models.person import FamilyMember, IdentityDocument, Student, StudentNumber
from registry.models.problem import ProblemRecord
from registry.models.school import Campus, School, SchoolClass, Term

__all__ = [
    "Campus",
    "CodeValue",
    "Enrolment",
    "FamilyMember",
    "IdentityDocument",
    "OpenBusiness",
    "ProblemRecord",
    "School",
    "SchoolClass",
    "Student",
    "StudentNumber",
    "Term",
]
