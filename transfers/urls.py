from django.urls import path

from transfers.views import cases, changes, numbers, queue, registration, reveal

app_name = "transfers"
urlpatterns = [
    path("register", registration.register, name="register"),
    path("register/form", registration.register_form, name="register_form"),
    path("register/check", registration.check, name="check"),
    path("register/divisions", registration.divisions, name="divisions"),
    path("queue", queue.queue, name="queue"),
    path("queue/approve", queue.approve, name="approve"),
    path("cases", cases.cases, name="cases"),
    path("cases/<str:number>", cases.case, name="case"),
    path("cases/<str:number>/decide", cases.decide, name="decide"),
    path("cases/<str:number>/withdraw", cases.withdraw, name="withdraw"),
    path("cases/<str:number>/reveal", reveal.reveal, name="reveal"),
    path("cases/<str:number>/correct", changes.correct, name="correct"),
    path("students/<uuid:public_id>/identity-change", changes.identity_change, name="identity_change"),
    path("numbers", numbers.numbers, name="numbers"),
    path("jobs/<int:pk>", numbers.job, name="job"),
]
