from django.urls import path

from registry.views import classes, editing, problems, record, reveal, schools, search, students

app_name = "registry"
urlpatterns = [
    path("students", students.students, name="students"),
    path("students/<uuid:public_id>", record.student, name="student"),
    path("students/<uuid:public_id>/edit", editing.edit, name="student_edit"),
    path("students/<uuid:public_id>/reveal", reveal.reveal, name="reveal"),
    path("classes", classes.classes, name="classes"),
    path("classes/<int:pk>", classes.school_class, name="school_class"),
    path("schools/<int:pk>", schools.school, name="school"),
    path("problems", problems.problems, name="problems"),
    path("problems/<int:pk>", problems.problem, name="problem"),
    path("search", search.search, name="search"),
    path("suggest", search.suggest, name="suggest"),
]
