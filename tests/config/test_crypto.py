"""Envelope encryption, blind indexes and what the database really stores (SECURITY KE-1 … KE-6)."""

import json

import pytest
from django.db import connection

from config.crypto import (
    DoesNotOpen,
    blind_index,
    half_indexes,
    salted_digest,
    seal,
    unseal,
)
from config.keyring import keyring, make_keyring
from registry.identity import canonical
from registry.models import IdentityDocument, Student
from tests import make


@pytest.mark.rule("KE-1", "KE-2")
def test_a_value_opens_in_its_own_row_and_field_only() -> None:
    sealed = seal(b"13800138000", "registry_student", 7, "private")
    assert unseal(sealed, "registry_student", 7, "private") == b"13800138000"
    assert sealed != seal(b"13800138000", "registry_student", 7, "private")  # a fresh nonce each time
    for elsewhere in (
        ("registry_student", 8, "private"),
        ("registry_student", 7, "other"),
        ("x", 7, "private"),
    ):
        with pytest.raises(DoesNotOpen):
            unseal(sealed, *elsewhere)
    for place in (0, 1, 5, 20, len(sealed) - 1):  # suite, key id, nonce, text, tag
        broken = bytearray(sealed)
        broken[place] ^= 1
        with pytest.raises(DoesNotOpen):
            unseal(bytes(broken), "registry_student", 7, "private")


@pytest.mark.rule("KE-3", "KE-6")
def test_the_key_encrypting_key_is_a_file_of_its_own_and_the_ring_holds_wrapped_keys(tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert make_keyring(tmp_path / "keys", 2026)
    assert not make_keyring(tmp_path / "keys", 2027)  # never overwritten
    assert {f.name: oct(f.stat().st_mode & 0o777) for f in (tmp_path / "keys").iterdir()} == {
        "kek": "0o400",
        "ring.json": "0o400",
    }
    ring = json.loads((tmp_path / "keys" / "ring.json").read_text())
    assert ring["data"]["1"]["class"] == "D4"
    assert len(keyring().index) == 32


@pytest.mark.rule("KE-4", "FI-7")
def test_the_same_document_has_the_same_index_and_another_has_not() -> None:
    same = {blind_index("citizen", canonical(kind, "11010519491231002X")) for kind in ("1", "B")}
    assert len(same) == 1
    assert blind_index("passport", "11010519491231002X") not in same
    first, second = (
        half_indexes("citizen", "110105194912310021"),
        half_indexes("citizen", "110105194912310031"),
    )
    assert (first[0] == second[0]) != (first[1] == second[1])  # one digit off shares exactly one half


@pytest.mark.rule("KE-1", "AU-1")
@pytest.mark.usefixtures("nation")
def test_the_database_holds_no_identity_number_phone_or_address_in_clear() -> None:
    values = make.valid_values(phone="13712345678", home_address="深圳市南山区桃源村88号")
    make.make_student(**values)
    with connection.cursor() as cursor:
        for table in (
            "registry_student",
            "registry_identitydocument",
            "registry_familymember",
            "registry_studentevent",
            "registry_identitydocumentevent",
            "registry_familymemberevent",
            "audit_event",
        ):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            text = cursor.fetchone()[0] or ""
            for secret in (values["id_number"], "13712345678", "桃源村88号", values["member1_name"]):
                assert secret not in text, (table, secret)
                assert secret.encode().hex() not in text, (table, secret)


@pytest.mark.rule("KE-2")
@pytest.mark.usefixtures("nation")
def test_a_number_copied_to_another_pupil_raises_an_alarm() -> None:
    from registry.record import open_number

    first, second = make.make_student(), make.make_student()
    stolen = first.documents.get().number
    IdentityDocument.objects.filter(student=second).update(number=stolen)
    with pytest.raises(DoesNotOpen):
        open_number(second.documents.get())
    Student.objects.filter(pk=second.pk).update(private=first.private)
    with pytest.raises(DoesNotOpen):
        Student.objects.get(pk=second.pk).open_private()


def test_a_digest_is_salted() -> None:
    assert salted_digest("13800138000") != salted_digest("13800138000")
