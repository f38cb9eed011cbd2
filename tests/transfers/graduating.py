"""Lists of graduation as pages and cases leave them."""

from registry.graduation.afterwards import issue_proof
from registry.graduation.checking import examine
from registry.graduation.preparing import confirm, hand_in, open_list
from registry.models import CertificateProof, GraduationList, GraduationRecord
from tests import make


def make_graduation() -> tuple[GraduationList, GraduationRecord, CertificateProof]:
    """A draft of the school's grade 6; and a graduate of the list before it, with a proof."""
    school_class = make.make_class(grade="16", name="六(9)班")
    pupil = make.make_student(school_class)
    registrar, leader = make.make_registrar(), make.make_leader()
    done = open_list(make.make_office(make.SCHOOL), "16", actor=registrar)
    hand_in(done, examine(done).digest, actor=registrar)
    confirm(done, examine(done).digest, actor=leader)
    record = GraduationRecord.objects.get(student=pupil)
    proof = issue_proof(record, "ZM000000000001", "遗失", actor=registrar)
    make.make_student(make.make_class(grade="16", name="六(8)班"))
    return open_list(make.make_office(make.SCHOOL), "16", actor=registrar), record, proof
