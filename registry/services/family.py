from config.crypto import next_ids
from registry.models import FamilyMember, Student
from registry.record import fill_member


def replace_family(student: Student, blocks: list[dict[str, str]]) -> None:
    """Make the family's rows equal the form's blocks; an empty block removes its row (history keeps it)."""
    known = {member.ordinal: member for member in student.family.all()}
    for ordinal, block in enumerate(blocks, start=1):
        member = known.get(ordinal)
        if not block:
            if member:
                member.delete()
            continue
        is_new = member is None
        member = member or FamilyMember(
            id=next_ids("registry_familymember")[0],
            org_path=student.org_path,
            student=student,
            ordinal=ordinal,
        )
        fill_member(member, block)
        member.save(force_insert=is_new)
