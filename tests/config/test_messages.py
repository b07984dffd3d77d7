"""The French of the pages for people, whole; and the compiled catalogue, as new as its text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.test import Client

from config import roles
from tests.config.backoffice import make_person, signed_in
from tests.factories import make_contact

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locale" / "fr" / "LC_MESSAGES"
PUBLIC = [
    *(
        f"channels/{name}.html"
        for name in ("public", "preferences", "unsubscribe", "confirm", "link_refused")
    ),
    *(f"contacts/privacy/{name}.html" for name in ("own_data", "own_erasure", "copy")),
    "404.html",
    "500.html",
]
_PLAIN = re.compile(r"""{%\s*translate\s+(["'])(.*?)\1""")
_BLOCK = re.compile(r"{%\s*blocktranslate([^%]*)%}(.*?){%\s*(?:plural|endblocktranslate)\s*%}", re.DOTALL)


def texts(template: str) -> list[str]:
    source = (ROOT / "templates" / template).read_text(encoding="utf-8")
    found = [match[1] for match in _PLAIN.findall(source)]
    for options, body in _BLOCK.findall(source):
        text = re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", body)
        found.append(" ".join(text.split()) if "trimmed" in options else text)
    return found


def catalogue() -> dict[str, object]:
    with (CATALOGUE / "django.po").open("rb") as file:
        rows = read_po(file, locale="fr")
    return {row.id if isinstance(row.id, str) else row.id[0]: row.string for row in rows if row.id}


@pytest.mark.parametrize("template", PUBLIC)
def test_every_text_of_a_page_for_people_is_french_too(template: str) -> None:
    known = catalogue()
    assert [text for text in texts(template) if not known.get(text)] == []


def test_the_compiled_catalogue_is_as_new_as_its_text() -> None:
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = {row.id if isinstance(row.id, str) else row.id[0] for row in read_mo(file) if row.id}
    assert compiled == {text for text, french in catalogue().items() if french}


@pytest.mark.django_db
def test_the_page_of_a_contact_speaks_french_to_who_asks_for_it() -> None:
    client: Client = signed_in(make_person("pia", role=roles.PRIVACY))
    address = f"/admin/contacts/contact/{make_contact().pk}/change/"
    page = client.get(address, headers={"Accept-Language": "fr"}).content.decode()
    assert all(word in page for word in ("Chronologie", "Déclaré", "Identifiants"))
