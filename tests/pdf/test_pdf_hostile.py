"""Files made to stop a reader, and files broken at random: the hub goes on, and nothing changed is told to be good."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

import pytest
from builders.judged import AT, the_authority
from builders.pdfs import asked, assembled, by_both, examined_by, signed, stamper, written

from hub.domain.trust import Verdict
from hub.pdf import Examiner, Limits, Report

ASKED, BOTH = asked(), by_both()
GOOD = {Verdict.VALID, Verdict.VALID_NO_TIMESTAMP, Verdict.INDETERMINATE_REVOCATION}
ROUNDS, SECONDS = 3_000, 15.0


def a_catalog(fields: bytes, *others: bytes) -> bytes:
    return assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields %b >> >>" % fields,
            b"<< /Type /Pages /Kids [] /Count 0 >>",
            *others,
        ]
    )


def with_trailer(trailer: bytes) -> bytes:
    return assembled([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"], trailer)


def with_a_loop() -> bytes:
    """Its cross-reference table is its own predecessor."""
    plain = with_trailer(b"/Root 1 0 R /Prev 0000000000")
    return plain.replace(b"/Prev 0000000000", b"/Prev %010d" % plain.rindex(b"xref\n0 "))


def with_revisions(count: int) -> bytes:
    pdf = with_trailer(b"/Root 1 0 R")
    place = pdf.rindex(b"xref\n0 ")
    for _ in range(count):
        head = b"xref\n0 0\ntrailer\n<< /Size 3 /Root 1 0 R /Prev %d >>\n" % place
        place = len(pdf)
        pdf += head + b"startxref\n%d\n%%%%EOF\n" % place
    return pdf


HOSTILE: dict[str, Callable[[], bytes]] = {
    "300,000 objects": lambda: assembled([b"<< /Type /Catalog /Pages 2 0 R >>", *[b"null"] * 300_000]),
    "deep arrays": lambda: a_catalog(b"[" * 200_000 + b"]" * 200_000),
    "deep arrays without an end": lambda: a_catalog(b"[" * 200_000),
    "deep dictionaries": lambda: a_catalog(b"<< /A " * 50_000 + b"1" + b" >>" * 50_000),
    "table before itself": with_a_loop,
    "5,000 revisions": lambda: with_revisions(5_000),
    "field below itself": lambda: a_catalog(b"[3 0 R]", b"<< /FT /Sig /T (a) /Kids [3 0 R] >>"),
    "reference to itself": lambda: a_catalog(b"3 0 R", b"3 0 R"),
    "page tree in a circle": lambda: by_both(written()).replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]"),
    "immense range": lambda: a_catalog(
        b"[3 0 R]",
        b"<< /FT /Sig /T (a) /V << /Type /Sig /ByteRange [0 99999999999999999999 -5 7] /Contents <30800000> >> >>",
    ),
    "immense size": lambda: with_trailer(b"/Root 1 0 R").replace(b"0 3\n", b"0 999999999\n"),
    "many empty signatures": lambda: a_catalog(
        b"[" + b"<< /FT /Sig /T (a) /V << /Contents <00> /ByteRange [0 0 0 0] >> >>" * 20_000 + b"]"
    ),
    "50 MB of noise": lambda: random.Random(1).randbytes(50_000_000),
    "50 MB of noise behind a head": lambda: b"%PDF-1.7\n" + random.Random(2).randbytes(50_000_000),
    "50 MB of ends": lambda: b"%PDF-1.7\n" + b"startxref\n9\n%%EOF\n" * 2_700_000,
}


def asked_of_one(pdfs: list[bytes], limits: Limits) -> list[Report]:
    with Examiner(limits) as examiner:
        return [examined_by(examiner, pdf, ASKED) for pdf in pdfs]


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_does_not_stop_the_next(case: str) -> None:
    began = time.monotonic()
    first, second = asked_of_one([HOSTILE[case](), BOTH], Limits(seconds=10, cpu_seconds=8))
    assert first.verdict not in GOOD
    assert second.verdict == Verdict.VALID_NO_TIMESTAMP
    assert time.monotonic() - began < 60


def test_a_file_cut_off_anywhere_is_never_good() -> None:
    pieces = [BOTH[: len(BOTH) * part // 50] for part in range(50)]
    found = asked_of_one(pieces, Limits())
    assert [one for one in found if one.verdict in GOOD] == []


def test_no_changed_byte_that_was_signed_leaves_a_good_signature() -> None:
    pdf = signed(written(), the_authority().agency)
    (value,) = re.finditer(rb"/Contents (<[0-9A-F]+>)", pdf)
    places = [*range(value.start(1)), *range(value.end(1), len(pdf))]
    chance = random.Random(20260304)

    done, until = 0, time.monotonic() + SECONDS
    with Examiner(Limits(seconds=5)) as examiner:
        while done < ROUNDS and time.monotonic() < until:
            place = chance.choice(places)
            changed = bytearray(pdf)
            changed[place] ^= 1 << chance.randrange(8)
            found = examined_by(examiner, bytes(changed), ASKED)
            good = [one for one in found.detail.get("signatures", ()) if one["verdict"] in GOOD]
            assert not good, (place, bytes(changed[place - 20 : place + 20]))
            done += 1
    assert done > 300


@pytest.mark.parametrize("stamped", [False, True], ids=["plain", "timestamped"])
def test_no_changed_byte_of_a_signature_s_value_breaks_the_examination(stamped: bool) -> None:
    """Parts of the value are not signed (certificates brought along, what is left empty): both answers may be right."""
    pdf = signed(written(), the_authority().agency, stamp=stamper(AT) if stamped else None)
    (value,) = re.finditer(rb"/Contents <([0-9A-F]+?)0*>", pdf)
    chance = random.Random(4032026)
    files = []
    for _ in range(250):
        changed = bytearray(pdf)
        changed[chance.randrange(*value.span(1))] = chance.choice(b"0123456789ABCDEF")
        files.append(bytes(changed))
    found = asked_of_one(files, Limits(seconds=5))
    assert all(len(one.detail["signatures"]) == 1 for one in found)
    assert Verdict.MODIFIED in {one.verdict for one in found}
