"""Pages of the school year: the calendar, and the promotion."""

from django.urls import path

from registry.school_year import views

app_name = "year"
urlpatterns = [
    path("calendar", views.calendar, name="calendar"),
    path("promotion", views.promotions, name="promotions"),
    path("promotion/rehearse", views.rehearse, name="rehearse"),
    path("promotion/<uuid:public_id>", views.run, name="run"),
    path("promotion/<uuid:public_id>/confirm", views.confirm, name="confirm"),
    path("promotion/<uuid:public_id>/unit/<int:pk>", views.unit, name="unit"),
    path("promotion/<uuid:public_id>/school/<int:pk>", views.school, name="school"),
    path("promotion/<uuid:public_id>/school/<int:pk>/undo", views.undo, name="undo"),
]
