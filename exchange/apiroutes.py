"""Addresses for receivers outside; they stand beside the API of the staff and share none of its doors."""

from django.urls import path

from exchange.api import EnrolledView, ProvidedClassesView, ProvidedStudentsView

urlpatterns = [
    path("students/", ProvidedStudentsView.as_view(), name="provided-students"),
    path("classes/", ProvidedClassesView.as_view(), name="provided-classes"),
    path("enrolled/", EnrolledView.as_view(), name="provided-enrolled"),
]
