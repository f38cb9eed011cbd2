from django.urls import path

from audit import views, warning_views

app_name = "audit"
urlpatterns = [
    path("events", views.events, name="events"),
    path("access", views.access, name="access"),
    path("entries/<str:source>/<int:pk>", views.entry, name="entry"),
    path("entries/<str:source>/<int:pk>/proof", views.proof, name="proof"),
    path("checkpoints", views.checkpoints, name="checkpoints"),
    path("checkpoints/<int:number>/<str:form>", views.checkpoint, name="checkpoint"),
    path("warnings", warning_views.warnings, name="warnings"),
    path("warnings/<int:pk>", warning_views.warning, name="warning"),
    path("warnings/<int:pk>/take", warning_views.take, name="warning_take"),
    path("warnings/<int:pk>/close", warning_views.close, name="warning_close"),
]
