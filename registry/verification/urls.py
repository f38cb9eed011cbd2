from django.urls import path

from registry.verification import views, views_rolls, views_samples

app_name = "verification"
urlpatterns = [
    path("", views.home, name="home"),
    path("open", views.open_campaign, name="open"),
    path("<int:pk>/again", views.again, name="again"),
    path("<int:pk>/running", views.running, name="running"),
    path("schools/<int:pk>", views.school, name="school"),
    path("schools/<int:pk>/act", views.school_act, name="school_act"),
    path("findings", views.findings, name="findings"),
    path("findings/<int:pk>", views.finding, name="finding"),
    path("findings/<int:pk>/act", views.finding_act, name="finding_act"),
    path("samples", views_samples.samples, name="samples"),
    path("samples/<int:pk>", views_samples.sample, name="sample"),
    path("rolls", views_rolls.rolls, name="rolls"),
    path("rolls/<int:pk>", views_rolls.roll, name="roll"),
]
