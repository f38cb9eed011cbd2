from django.urls import path

from registry.dropout.views import absences, ledgers, lists

app_name = "dropout"
urlpatterns = [
    path("absences", absences.absences, name="absences"),
    path("absences/new", absences.absence_new, name="absence_new"),
    path("absences/<int:pk>", absences.absence, name="absence"),
    path("ledgers", ledgers.ledger_page, name="ledgers"),
    path("suspected/<int:pk>", ledgers.suspicion, name="suspicion"),
    path("suspected/<int:pk>/written", ledgers.written, name="written"),
    path("dropouts/<int:pk>", ledgers.dropout_entry, name="entry"),
    path("handed", ledgers.handed, name="handed"),
    path("handed/<int:pk>", ledgers.handed_one, name="handed_one"),
    path("reports", lists.reports, name="reports"),
    path("reports/<int:pk>/sign", lists.report_sign, name="report_sign"),
    path("watch-list", lists.watch_list, name="watch_list"),
    path("watch-list/<int:pk>/end", lists.watch_end, name="watch_end"),
    path("households", lists.households, name="households"),
    path("households/<int:pk>", lists.household, name="household"),
    path("push", lists.push, name="push"),
    path("push/<int:pk>", lists.pushed, name="pushed"),
]
