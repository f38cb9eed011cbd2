from django.urls import path

from registry.enrolling import views

app_name = "enrolling"
urlpatterns = [
    path("results", views.results, name="results"),
    path("results/<uuid:public_id>", views.result, name="result"),
    path("results/template", views.template, name="template"),
    path("admissions", views.admissions, name="admissions"),
    path("admissions/<int:pk>/drop", views.drop, name="drop"),
    path("classes/<int:pk>/numbers", views.number_class, name="number_class"),
]
