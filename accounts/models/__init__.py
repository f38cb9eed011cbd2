"""Who, where in the tree, with which right."""

from accounts.models.administration import (
    AccountList,
    CodePurpose,
    CodeRequest,
    OneUseCode,
    ResetRequest,
    StaffIdentity,
)
from accounts.models.notices import Notice, NoticeChoice
from accounts.models.offices import OfficeGrant, Organization, OrganizationQuerySet
from accounts.models.people import (
    NAME_LENGTH,
    HeldRight,
    Post,
    TrainingRecord,
    User,
    both_names,
    held_rights,
    oldest_training,
    trainings_valid,
)
from accounts.models.sealing import Sealing
from accounts.models.signing_in import Attempts, FormerPassword, SignIn

__all__ = [
    "NAME_LENGTH",
    "AccountList",
    "Attempts",
    "CodePurpose",
    "CodeRequest",
    "FormerPassword",
    "HeldRight",
    "Notice",
    "NoticeChoice",
    "OfficeGrant",
    "OneUseCode",
    "Organization",
    "OrganizationQuerySet",
    "Post",
    "ResetRequest",
    "Sealing",
    "SignIn",
    "StaffIdentity",
    "TrainingRecord",
    "User",
    "both_names",
    "held_rights",
    "oldest_training",
    "trainings_valid",
]
