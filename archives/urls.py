from django.urls import path

from archives import photo_views, proof_views, sheet_views, views

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
    path("suspected/<int:pk>/answer", proof_views.suspicion_answer, name="suspicion_answer"),
    path("classes/<int:pk>/sheets", sheet_views.sheets, name="sheets"),
    path("classes/<int:pk>/sheets/<uuid:student>", sheet_views.sheet_print, name="sheet_print"),
    path("sheet-prints", sheet_views.sheet_prints, name="sheet_prints"),
    path("sheet-prints/<uuid:public_id>", sheet_views.sheet_made, name="sheet_made"),
    path("sheet-prints/<uuid:public_id>/download", sheet_views.sheet_file, name="sheet_file"),
    path("sheets", sheet_views.sheet_find, name="sheet_find"),
    path("sheets/<slug:code>", sheet_views.sheet, name="sheet"),
]
