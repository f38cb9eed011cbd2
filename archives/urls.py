from django.urls import path

from archives import photo_views, sheet_views, views

app_name = "archives"
urlpatterns = [
    path("upload", views.upload, name="upload"),
    path("materials/<uuid:public_id>", views.material, name="material"),
    path("materials/<uuid:public_id>/remove", views.remove, name="remove"),
    path("photos/<uuid:public_id>", views.photo, name="photo"),
    path("photo-batches", photo_views.photos, name="photos"),
    path("photo-batches/<uuid:public_id>", photo_views.photo_batch, name="photo_batch"),
    path("photo-batches/<uuid:public_id>/progress", photo_views.photo_progress, name="photo_progress"),
    path("photo-batches/<uuid:public_id>/cancel", photo_views.photo_cancel, name="photo_cancel"),
    path("photo-files/<uuid:public_id>", photo_views.photo_file, name="photo_file"),
    path("classes/<int:pk>/sheets", sheet_views.sheets, name="sheets"),
    path("classes/<int:pk>/sheets/print", sheet_views.sheets_print, name="sheets_print"),
    path("sheets", sheet_views.sheet_find, name="sheet_find"),
    path("sheets/<slug:code>", sheet_views.sheet, name="sheet"),
]
