"""File names every recipient can keep, and the name to use instead."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.filenames import (
    LIMIT,
    content_extension,
    contradicts,
    extension,
    faults,
    repeats,
    safe_name,
    with_extension,
)

names = st.one_of(
    st.text(max_size=40),
    st.text(alphabet='aệ\u0323\u0302đ./\\:*?"<>| \u200b\u202e\x00\n', max_size=20),
    st.builds(
        lambda part, n, end: part * n + end, st.text(min_size=1, max_size=6), st.integers(1, 150), st.text(max_size=6)
    ),
    st.sampled_from(["CON", "nul.tar.gz", "Com1 .pdf", "..", ".", " ", "", "a\u200b\u0323.pdf", "/", "COM¹"]),
)


@pytest.mark.parametrize(
    ("name", "codes", "repaired"),
    [
        ("Công văn 7816.pdf", [], "Công văn 7816.pdf"),
        ("Phụ lục & biểu #1 100%.xlsx", [], "Phụ lục & biểu #1 100%.xlsx"),
        ("", ["name-empty"], "tệp"),
        ("  ", ["name-empty"], "tệp"),
        ("ệ" * 84 + ".pdf", ["name-too-long"], "ệ" * 83 + ".pdf"),
        ("12/2025.pdf", ["name-separator"], "12-2025.pdf"),
        ("..\\..\\x.pdf", ["name-separator"], "..-..-x.pdf"),
        ('Tờ trình: "mật"?.pdf', ["name-character"], "Tờ trình- -mật--.pdf"),
        ("a\tb.pdf", ["name-control"], "ab.pdf"),
        ("a\u2028b.pdf", ["name-control"], "ab.pdf"),
        ("gpj.\u202efdp.pdf", ["name-invisible"], "gpj.fdp.pdf"),
        ("a\u200bb.pdf", ["name-invisible"], "ab.pdf"),
        ("báo cáo.pdf.", ["name-trailing", "name-no-extension"], "báo cáo.pdf"),
        ("báo cáo.pdf ", ["name-trailing", "name-no-extension"], "báo cáo.pdf"),
        ("con.pdf", ["name-reserved"], "_con.pdf"),
        ("NUL.tar.gz", ["name-reserved"], "_NUL.tar.gz"),
        ("COM1", ["name-reserved", "name-no-extension"], "_COM1"),
        ("Con số.pdf", [], "Con số.pdf"),
        (unicodedata.normalize("NFD", "Quyết định.pdf"), ["name-nfd"], "Quyết định.pdf"),
        ("Quyết định", ["name-no-extension"], "Quyết định"),
        (".pdf", ["name-no-extension"], ".pdf"),
    ],
)
def test_each_fault_has_its_code_and_a_name_to_use_instead(name: str, codes: list[str], repaired: str) -> None:
    assert list(faults(name)) == codes
    assert safe_name(name) == repaired


def test_the_limit_counts_bytes_after_composing() -> None:
    fits = "ệ" * 83 + "ab.pdf"
    assert len(fits.encode()) == LIMIT
    assert list(faults(fits)) == []
    assert "name-too-long" in faults("a" + fits)
    assert list(faults(unicodedata.normalize("NFD", fits))) == ["name-nfd"]


def test_a_long_name_is_cut_before_a_letter_rather_than_between_letter_and_mark() -> None:
    marked = "x\u0323\u0330"  # no composed form of the pair exists
    cut = safe_name("a" * 248 + marked + "b.pdf")
    assert cut == "a" * 248 + ".pdf"


@settings(max_examples=200)
@given(names)
def test_a_repaired_name_has_no_fault_left_and_is_not_repaired_again(name: str) -> None:
    repaired = safe_name(name)
    assert set(faults(repaired)) <= {"name-no-extension"}
    assert safe_name(repaired) == repaired


@settings(max_examples=200)
@given(st.text(alphabet="ăâđêôơưệộựÁÔĐabc 0123/:\u200b", max_size=60), st.sampled_from(["pdf", "docx", "XLSX"]))
def test_a_repaired_name_keeps_its_extension_and_its_letters(stem: str, end: str) -> None:
    name = f"x{stem}y.{end}"
    assert safe_name(name) == name.replace("\u200b", "").replace("/", "-").replace(":", "-")


def test_names_that_differ_in_case_only_get_a_free_name() -> None:
    sent = ["Phụ lục.pdf", "PHỤ LỤC.PDF", "phụ lục (2).pdf", unicodedata.normalize("NFD", "Phụ lục.pdf"), "khác.pdf"]
    assert list(repeats(sent)) == [(1, "PHỤ LỤC (3).PDF"), (3, "Phụ lục (4).pdf")]


def test_blanks_around_a_name_do_not_make_another() -> None:
    assert list(repeats(["Phụ lục.pdf", " Phụ lục.pdf "])) == [(1, "Phụ lục (2).pdf")]
    assert list(repeats(["", " "])) == []  # told as empty


def test_a_free_name_keeps_within_the_limit() -> None:
    long = "ệ" * 83 + "ab.pdf"
    ((_, free),) = repeats([long, long])
    assert free == "ệ" * 82 + " (2).pdf"


def test_free_names_differ_from_each_other() -> None:
    one, other = ("ệ" * 83 + end for end in ("ab.pdf", "ac.pdf"))
    free = [name for _, name in repeats([one, other, one, other])]
    assert free == ["ệ" * 82 + " (2).pdf", "ệ" * 82 + " (3).pdf"]


def test_what_follows_a_dot_within_a_sentence_is_no_extension() -> None:
    assert extension("Công văn.PDF") == "pdf"
    assert extension("Điều 12.Kính gửi") == ""
    assert extension("..pdf") == ""


@pytest.mark.parametrize(
    ("name", "content", "disagrees"),
    [
        ("a.pdf", b"%PDF-1.4", False),
        ("a.pdf", b"PK\x03\x04rest", True),
        ("a.pdf", b"<html>", True),
        ("a.docx", b"PK\x03\x04rest", False),
        ("a.doc", b"PK\x03\x04rest", True),
        ("a.JPEG", b"\xff\xd8\xff\xe0", False),
        ("a.png", b"\xff\xd8\xff\xe0", True),
        ("a.tif", b"MM\x00*", False),
        ("a.txt", "Kính gửi".encode(), False),
        ("a.txt", b"%PDF-1.4", True),
        ("a.p7m", b"PK\x03\x04rest", False),
        ("a", b"%PDF-1.4", False),
    ],
)
def test_an_extension_is_held_against_the_first_bytes(name: str, content: bytes, disagrees: bool) -> None:
    assert contradicts(name, content) is disagrees


def test_the_content_names_the_extension_to_use() -> None:
    assert with_extension("Báo cáo.doc", content_extension(b"%PDF-1.4")) == "Báo cáo.pdf"
    assert with_extension("Báo cáo", content_extension(b"\x89PNG\r\n\x1a\n")) == "Báo cáo.png"
    assert with_extension("Báo cáo.pdf", content_extension(b"?")) == "Báo cáo.pdf"
