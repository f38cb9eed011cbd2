"""Whose photo a file is, by its name: document number, 学校标识码_班号_姓名, or a name that is one pupil's
alone (HANDBOOK C4). Asked of all files at once, in constant queries, of this school only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from archives.photo_refusals import BadPhoto, OtherClass, PhotoTwice, PupilsAlike, PupilUnknown
from archives.photo_zip import shown_name, stem_of
from config.crypto import blind_index
from registry.identity import canonical, family, search_keys
from registry.models import Enrolment, IdentityDocument, SchoolClass
from registry.names import fold_name

_PASSPORT = "A"


@dataclass(slots=True)
class Named:
    """One file of the ZIP: its place and name there, what is shown of the name, whose it is or why not."""

    ordinal: int
    entry: str
    shown: str
    student_id: int | None = None
    failure: BadPhoto | None = None


def match(entries: Sequence[str], school_class: SchoolClass) -> list[Named]:
    """Each file with its pupil of `school_class`, or the reason why it has none."""
    roll = _Roll(school_class, [stem_of(entry) for entry in entries])
    found = [_match_one(ordinal, entry, roll) for ordinal, entry in enumerate(entries, 1)]
    files: dict[int, list[Named]] = {}
    for one in found:
        if one.student_id is not None:
            files.setdefault(one.student_id, []).append(one)
    for alike in (same for same in files.values() if len(same) > 1):
        numbers = "、".join(str(one.ordinal) for one in alike)
        for one in alike:
            one.failure = PhotoTwice(count=len(alike), files=numbers)
    return found


def _match_one(ordinal: int, entry: str, roll: "_Roll") -> Named:
    stem = stem_of(entry)
    by_number = roll.by_number(stem)
    named = Named(ordinal, entry, shown_name(entry, is_number=bool(by_number)))
    try:
        named.student_id = roll.choose(by_number or roll.by_name(stem))
    except BadPhoto as refusal:
        named.failure = refusal
    return named


class _Roll:
    """The pupils of one class and, to say where a child is, of the rest of the school: six queries."""

    def __init__(self, school_class: SchoolClass, stems: list[str]) -> None:
        self._class = school_class
        self._code = school_class.school.code
        spells = Enrolment.objects.in_school().filter(org_path=school_class.org_path)
        own = list(
            spells.filter(school_class=school_class).values_list("student_id", "name", "student__nationality")
        )
        self._own = {pk for pk, _name, _nation in own}
        self._names: dict[str, list[int]] = {}
        for pk, name, _nation in own:
            self._names.setdefault(fold_name(name), []).append(pk)
        nations = {nation for _pk, _name, nation in own}
        self._blinds = {stem: _blinds(stem, nations) for stem in stems}
        wanted = {blind for blinds in self._blinds.values() for blind in blinds}
        documents = IdentityDocument.objects.filter(org_path=school_class.org_path, blind__in=wanted)
        # A disputed number may stand in two records: then it tells nobody whose photo it is.
        self._holders: dict[UUID | None, set[int]] = {}
        for blind, pk in documents.values_list("blind", "student_id"):
            self._holders.setdefault(blind, set()).add(pk)
        folds = {fold_name(_last_part(stem)) for stem in stems}
        others = spells.exclude(school_class=school_class).filter(student__name_fold__in=folds)
        self._elsewhere: dict[str, set[int]] = {}
        for fold, pk in others.values_list("student__name_fold", "student_id"):
            self._elsewhere.setdefault(fold, set()).add(pk)
        strangers = set().union(*self._elsewhere.values(), *self._holders.values()) - self._own
        placed = spells.filter(student_id__in=strangers, school_class__isnull=False)
        self._places = dict(placed.values_list("student_id", "school_class__name"))

    def by_number(self, stem: str) -> list[int]:
        """The pupils of this school whose document's number `stem` is."""
        return sorted({pk for blind in self._blinds[stem] for pk in self._holders.get(blind, ())})

    def by_name(self, stem: str) -> list[int]:
        """The pupils who may be meant by a name, this class's before others."""
        parts = stem.replace("＿", "_").split("_")
        fold = fold_name(parts[-1])
        if len(parts) == 3 and (parts[0].strip(), parts[1].strip()) != (self._code, self._class.number):
            return sorted(self._elsewhere.get(fold, ())) if parts[0].strip() == self._code else []
        return self._names.get(fold) or sorted(self._elsewhere.get(fold, ()))

    def choose(self, pupils: list[int]) -> int:
        """The one pupil of this class among `pupils`. Raises PupilUnknown, PupilsAlike, OtherClass."""
        own = [pk for pk in pupils if pk in self._own]
        if len(own) > 1:
            raise PupilsAlike(count=len(own))
        if own:
            return own[0]
        places = [self._places[pk] for pk in pupils if pk in self._places]
        if len(set(places)) == 1:
            raise OtherClass(name=places[0])
        raise PupilUnknown()


def _last_part(stem: str) -> str:
    return stem.replace("＿", "_").rsplit("_", 1)[-1]


def _blinds(stem: str, nations: set[str]) -> list[UUID]:
    """The indexes of every document whose number `stem` may be; passports of the class's own nations."""
    keys = search_keys(stem)
    if stem.isascii() and stem.isalnum():
        keys += [(family(_PASSPORT), canonical(_PASSPORT, stem, nation)) for nation in nations if nation]
    return [blind_index(kind, form) for kind, form in keys]
