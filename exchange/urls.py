from django.urls import path

from exchange import oauth, views
from exchange.guardians import views as guardians

app_name = "exchange"
urlpatterns = [
    path("token", oauth.token, name="token"),
    path("keys", oauth.keys, name="keys"),
    path("grants", views.grants, name="grants"),
    path("grants/new", views.propose_grant, name="propose"),
    path("grants/<uuid:public_id>", views.grant, name="grant"),
    path("grants/<uuid:public_id>/stop", views.stop_grant, name="stop"),
    path("grants/<uuid:public_id>/receiver", views.receiver_changed, name="receiver_changed"),
    path("grants/<uuid:public_id>/clients", views.new_client, name="new_client"),
    path("grants/<uuid:public_id>/clients/<int:pk>/stop", views.end_client, name="end_client"),
    path("guardian-codes/<uuid:public_id>", guardians.hand_over, name="guardian_codes"),
    path("guardian-codes/<int:pk>/end", guardians.end_code, name="guardian_code_end"),
]
