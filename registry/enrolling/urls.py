from django.urls import path

from registry.enrolling import views

app_name = "enrolling"
urlpatterns = [
    path("results", views.results, name="results"),
    path("results/template", views.template, name="template"),
    path("admissions", views.admissions, name="admissions"),
    path("admissions/<int:pk>/settle", views.settle, name="settle"),
    path("classes/<int:pk>/numbers", views.number_class, name="number_class"),
]
