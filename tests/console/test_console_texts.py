"""What pages say: every text is there in both languages, and used."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

from hub import console
from hub.console import texts
from hub.console.frame import TEXTS

ROOT = Path(console.__file__).parent
SOURCES = [*ROOT.rglob("*.py"), *ROOT.rglob("*.html")]
SAID = "\n".join(path.read_text("utf-8") for path in SOURCES if path.parent.name != "texts")
# A key that is put together when it is asked for: its beginning stands in the source before a quote.
BEGINNINGS = set(re.findall(r'"([a-z]+(?:\.[a-z_]+)*\.)["{]', SAID))


def test_every_key_that_is_asked_for_is_there() -> None:
    asked = set(re.findall(r'\bt\(\s*"([a-z_.0-9-]+)"\s*[,)]', SAID))
    asked |= set(re.findall(r'frame\.text\(\w+, "([a-z_.0-9-]+)"', SAID))
    assert len(asked) > 50
    assert asked <= set(TEXTS)


def test_every_control_keeps_the_value_it_was_given() -> None:
    controls = re.findall(r'<(?:input|option|button)\b[^>]*?\bvalue="\{\{(.+?)\}\}"', SAID, re.DOTALL)
    assert len(controls) > 30
    assert [value for value in controls if not value.endswith("| kept ")] == []


def test_every_key_is_used() -> None:
    unused = [key for key in TEXTS if f'"{key}"' not in SAID and not key.startswith(tuple(BEGINNINGS))]
    assert unused == []


@pytest.mark.parametrize("key", TEXTS)
def test_a_text_has_both_languages_with_the_same_facts(key: str) -> None:
    vi, en = TEXTS[key]
    assert vi.strip()
    assert en.strip()
    assert unicodedata.is_normalized("NFC", vi)
    assert set(re.findall(r"\{(\w+)\}", vi)) == set(re.findall(r"\{(\w+)\}", en))


def test_keys_begin_with_their_room_and_no_two_rooms_have_one() -> None:
    modules = sorted((ROOT / "texts").glob("[a-z]*.py"))
    assert len(texts.collected()) == sum(path.read_text("utf-8").count('": (') for path in modules)
    for path in modules:
        keys = re.findall(r'^    "([^"]+)": \(', path.read_text("utf-8"), re.MULTILINE)
        assert all(key.startswith(f"{path.stem}.") for key in keys), path.stem
