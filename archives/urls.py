from django.urls import path

from archives import views

app_name = "archives"
urlpatterns = [
    path("upload", views.upload, name="upload"),
    path("materials/<uuid:public_id>", views.material, name="material"),
    path("materials/<uuid:public_id>/remove", views.remove, name="remove"),
    path("photos/<uuid:public_id>", views.photo, name="photo"),
]
