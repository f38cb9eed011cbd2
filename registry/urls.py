from django.urls import path

from registry.views import (
    allowances,
    classes,
    editing,
    imports,
    problems,
    record,
    report_in,
    reveal,
    schools,
    search,
    students,
)

app_name = "registry"
urlpatterns = [
    path("students", students.students, name="students"),
    path("students/<uuid:public_id>", record.student, name="student"),
    path("students/<uuid:public_id>/edit", editing.edit, name="student_edit"),
    path("students/<uuid:public_id>/reveal", reveal.reveal, name="reveal"),
    path("classes", classes.classes, name="classes"),
    path("classes/<int:pk>", classes.school_class, name="school_class"),
    path("classes/<int:pk>/report-in", report_in.report_in, name="report_in"),
    path("classes/<int:pk>/seats", allowances.permit_seats, name="permit_seats"),
    path("schools/<int:pk>", schools.school, name="school"),
    path("schools/<int:pk>/plans", allowances.plans, name="plans"),
    path("problems", problems.problems, name="problems"),
    path("problems/<int:pk>", problems.problem, name="problem"),
    path("imports", imports.imports, name="imports"),
    path("imports/template", imports.template, name="import_template"),
    path("imports/<uuid:public_id>", imports.batch, name="import"),
    path("imports/<uuid:public_id>/progress", imports.progress, name="import_progress"),
    path("imports/<uuid:public_id>/cells", imports.cells, name="import_cells"),
    path("imports/<uuid:public_id>/preview", imports.preview, name="import_preview"),
    path("imports/<uuid:public_id>/check", imports.check, name="import_check"),
    path("imports/<uuid:public_id>/commit", imports.commit, name="import_commit"),
    path("imports/<uuid:public_id>/cancel", imports.cancel, name="import_cancel"),
    path("imports/<uuid:public_id>/workbook", imports.workbook, name="import_workbook"),
    path("search", search.search, name="search"),
    path("suggest", search.suggest, name="suggest"),
]
