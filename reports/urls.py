from django.urls import path

from reports import views

app_name = "reports"
urlpatterns = [
    path("", views.index, name="index"),
    path("files/<uuid:public_id>", views.made, name="made"),
    path("files/<uuid:public_id>/download", views.file, name="file"),
    path("evaluation", views.evaluation, name="evaluation"),
    path("<slug:code>", views.report, name="report"),
    path("<slug:code>/ask", views.ask, name="ask"),
    path("<slug:code>/refresh", views.refresh, name="refresh"),
]
