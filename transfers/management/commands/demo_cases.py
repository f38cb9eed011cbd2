"""Cases in every state for the demonstration country, filed and decided by its own personas."""

import io
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from PIL import Image, ImageDraw

from accounts.models import Organization, User
from accounts.personas import require_demo
from accounts.rights import valid_posts
from archives import photos
from archives.demo_photos import class_zip
from archives.models import PhotoBatch
from archives.photo_checking import check_batch as check_photos
from archives.services import add_material
from config.clock import today
from config.models import Outbox
from config.scope import NATION, scope, scoped_transaction
from registry.demo.exports import ask_for_exports
from registry.demo.promotion import rehearse_promotion
from registry.demo.pupils import newcomer
from registry.fields import TEMPLATE
from registry.intake.annotated import write_annotated
from registry.intake.arriving import take_in
from registry.intake.checking import check_batch
from registry.intake.deciding import commit
from registry.intake.preview import preview
from registry.intake.sheet import HEADING_ROWS
from registry.models import Enrolment, ImportBatch, SchoolClass
from transfers.completion import perform_owed
from transfers.demo_changes import Players
from transfers.demo_problems import play_problems
from transfers.kinds.registration import REGISTRATION
from transfers.models import Case, Step
from transfers.photos import submit_photos
from transfers.services import decide, file_case, withdraw
from transfers.submission import submit_batch

_PAPER = "01"
STORY = ("demo.school.registrar", "demo.school.leader", "demo.county.reviewer")
OTHER = ("demo.other.registrar", "demo.other.leader", "demo.other.reviewer")
TOWNSHIP = ("demo.township.school.registrar", "demo.township.school.leader", "demo.township.reviewer")
# Whose school, and what has happened: the first letters of the decisions in order, then how it ended.
CASES = (
    (STORY, "", ""),
    (STORY, "", ""),
    (STORY, "a", ""),
    (STORY, "a", "late"),
    (STORY, "a", ""),
    (STORY, "ar", ""),
    (STORY, "af", ""),
    (STORY, "aa", "done"),
    (STORY, "aa", "done"),
    (STORY, "", "withdrawn"),
    (OTHER, "a", ""),
    (OTHER, "aa", "done"),
    (TOWNSHIP, "a", ""),
    (TOWNSHIP, "", ""),
)
_DECISIONS = {"a": "approve", "r": "return", "f": "refuse"}
_REASONS = {"a": "", "r": "户口簿复印件缺少增减页，请补传", "f": "该生户籍与招生范围不符"}


def persona(username: str) -> User:
    user = User.objects.get(username=username)
    user.acting_post = valid_posts(user)[0]
    return user


def paper(seed: int) -> bytes:
    """A picture that looks like a scanned page; nothing on it is anybody's."""
    image = Image.new("RGB", (900, 1200), (247, 244, 236))
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 60, 840, 1140), outline=(150, 60, 50), width=4)
    for line in range(14):
        top = 160 + line * 66
        draw.line((110, top, 790, top), fill=(190, 185, 175), width=2)
        draw.rectangle((120, top - 34, 320 + (seed * 53 + line * 97) % 420, top - 18), fill=(110, 110, 118))
    draw.ellipse((600, 900, 780, 1080), outline=(190, 50, 45), width=6)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


