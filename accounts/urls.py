from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("sign-in", views.sign_in, name="sign_in"),
    path("sign-out", views.sign_out, name="sign_out"),
    path("post", views.switch_post, name="switch_post"),
    path("personas", views.personas, name="personas"),
    path("language", views.language, name="language"),
    path("help", views.help_page, name="help"),
    path("offices", views.offices, name="offices"),
    path("offices/<int:pk>", views.office, name="office"),
]
