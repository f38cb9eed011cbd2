from django.urls import path

from transfers.views import (
    batch,
    cases,
    changes,
    numbers,
    photos,
    placement,
    queue,
    registration,
    reveal,
    rules,
)

app_name = "transfers"
urlpatterns = [
    path("register", registration.register, name="register"),
    path("register/form", registration.register_form, name="register_form"),
    path("register/check", registration.check, name="check"),
    path("register/divisions", registration.divisions, name="divisions"),
    path("placement", placement.placement, name="placement"),
    path("queue", queue.queue, name="queue"),
    path("queue/approve", queue.approve, name="approve"),
    path("cases", cases.cases, name="cases"),
    path("cases/<str:number>", cases.case, name="case"),
    path("cases/<str:number>/decide", cases.decide, name="decide"),
    path("cases/<str:number>/withdraw", cases.withdraw, name="withdraw"),
    path("cases/<str:number>/rows", batch.case_rows, name="case_rows"),
    path("cases/<str:number>/photos", photos.case_photos, name="case_photos"),
    path("photos/<uuid:public_id>/submit", photos.submit, name="photos_submit"),
    path("cases/<str:number>/return-rows", batch.return_single, name="return_rows"),
    path("cases/<str:number>/reveal", reveal.reveal, name="reveal"),
    path("cases/<str:number>/correct", changes.correct, name="correct"),
    path("students/<uuid:public_id>/identity-change", changes.identity_change, name="identity_change"),
    path("rules", rules.rules_page, name="rules"),
    path("rules/<str:key>", rules.rule_page, name="rule"),
    path("rules/<str:key>/preview", rules.rule_preview, name="rule_preview"),
    path("rules/<str:key>/try", rules.rule_try, name="rule_try"),
    path("rules/<str:key>/set", rules.rule_set, name="rule_set"),
    path("rules/<str:key>/end", rules.rule_end, name="rule_end"),
    path("numbers", numbers.numbers, name="numbers"),
    path("jobs/<int:pk>", numbers.job, name="job"),
]