class Command(BaseCommand):
    """File and decide demonstration cases, once: waiting, late, returned, refused, withdrawn and done."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        require_demo()
        with scoped_transaction(NATION):
            if Case.objects.exists():
                self.stdout.write("演示办件已存在，未作改动。")
                return
        for number, (cast, decisions, ending) in enumerate(CASES):
            self._play(number, [persona(name) for name in cast], decisions, ending)
        players = Players(paper)
        changes = players.play_all()
        changes += play_problems(players)
        registrar = persona(STORY[0])
        self._import(registrar, "一年级新生.xlsx", 36, spoilt=())
        self._import(registrar, "插班补登.xlsx", 24, spoilt=(3, 8, 8, 15))
        self._collect_photos([persona(name) for name in STORY])
        exports = ask_for_exports(registrar, persona(STORY[1]))
        units = rehearse_promotion(persona("demo.nation.national_operator"))
        self.stdout.write(
            f"演示办件：{len(CASES) + changes} 件；批量导入 2 份，一份已成为办件，一份有待改正；"
            f"照片 2 批，一批待核准；导出 {exports} 份，一份待审批；升级演练 {units} 个单位。"
        )

    def _play(self, number: int, cast: list[User], decisions: str, ending: str) -> None:
        registrar, reviewers = cast[0], cast[1:]
        with transaction.atomic(), scope(NATION):
            school = Organization.objects.get(path=registrar.acting_path)
            school_class = self._class_with_room(school)
            paper_of = add_material(paper(number), kind="document", evidence_type=_PAPER, actor=registrar)
            case = file_case(
                REGISTRATION,
                school,
                actor=registrar,
                materials=[paper_of],
                payload={"class_id": school_class.pk},
                values=newcomer(today(), seed=number),
                class_id=school_class.pk,
            )
            for letter, reviewer in zip(decisions, reviewers, strict=False):
                decide(
                    Case.objects.get(pk=case.pk),
                    _DECISIONS[letter],
                    actor=reviewer,
                    reason=_REASONS[letter],
                    ticked=[_PAPER],
                )
            if ending == "withdrawn":
                withdraw(case, actor=registrar, reason="家长改报其他学校")
            if ending == "late":
                Step.objects.filter(case=case, is_current=True).update(due_on=today() - timedelta(days=3))
        if ending == "done":
            for owed in Outbox.objects.filter(done_at=None).order_by("id").values_list("pk", flat=True):
                perform_owed(owed)

    def _import(self, registrar: User, name: str, count: int, spoilt: tuple[int, ...]) -> None:
        """Hand a workbook in as the registrar does; one without faults becomes a case."""
        with transaction.atomic(), scope(NATION):
            school = Organization.objects.get(path=registrar.acting_path)
            number = self._class_with_room(school, f"9{count}").number
            rows = [newcomer(today(), seed=count * 100 + n) for n in range(count)]
            for turn, row in enumerate(spoilt):
                rows[row] |= ({"phone": "1380013"}, {"ethnic_group": "火星族"})[turn % 2]
            texts = [[(row | {"class_number": number}).get(f.key, "") for f in TEMPLATE] for row in rows]
            content = write_annotated(enumerate(texts, start=HEADING_ROWS + 1), {})
            batch = take_in(name, content, actor=registrar)
        check_batch(batch.job_id or 0)
        if spoilt:
            return
        with transaction.atomic(), scope(NATION):
            batch = ImportBatch.objects.get(pk=batch.pk)
            seen = preview(batch, actor=registrar)
            job = commit(batch, seen["hash"], actor=registrar, is_attested=True)
        submit_batch(job.pk)

    def _collect_photos(self, cast: list[User]) -> None:
        """The photos of two classes: one waits for the county, one has files that are not taken."""
        registrar, leader = cast[0], cast[1]
        for turn, wrong in enumerate((False, True)):
            with transaction.atomic(), scope(NATION):
                classes = SchoolClass.objects.select_related("school").filter(org_path=registrar.acting_path)
                school_class = classes.filter(grade="13").order_by("number")[turn]
                spells = (
                    Enrolment.objects.in_school().filter(school_class=school_class).order_by("name_py", "id")
                )
                start = f"{school_class.school.code}_{school_class.number}"
                names = spells.values_list("name", flat=True)
                content = class_zip((f"{start}_{name}" for name in names), wrong=wrong)
                batch = photos.take_in(school_class, f"{school_class.name}.zip", content, actor=registrar)
            check_photos(batch.job_id or 0)
            if wrong:
                return
            with transaction.atomic(), scope(NATION):
                batch = PhotoBatch.objects.get(pk=batch.pk)
                case = submit_photos(batch, actor=registrar, skips_wrong=True)
                decide(Case.objects.get(pk=case.pk), "approve", actor=leader)

    def _class_with_room(self, school: Organization, place: str = "901") -> SchoolClass:
        """A first-grade class of its own for the newcomers: the demonstration's others are nearly full."""
        others = SchoolClass.objects.filter(org_path=school.path, grade="11").order_by("number")
        model = others[0]
        school_class, _made = SchoolClass.objects.get_or_create(
            org_path=school.path,
            school=model.school,
            number=f"{model.number[:4]}{place}",
            defaults={"name": f"{model.number[:4]}级新生{place}班", "grade": "11", "type": model.type},
        )
        return school_class
