"""The statistics' part of the API."""

from rest_framework.routers import SimpleRouter

from reports.api import ReportFileViewSet, ReportViewSet

router = SimpleRouter()
router.register("reports", ReportViewSet, basename="report")
router.register("report-files", ReportFileViewSet, basename="report-file")
urlpatterns = router.urls
