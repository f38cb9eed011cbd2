"""The root of the API: resources to read, acts to write; each app brings its own views."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from archives.api import MaterialView
from registry.api import ClassViewSet, SchoolViewSet, StudentViewSet
from transfers.api import CaseViewSet

router = SimpleRouter()
router.register("students", StudentViewSet, basename="student")
router.register("classes", ClassViewSet, basename="class")
router.register("schools", SchoolViewSet, basename="school")
router.register("cases", CaseViewSet, basename="case")

urlpatterns = [
    path("", include(router.urls)),
    path("materials/", MaterialView.as_view(), name="material-list"),
]
