from django.urls import include, path

from config.health import health
from transfers.views.home import home

urlpatterns = [
    path("healthz", health, name="health"),
    path("accounts/", include("accounts.urls")),
    path("audit/", include("audit.urls")),
    path("registry/", include("registry.urls")),
    path("verification/", include("registry.verification.urls")),
    path("year/", include("registry.school_year.urls")),
    path("graduation/", include("registry.graduation.urls")),
    path("enrolling/", include("registry.enrolling.urls")),
    path("dropout/", include("registry.dropout.urls")),
    path("entries/", include("registry.entries.urls")),
    path("archives/", include("archives.urls")),
    path("exchange/", include("exchange.urls")),
    path("reports/", include("reports.urls")),
    path("guardian/", include("exchange.guardians.urls")),
    path("api/v1/provided/", include("exchange.apiroutes")),
    path("api/v1/", include("reports.apiroutes")),
    path("api/v1/", include("transfers.apiroutes")),
    path("", home, name="home"),
    path("", include("transfers.urls")),
]
handler400 = "config.errorpages.bad_request"
handler403 = "config.errorpages.permission_denied"
handler404 = "config.errorpages.not_found"
handler500 = "config.errorpages.server_error"
