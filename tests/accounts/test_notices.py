"""Notices in the page and by e-mail as each chooses, and standing in for somebody absent."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Notice, Post, User
from accounts.notices import KINDS, choose, notify, purge, unread_in_words
from accounts.rights import acting_at
from accounts.tasks import purge_notices, send_notices
from audit.models import AccessEntry, Event
from audit.sentences import sentence
from config.clock import today
from config.errors import NotAllowed
from config.settings import mail as read_mail_url
from tests import make
from tests.transfers.filing import file_pupil
from transfers.models import Case, Step

pytestmark = pytest.mark.usefixtures("nation")
LIST, CHOICES, SUBSTITUTES = (
    reverse(f"accounts:{name}") for name in ("notices", "notice_choices", "substitutes")
)
CASE = "/transfers/cases/ZC260901000042"


def of(user: User) -> list[str]:
    return list(Notice.objects.filter(user=user).order_by("id").values_list("kind", flat=True))


def tell(*users: User, kind: str = "urged", key: str = "", number: str = "ZC260901000042") -> None:
    pks = [user.pk for user in users]
    notify(pks, kind, f"南山区教育局催办：学籍注册（{number}）", CASE, about=number, once_key=key)


@pytest.fixture
def mail_is_on(settings: Any) -> Any:
    settings.MAIL_IS_ON = True
    return settings


# ── In the page ───────────────────────────────────────────────────────────────────────────────────────────
def test_the_bell_counts_and_a_notice_leads_where_it_says(client: Client) -> None:
    reader, other = make.make_reviewer(), make.make_reviewer()
    tell(reader, key="a")
    tell(reader, other, key="a")  # she has it already
    client.force_login(reader)
    assert '<span class="unread">1</span>' in client.get(LIST).text
    notice = Notice.objects.get(user=reader)
    opened = client.post(reverse("accounts:notice", args=[notice.pk]))
    assert (opened.status_code, opened["Location"]) == (302, CASE)
    assert "unread" not in client.get(reverse("accounts:help")).text
    read_at = Notice.objects.get(pk=notice.pk).read_at
    client.post(reverse("accounts:notice", args=[notice.pk]))
    assert Notice.objects.get(pk=notice.pk).read_at == read_at
    foreign = Notice.objects.get(user=other)
    for answer in (
        client.post(reverse("accounts:notice", args=[foreign.pk])),
        client.post(reverse("accounts:notices_read"), {"newest": foreign.pk}),
        client.get(LIST, {"after": foreign.pk}),
        client.get(LIST, {"unread": "yes"}),
        client.post(f"/api/v1/notices/{foreign.pk}/read/", {}, content_type="application/json"),
    ):
        assert answer.status_code == 404
    assert Notice.objects.get(pk=foreign.pk).read_at is None
    Notice.objects.filter(pk=notice.pk).update(target="//elsewhere.example/")  # never a way out
    assert client.post(reverse("accounts:notice", args=[notice.pk]))["Location"] == LIST


def test_the_list_pages_by_key_at_constant_cost_and_the_bell_ends_at_99(client: Client) -> None:
    reader = make.make_reviewer()
    client.force_login(reader)
    tell(reader)
    client.get(LIST)
    with CaptureQueriesContext(connection) as one:
        client.get(LIST)
    for _more in range(104):
        tell(reader)
    with CaptureQueriesContext(connection) as many:
        first = client.get(LIST)
    assert len(one) == len(many)
    assert (len(first.context["rows"]), unread_in_words(reader)) == (50, "99+")
    second = client.get(LIST, {"after": first.context["after"], "unread": "1"})
    assert second.context["rows"][0][0].pk < first.context["rows"][-1][0].pk
    api = client.get("/api/v1/notices/").json()
    assert (len(api["results"]), api["total"], "after=" in api["next"]) == (50, 105, True)
    read = client.post(f"/api/v1/notices/{api['results'][0]['id']}/read/", {}, "application/json")
    assert read.json()["read_at"]
    assert client.get("/api/v1/notices/?unread=true").json()["total"] == 104
    since = first.context["newest"]
    tell(reader)
    assert client.post(reverse("accounts:notices_read"), {"newest": since}).status_code == 302
    assert unread_in_words(reader) == "1"  # what came since she looked stays


def test_who_wants_none_or_cannot_sign_in_gets_none_and_old_ones_are_forgotten(client: Client) -> None:
    reader, sealed, gone = make.make_reviewer(), make.make_reviewer(), make.make_reviewer()
    User.objects.filter(pk=sealed.pk).update(sealed_at=timezone.now())
    User.objects.filter(pk=gone.pk).update(is_active=False)
    client.force_login(reader)
    sent = {f"{code}_page": "on" for code in KINDS if code != "urged"}
    assert client.post(CHOICES, sent | {"email": ""}).status_code == 302
    tell(reader, sealed, gone)
    tell(reader, sealed, gone, kind="case_ended")
    assert (of(reader), of(sealed), of(gone)) == (["case_ended"], [], [])
    assert client.post(CHOICES, sent | {"email": "nowhere"}).status_code == 400
    assert client.post(CHOICES, sent | {"sealed_at": "1"}).status_code == 400
    with pytest.raises(KeyError):
        tell(reader, kind="gossip")
    tell(reader, kind="handover")
    long_ago = timezone.now() - timedelta(days=91)
    Notice.objects.filter(user=reader, kind="case_ended").update(read_at=long_ago, created_at=long_ago)
    Notice.objects.filter(user=reader, kind="handover").update(created_at=long_ago)
    assert purge_notices() >= 1
    assert (of(reader), purge()) == (["handover"], 0)  # unread: kept for a year


# ── By e-mail ─────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("RE-8")
def test_an_email_says_kind_number_and_link_and_nothing_else(client: Client, mail_is_on: Any) -> None:
    reader = make.make_reviewer(email="reader@example.cn")
    quiet = make.make_reviewer(email="quiet@example.cn")
    nowhere = make.make_reviewer()
    choose(quiet, quiet.email, dict.fromkeys(KINDS, (True, False)))
    tell(reader, quiet, nowhere, key="a")
    tell(reader, quiet, nowhere, kind="step_overdue", key="b", number="ZX260901000007")
    tell(reader, kind="step_arrived")  # many a day: not mailed unless asked for
    assert (send_notices(), send_notices()) == (1, 0)
    (message,) = mail.outbox
    assert message.to == ["reader@example.cn"]
    assert message.subject == "【学籍】2 条新通知"
    for words in ("催办 ZC260901000042", "超期督办 ZX260901000007", f"http://127.0.0.1:8000{CASE}"):
        assert words in message.body
    assert "南山区" not in f"{message.subject}{message.body}"
    assert Notice.objects.filter(user=reader, emailed_at=None).count() == 1
    # Where no mail is set up nothing is sent, nor saved up for the day it is.
    mail_is_on.MAIL_IS_ON = False
    tell(reader, key="c")
    client.force_login(reader)
    assert "没有配置邮件服务器" in client.get(CHOICES).text
    assert send_notices() == 0
    mail_is_on.MAIL_IS_ON = True
    assert "没有配置邮件服务器" not in client.get(CHOICES).text
    assert send_notices() == 0
    tell(reader, key="d")
    Notice.objects.filter(user=reader, once_key="d").update(created_at=timezone.now() - timedelta(days=3))
    assert send_notices() == 0  # stale after an outage


def test_a_refused_address_does_not_hold_up_the_others_and_a_server_that_is_away_is_tried_again(
    mail_is_on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong, right = (make.make_reviewer(email=f"{name}@example.cn") for name in ("wrong", "right"))
    tell(wrong, right)
    backend = mail.get_connection().__class__
    deliver = backend.send_messages

    def away(self: Any, messages: Any) -> int:
        raise ConnectionRefusedError

    def picky(self: Any, messages: Any) -> int:
        if "wrong@example.cn" in messages[0].to:
            raise smtplib.SMTPRecipientsRefused({})
        return int(deliver(self, messages))

    monkeypatch.setattr(backend, "send_messages", away)
    assert (send_notices(), mail.outbox) == (0, [])
    monkeypatch.setattr(backend, "send_messages", picky)
    assert (send_notices(), send_notices()) == (1, 0)
    assert [message.to for message in mail.outbox] == [["right@example.cn"]]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", ("smtp", "mail.example", 25, "", False, False)),
        ("smtp+tls://a%40b:p%2Fw@mail.example", ("smtp", "mail.example", 587, "a@b", True, False)),
        ("smtps://mail.example:10465", ("smtp", "mail.example", 10465, "", False, True)),
        ("console:", ("console", "localhost", 25, "", False, False)),
        ("file:///tmp/x", ("filebased", "localhost", 25, "", False, False)),
        ("ftp://mail.example", None),
    ],
)
def test_the_address_of_the_mail_server_is_read_or_refused(url: str, expected: Any) -> None:
    from django.core.exceptions import ImproperlyConfigured

    if expected is None:
        with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
            read_mail_url(url)
        return
    read = read_mail_url(url)
    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_USE_TLS", "EMAIL_USE_SSL")
    backend = str(read["EMAIL_BACKEND"]).split(".")[-2]
    assert (backend, *(read[name] for name in names)) == expected


# ── Standing in ───────────────────────────────────────────────────────────────────────────────────────────
def naming(post: Post, colleague: User, first: int = 0, last: int = 9, **changes: str) -> dict[str, Any]:
    day = today()
    days = {
        "first": (day + timedelta(days=first)).isoformat(),
        "last": (day + timedelta(days=last)).isoformat(),
    }
    return {"post": post.pk, "colleague": colleague.pk, **days, "reason": "外出培训", **changes}


@pytest.fixture
def office() -> dict[str, Any]:
    """A school whose leader is away."""
    return {
        "class": make.make_class(),
        "registrar": make.make_registrar(),
        "leader": make.make_leader(name="王审核"),
        "colleague": make.make_user("head_teacher", make.SCHOOL, name="李老师"),
        "administrator": make.make_user("system_administrator", make.SCHOOL),
    }


@pytest.mark.rule("AZ-7", "R-ACC-02", "R-ACC-08")
def test_a_substitute_signs_with_both_names_under_that_post_only(
    client: Client, office: dict[str, Any]
) -> None:
    client.force_login(office["administrator"])
    post = office["leader"].acting_post
    assert client.post(SUBSTITUTES, naming(post, office["colleague"])).status_code == 302
    assert (of(office["colleague"]), of(office["leader"])) == (["substitute"], ["substitute"])
    named = Post.objects.get(stands_for=office["leader"])
    event = Event.objects.get(action="accounts.post.substitute", subject_id=named.pk)
    assert (event.org_path, event.reason) == (make.SCHOOL, "外出培训")
    assert "安排李老师代王审核办理学籍主管领导事务" in sentence(event)
    case = file_pupil(office)
    decide = reverse("transfers:decide", args=[case.number])
    yes = {"decision": "approve", "ticked": ["01"]}
    client.force_login(office["colleague"])
    assert client.post(decide, yes).status_code in (403, 404)  # under her own post she may not
    client.post(reverse("accounts:switch_post"), {"post": named.pk})
    assert "学籍主管领导（代王审核）" in client.get(reverse("home")).text
    assert client.post(decide, yes).status_code == 302
    step = Step.objects.get(case=case, decision="approve")
    both = "李老师（代王审核）"
    assert (step.decided_by_id, step.decided_by_name) == (office["colleague"].pk, both)
    signed = Event.objects.get(action="transfers.case.approve", subject_id=case.pk)
    assert (signed.actor_id, signed.actor_name) == (office["colleague"].pk, both)
    assert both in sentence(signed)
    read = AccessEntry.objects.filter(actor_id=office["colleague"].pk).order_by("-id")[0]
    assert read.actor_name == both
    reader = make.make_leader()
    client.force_login(reader)
    found = client.get(reverse("audit:events"), {"actor": "李老师"}).context["rows"]
    assert signed.pk in [row["event"].pk for row in found]
    job = acting_at(office["colleague"].pk, "review_case", at=make.SCHOOL)
    assert job.signing_name == both
    # The absent herself ends it with one press; the rights end in the same moment.
    client.force_login(office["leader"])
    end = reverse("accounts:substitute_end", args=[named.pk])
    (listed,) = client.get(reverse("substitute-list")).json()["results"]
    assert (listed["id"], listed["substitute"], listed["instead_of"]) == (named.pk, "李老师", "王审核")
    by_api = {"content_type": "application/json", "headers": {"Idempotency-Key": "stand-in-0001"}}
    assert client.post(reverse("substitute-end", args=[named.pk]), {}, **by_api).status_code == 200
    assert "提前结束了李老师代王审核" in sentence(
        Event.objects.get(action="accounts.post.substitute_end", subject_id=named.pk)
    )
    assert client.post(end).status_code == 404  # nothing is arranged any more
    with pytest.raises(NotAllowed):
        acting_at(office["colleague"].pk, "review_case", at=make.SCHOOL)
    named_again = naming(post, office["colleague"])
    sent = [client.post(reverse("substitute-list"), named_again, **by_api) for _turn in range(2)]
    assert [answer.status_code for answer in sent] == [201, 201]
    assert sent[0].json() == sent[1].json() == client.get(sent[0].headers["Location"]).json()
    hers = naming(office["administrator"].acting_post, office["colleague"])
    assert client.post(reverse("substitute-list"), hers, **by_api).status_code == 422  # the key is taken
    by_api["headers"] = {"Idempotency-Key": "stand-in-0002"}
    assert client.post(reverse("substitute-list"), hers, **by_api).status_code == 404  # not hers to give


@pytest.mark.rule("R-ACC-02", "AZ-7")
def test_who_filed_does_not_sign_in_another_place_either(client: Client, office: dict[str, Any]) -> None:
    client.force_login(office["leader"])  # for herself, without an administrator
    assert (
        client.post(SUBSTITUTES, naming(office["leader"].acting_post, office["registrar"])).status_code == 302
    )
    case = file_pupil(office)
    client.force_login(office["registrar"])
    named = Post.objects.get(stands_for=office["leader"])
    client.post(reverse("accounts:switch_post"), {"post": named.pk})
    sent = {"decision": "approve", "ticked": ["01"]}
    refused = client.post(reverse("transfers:decide", args=[case.number]), sent)
    assert (refused.status_code, "同一人不能" in refused.text) == (403, True)
    assert Case.objects.get(pk=case.pk).state == Case.State.WAITING


REFUSED = [
    ("the absent herself", {"colleague": "leader"}, 422, "own_substitute"),
    ("sealed", {"colleague": "sealed"}, 409, "substitute_sealed"),
    ("untrained", {"colleague": "untrained"}, 409, "substitute_untrained"),
    ("training ends meanwhile", {"colleague": "expiring"}, 409, "substitute_untrained"),
    ("holds the same post", {"colleague": "second"}, 409, "substitute_overlaps"),
    ("an administrator", {"colleague": "administrator"}, 409, "two_administrations"),
    ("yesterday", {"first": -1}, 422, "substitute_dates"),
    ("the end first", {"first": 5, "last": 4}, 422, "substitute_dates"),
    ("61 days", {"last": 60}, 422, "substitute_dates"),
    ("why", {"reason": "忙"}, 422, "substitute_reason"),
    ("somebody of another school", {"colleague": "stranger"}, 404, "http_404"),
    ("another's post, by a colleague", {"who": "registrar"}, 404, "http_404"),
    ("no day", {"first": None}, 400, "http_400"),
]


@pytest.mark.rule("R-ACC-06", "R-ACC-04", "R-ACC-10", "AC-10", "AC-11", "AZ-1")
def test_a_substitute_is_refused_in_words(client: Client, office: dict[str, Any]) -> None:
    people = office | {
        "sealed": make.make_registrar(),
        "untrained": make.make_registrar(trained=False),
        "expiring": make.make_registrar(trained=False),
        "second": make.make_leader(),
        "stranger": make.make_leader(make.SISTER),
    }
    User.objects.filter(pk=people["sealed"].pk).update(sealed_at=timezone.now())
    people["expiring"].trainings.create(completed_on=today() - timedelta(days=725), hours=8)
    post = office["leader"].acting_post
    for what, change, status, code in REFUSED:
        given = {
            "who": "administrator",
            "colleague": "colleague",
            "first": 0,
            "last": 9,
            "reason": "外出培训",
        }
        given |= change
        sent = naming(
            post, people[given["colleague"]], given["first"] or 0, given["last"], reason=given["reason"]
        )
        if given["first"] is None:
            del sent["first"]
        client.force_login(people[given["who"]])
        answer = client.post(SUBSTITUTES, sent)
        assert answer.status_code == status, what
        entry = AccessEntry.objects.filter(actor_id=people[given["who"]].pk, outcome="refused").order_by(
            "-id"
        )
        assert entry[0].code == code, what
    assert not Post.objects.filter(stands_for=office["leader"]).exists()
    # The same set-up lets a good one through: sixty days, from a day to come; then the place is taken.
    client.force_login(office["administrator"])
    assert client.post(SUBSTITUTES, naming(post, office["colleague"], 1, 60)).status_code == 302
    late = client.post(SUBSTITUTES, naming(post, office["registrar"], 60, 61))
    assert (late.status_code, "已有代办人" in late.text) == (409, True)
    assert client.post(SUBSTITUTES, naming(post, office["registrar"], 61, 62)).status_code == 302
    first = Post.objects.get(stands_for=office["leader"], user=office["colleague"])
    with pytest.raises(IntegrityError), transaction.atomic():  # the database decides, not a look before
        Post.objects.filter(user=office["registrar"], stands_for=office["leader"]).update(valid=first.valid)
    client.force_login(office["registrar"])
    assert client.post(reverse("accounts:substitute_end", args=[first.pk])).status_code == 404
    client.force_login(office["colleague"])
    assert client.post(reverse("accounts:substitute_end", args=[first.pk])).status_code == 302
    assert not Post.objects.filter(pk=first.pk, valid__contains=today() + timedelta(days=2)).exists()


def test_long_names_fit_where_names_are_kept(office: dict[str, Any]) -> None:
    leader, colleague = office["leader"], office["colleague"]
    User.objects.filter(pk=leader.pk).update(name="买买提·" * 12)
    post = make.add_post(colleague, "leader", make.SCHOOL)
    Post.objects.filter(pk=post.pk).update(stands_for=leader)
    colleague.acting_post = Post.objects.select_related("stands_for", "office").get(pk=post.pk)
    colleague.name = "阿不都热依木·" * 7
    assert len(colleague.signing_name) <= 50
    assert colleague.signing_name.endswith("）")
