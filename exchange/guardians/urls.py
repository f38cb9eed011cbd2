from django.urls import path

from exchange.guardians import views

app_name = "guardian"
urlpatterns = [
    path("", views.own_record, name="record"),
    path("enter", views.enter, name="enter"),
    path("dispute", views.dispute, name="dispute"),
    path("proof/<int:pk>", views.proof, name="proof"),
    path("leave", views.leave, name="leave"),
]
