"""The root of the API: resources to read, acts to write; each app brings its own views."""

from django.contrib.auth.decorators import login_required
from django.urls import include, path
from rest_framework.routers import SimpleRouter

from accounts.api_docs import ApiDocs, ApiDocument, ApiDocumentYaml
from accounts.api_jobs import JobViewSet
from accounts.api_log import AccessViewSet, ActViewSet
from accounts.api_notices import NoticeViewSet
from accounts.api_people import PersonViewSet
from accounts.api_rules import RuleViewSet
from accounts.api_sealings import SealingViewSet
from accounts.api_substitutes import SubstituteViewSet
from accounts.api_warnings import WarningViewSet
from archives.api import MaterialView
from registry.api.codes import CodeListViewSet
from registry.api.exports import ExportViewSet
from registry.api.imports import ImportViewSet
from registry.api.places import ClassViewSet, SchoolViewSet
from registry.api.students import StudentViewSet
from registry.dropout.api import AbsenceViewSet, DropoutLedgerViewSet, DropoutReportViewSet
from registry.entries.api import EntryViewSet
from registry.school_year.api import PromotionViewSet
from registry.verification.api import CampaignViewSet, FindingViewSet, VerificationViewSet
from registry.verification.api_rolls import RollViewSet
from transfers.api import CaseViewSet
from transfers.api_enrolling import AdmissionListViewSet, AdmissionViewSet
from transfers.api_graduation import GraduateViewSet, GraduationViewSet
from transfers.api_kinds import KindViewSet
from transfers.api_offices import OfficeChangeViewSet
from transfers.api_pace import PaceView
from transfers.api_problems import ProblemViewSet
from transfers.api_waiting import HandoverViewSet, OverdueViewSet

router = SimpleRouter()
router.register("students", StudentViewSet, basename="student")
router.register("classes", ClassViewSet, basename="class")
router.register("rolls", RollViewSet, basename="roll")
router.register("campaigns", CampaignViewSet, basename="campaign")
router.register("verifications", VerificationViewSet, basename="verification")
router.register("findings", FindingViewSet, basename="finding")
router.register("schools", SchoolViewSet, basename="school")
router.register("cases", CaseViewSet, basename="case")
router.register("kinds", KindViewSet, basename="kind")
router.register("problems", ProblemViewSet, basename="problem")
router.register("entries", EntryViewSet, basename="entry")
router.register("absences", AbsenceViewSet, basename="absence")
router.register("dropout-ledgers", DropoutLedgerViewSet, basename="dropout-ledger")
router.register("dropout-reports", DropoutReportViewSet, basename="dropout-report")
router.register("exports", ExportViewSet, basename="export")
router.register("imports", ImportViewSet, basename="import")
router.register("codes", CodeListViewSet, basename="code")
router.register("jobs", JobViewSet, basename="job")
router.register("rules", RuleViewSet, basename="rule")
router.register("notices", NoticeViewSet, basename="notice")
router.register("people", PersonViewSet, basename="person")
router.register("sealings", SealingViewSet, basename="sealing")
router.register("log/acts", ActViewSet, basename="act")
router.register("log/access", AccessViewSet, basename="access")
router.register("warnings", WarningViewSet, basename="warning")
router.register("graduations", GraduationViewSet, basename="graduation")
router.register("admission-lists", AdmissionListViewSet, basename="admissionlist")
router.register("admissions", AdmissionViewSet, basename="admission")
router.register("graduates", GraduateViewSet, basename="graduate")
router.register("promotions", PromotionViewSet, basename="promotion")
router.register("overdue", OverdueViewSet, basename="overdue")
router.register("handovers", HandoverViewSet, basename="handover")
router.register("substitutes", SubstituteViewSet, basename="substitute")
router.register("office-changes", OfficeChangeViewSet, basename="office-change")

urlpatterns = [
    path("", include(router.urls)),
    path("pace/", PaceView.as_view(), name="pace"),
    path("materials/", MaterialView.as_view(), name="material-list"),
    path("openapi.json", ApiDocument.as_view(), name="api-document"),
    path("openapi.yaml", ApiDocumentYaml.as_view(), name="api-document-yaml"),
    # A page for people: who is not signed in is led to the sign-in page, not answered in JSON.
    path("docs", login_required(ApiDocs.as_view()), name="api-docs"),
]
