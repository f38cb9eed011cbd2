from django.urls import path

from registry.entries import sheet_views, views

app_name = "entries"
urlpatterns = [
    path("students/<uuid:public_id>/<slug:code>", views.add, name="add"),
    path("<int:pk>", views.end, name="end"),
    path("classes/<int:pk>", views.class_sheet, name="class_sheet"),
    path("sheets", sheet_views.upload, name="sheets"),
    path("sheets/template/<slug:code>", sheet_views.template, name="template"),
    path("sheets/<uuid:public_id>", sheet_views.sheet, name="sheet"),
    path("sheets/<uuid:public_id>/progress", sheet_views.progress, name="progress"),
    path("sheets/<uuid:public_id>/drop", sheet_views.drop, name="drop"),
]
