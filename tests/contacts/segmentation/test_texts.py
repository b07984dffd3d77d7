"""Each text that the builder's script shows can be translated."""

from __future__ import annotations

import re
from pathlib import Path

from contacts.admin import segment_texts

SCRIPTS = Path(segment_texts.__file__).parent.parent / "static" / "contacts" / "builder"


def test_every_text_of_the_script_is_known_to_the_translation() -> None:
    written = "\n".join(path.read_text() for path in SCRIPTS.glob("*.js"))
    asked = set(re.findall(r'\bt\(\s*"((?:[^"\\]|\\.)*)"', written))
    assert asked - set(segment_texts.TEXTS) == set()
