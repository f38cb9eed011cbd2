"""The semester's verification in the demonstration: pupils reported in, and a province has checked."""

from datetime import timedelta

from django.db import connection

from accounts.models import User
from config.clock import today
from registry.models import Finding
from registry.services.intake_rules import present_term
from registry.status import IN_SCHOOL
from registry.verification.campaigns import open_campaign
from registry.verification.running import verify as run

_OFFICER = "demo.province.reviewer"
# Most classes have noted who came; here and there somebody did not.
_REPORTS = """
INSERT INTO registry_reportin
  (org_path, student_id, school_class_id, school_year, semester, is_present, noted_on, noted_by_id,
   noted_by_name)
SELECT org_path, student_id, school_class_id, %s, %s, student_id %% 90 <> 0, %s, %s, '演示数据'
FROM registry_enrolment
WHERE status = ANY (%s) AND NOT is_void AND school_class_id IS NOT NULL AND school_class_id %% 12 <> 0"""


def verify(users: dict[str, User]) -> int:
    """Note the report-in of this term, let the province open its campaign and check; how many findings."""
    officer = users[_OFFICER]
    officer.acting_post = officer.posts.get()
    term = present_term(officer.acting_path, today())
    with connection.cursor() as cursor:
        cursor.execute(_REPORTS, [term.school_year, term.semester, today(), officer.pk, list(IN_SCHOOL)])
    campaign = open_campaign(actor=officer, due_on=today() + timedelta(days=25))
    run(campaign.job_id)
    return Finding.objects.filter(campaign=campaign).count()
