from django.urls import path

from accounts import notice_views, substitute_views, views

app_name = "accounts"
urlpatterns = [
    path("sign-in", views.sign_in, name="sign_in"),
    path("sign-out", views.sign_out, name="sign_out"),
    path("post", views.switch_post, name="switch_post"),
    path("personas", views.personas, name="personas"),
    path("language", views.language, name="language"),
    path("help", views.help_page, name="help"),
    path("notices", notice_views.notices, name="notices"),
    path("notices/read", notice_views.read_all, name="notices_read"),
    path("notices/choices", notice_views.choices, name="notice_choices"),
    path("notices/<int:pk>", notice_views.notice, name="notice"),
    path("substitutes", substitute_views.substitutes, name="substitutes"),
    path("substitutes/<int:pk>/end", substitute_views.end, name="substitute_end"),
    path("offices", views.offices, name="offices"),
    path("offices/<int:pk>", views.office, name="office"),
]
