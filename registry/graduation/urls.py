from django.urls import path

from registry.graduation import views

app_name = "graduation"
urlpatterns = [
    path("", views.lists, name="lists"),
    path("new", views.create, name="create"),
    path("graduates", views.graduates, name="graduates"),
    path("graduates/<uuid:public_id>", views.graduate, name="graduate"),
    path("graduates/<uuid:public_id>/destination", views.destination, name="destination"),
    path("<uuid:public_id>", views.graduation, name="list"),
    path("<uuid:public_id>/rows", views.rows, name="rows"),
    path("<uuid:public_id>/refresh", views.refresh, name="refresh"),
    path("<uuid:public_id>/confirm", views.confirm, name="confirm"),
    path("<uuid:public_id>/return", views.give_back, name="return"),
    path("<uuid:public_id>/roll", views.roll, name="roll"),
]
