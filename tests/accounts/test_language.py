"""Chinese by default; English for who has chosen it, from the compiled catalogue."""

import pytest
from django.test import Client
from django.urls import reverse

from config.catalogue import compile_catalogue, found_messages, read_catalogue
from tests import make

pytestmark = pytest.mark.usefixtures("nation")


def test_english_is_a_choice_and_never_a_guess(client: Client) -> None:
    compile_catalogue()
    client.force_login(make.make_registrar())
    home = reverse("home")
    assert "今日待办" in client.get(home, headers={"Accept-Language": "en"}).content.decode()
    assert client.post(reverse("accounts:language"), {"language": "en"}).status_code == 302
    english = client.get(home).content.decode()
    assert '<html lang="en">' in english
    assert "今日待办" not in english
    assert client.post(reverse("accounts:language"), {"language": "xx"}).status_code == 404


def test_every_marked_string_has_its_english() -> None:
    known = {row.id: row.string for row in read_catalogue() if row.id}
    assert sorted({message for message, _place in found_messages()} - known.keys()) == []
    assert [message for message, english in known.items() if not english] == []
