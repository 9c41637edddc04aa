"""A packet made anew: fresh where it must be, equal where it was equal, wrong where it was wrong."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from builders.documents import a_file, acceptable, found
from builders.forgery import changed, dsig, qcvn, set_value, signed
from builders.keys import a_certificate
from builders.packets import a_document, a_status, a_zip, an_attachment, attachment_element, frame
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from clients.replay.stock.keys import key_and_certificate
from clients.replay.traffic.again import Again
from clients.replay.traffic.noise import Noise
from hub.domain import edxml
from hub.domain.document import Attachment, Business, Document, DocumentRef, Replaced, content_digest
from hub.domain.numbering import canonical_document_id, plain_number
from hub.domain.rules.files import NAMES as FILE_NAMES
from hub.domain.signature import Signed, Unsigned, sign, verify
from hub.errors import Refusal

ODD = Path(__file__).parents[2] / "data" / "packets"
SEED, DAYS = 7, 45


def again(*, days: int = DAYS, seed: int = SEED, anonymise: bool = False) -> Again:
    noise = Noise(b"of this recording") if anonymise else None
    return Again(seed, days, lambda code: key_and_certificate(seed, code), noise)


def remade(packet: bytes, **terms: Any) -> bytes:
    return again(**terms).packet(packet, "G22").packet


def document(packet: bytes) -> Document:
    return edxml.read_document(edxml.parse(packet))


def standing(packet: bytes) -> str:
    """How it is signed, or the code of what is wrong with that."""
    try:
        state = verify(edxml.parse(packet))
    except Refusal as refusal:
        return refusal.code
    return state.why if isinstance(state, Unsigned) else state.certificate.subject.rfc4514_string()


# Ids, numbers, dates

CODES = st.sampled_from(["000.00.00.G22", "G22", "H41.07", "một mã lạ"])
DAYS_WRITTEN = st.dates(date(1990, 1, 1), date(2090, 12, 31)).flatmap(
    lambda day: st.sampled_from([f"{day:%Y/%m/%d}", f"{day:%Y-%m-%d}", f"{day.year}/{day.month}/{day.day}"])
)
IDS = st.one_of(
    st.builds(lambda *parts: ",".join(parts), CODES, DAYS_WRITTEN, st.sampled_from(["7/VP", "07/VP", "30/2025/NĐ-CP"])),
    st.builds(lambda *parts: " , ".join(parts), CODES, DAYS_WRITTEN, st.sampled_from(["7/VP", "57-NQ/TW"])),
    st.uuids().map(str),
    st.text(min_size=1, max_size=20),
)


@given(st.lists(IDS, min_size=2, max_size=2), st.integers(-3000, 3000))
def test_ids_that_are_one_stay_one_and_others_stay_others(ids: list[str], days: int) -> None:
    one, other = (canonical_document_id(again(days=days).document_id(text)) for text in ids)
    was_one = canonical_document_id(ids[0]) == canonical_document_id(ids[1])
    assert (one == other) is was_one


def test_an_id_is_the_same_from_its_code_date_and_number_in_every_spelling() -> None:
    made = [again().document_id(text) for text in ("000.00.00.G22,2025-1-2,07/VP", "G22 , 2025/01/02 , 07/VP")]
    assert made[0].startswith("000.00.00.G22,2025-2-16,0")
    assert len({canonical_document_id(text) for text in made}) == 1


@given(st.lists(st.from_regex(r"0{0,2}[1-9][0-9]{0,4}[a-z]?", fullmatch=True), min_size=2, max_size=2))
def test_numbers_that_are_one_stay_one_in_their_year(numbers: list[str]) -> None:
    made = [again().number(number, date(2025, 3, 1)) for number in numbers]
    assert (plain_number(made[0]) == plain_number(made[1])) is (plain_number(numbers[0]) == plain_number(numbers[1]))
    assert plain_number(again().number(numbers[0], date(2024, 12, 31))) != plain_number(made[0])


def test_a_number_in_an_id_is_the_number_beside_it() -> None:
    original = acceptable(document_id="G22,2025/09/30,0030/2025/NĐ-CP", number="0030", symbol="2025/NĐ-CP")
    made = document(remade(edxml.write_document(original), days=120))
    assert made.document_id == f"G22,2026/01/28,{made.number}/2026/NĐ-CP"
    assert (made.symbol, made.promulgation_date) == ("2026/NĐ-CP", "2026/01/28")


@pytest.mark.parametrize(
    ("written", "shifted"),
    [
        ("2025/01/02", "2025/02/16"), ("2025/1/2 03:04:05", "2025/2/16 03:04:05"), (" 2025-12-31T10:00:00+07:00",
        " 2026-02-14T10:00:00+07:00"), ("02/01/2025", "16/02/2025"), ("2024/01/15", "2024/02/29"),
        ("2025/02/30", "2025/02/30"), ("ngày 2 tháng 1", "ngày 2 tháng 1"), ("9999/12/31", "9999/12/31"),
    ],
)  # fmt: skip
def test_dates_are_shifted_as_they_are_written(written: str, shifted: str) -> None:
    assert again().date(written) == shifted


def test_every_reference_follows_the_document_it_names() -> None:
    first = acceptable(document_id="G22,2025/09/30,7/VP", number="7", symbol="VP")
    named = "000.00.00.G22,2025-09-30,7/VP"
    packets = {
        "update": acceptable(business=Business(type="2", document_id=named)),
        "replacement": acceptable(business=Business(type="3", replaced=(Replaced(named, ("H41",)),))),
        "revocation": acceptable(
            business=Business(type="1"), response_for=(DocumentRef("G22", "7/VP", named, "2025/09/30"),)
        ),
    }
    new = document(remade(edxml.write_document(first)))
    made = {kind: document(remade(edxml.write_document(each))) for kind, each in packets.items()}
    reference = made["revocation"].response_for[0]
    for text in (
        made["update"].business.document_id, made["replacement"].business.replaced[0].document_id,
        reference.document_id,
    ):  # fmt: skip
        assert canonical_document_id(text) == canonical_document_id(new.document_id)
    assert (reference.code, reference.promulgation_date) == (f"{new.number}/VP", new.promulgation_date)
    status = edxml.write_status(
        a_status(response_for=DocumentRef("G22", "7/VP", named, ""), timestamp="2025/10/01 09:15:00")
    )
    told = edxml.read_status(edxml.parse(remade(status)))
    assert canonical_document_id(told.response_for.document_id) == canonical_document_id(new.document_id)
    assert (told.response_for.code, told.timestamp) == (f"{new.number}/VP", "2025/11/15 09:15:00")


def test_what_was_within_a_limit_stays_within_it() -> None:
    original = acceptable(document_id="x" * 200, number="1" * 50)
    made = document(remade(edxml.write_document(original)))
    assert (len(made.document_id), len(made.number)) == (200, 50)
    assert len(document(remade(edxml.write_document(acceptable(number="1" * 51)))).number) == 58


# Bytes

TOUCHED = re.compile(rb"(<(?:\w+:)?(?:DocumentId|CodeNumber|PromulgationDate|DueDate|Timestamp)>)[^<]*")


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
def test_of_an_unsigned_packet_nothing_but_ids_and_dates_is_touched(bom: bytes) -> None:
    packet = bom + edxml.write_document(a_document(subject='Về việc <A & B>\r\nvà "C"')).replace(
        b"<edXML:Subject>", b"<!-- ghi ch\xc3\xba --><edXML:Subject  x = '>'>"
    )
    made = remade(packet)
    assert TOUCHED.sub(rb"\1", made) == TOUCHED.sub(rb"\1", packet)
    assert made != packet


def test_comments_references_and_cdata_are_read_as_the_hub_reads_them() -> None:
    packet = frame("<DocumentId> G22,<!-- a -->2025/01/02,<![CDATA[7]]>&#47;V&#x50; </DocumentId>")
    made = document(remade(packet))
    assert made.document_id == again().document_id("G22,2025/01/02,7/VP")
    assert b"<!-- a -->" in remade(packet)


@pytest.mark.parametrize("name", sorted(path.name for path in ODD.glob("*.edxml")))
def test_what_cannot_be_read_stays_as_it_is(name: str) -> None:
    packet = (ODD / name).read_bytes()
    if name == "undeclared-prefixes.edxml":  # read by everybody as it was meant
        assert standing(remade(packet)) == standing(packet) == "not-namespace-well-formed"
        assert document(remade(packet)).document_id == again().document_id(document(packet).document_id)
    else:
        assert remade(packet) == packet


@pytest.mark.parametrize("packet", [b"", b"<", b"khong phai XML", b"\x1f\x8b\x08", frame()[:-3]])
@pytest.mark.parametrize("anonymise", [False, True])
def test_garbage_is_refused_for_the_same_again(packet: bytes, anonymise: bool) -> None:
    made = remade(packet, anonymise=anonymise)
    assert len(made) == len(packet)
    codes = []
    for each in (packet, made):
        with pytest.raises(Refusal) as caught:
            edxml.parse(each)
        codes.append(caught.value.code)
    assert codes[0] == codes[1]


# Signatures


@pytest.mark.parametrize("anonymise", [False, True], ids=["as it was", "anonymised"])
@pytest.mark.parametrize("form", ["fast", "whole"])
def test_a_signature_is_made_anew_in_its_form_and_by_the_key_that_is_given(form: Any, anonymise: bool) -> None:
    made = again(anonymise=anonymise).packet(signed(form), "H41").packet
    state = verify(edxml.parse(made))
    assert isinstance(state, Signed)
    assert (state.form, state.certificate.subject.rfc4514_string()) == (form, "CN=H41")
    assert again(anonymise=anonymise).packet(signed(form), "H41").packet != signed(form)


def test_a_packet_made_twice_is_one_byte_for_byte() -> None:
    packet = signed()
    assert remade(packet) == remade(packet)
    assert remade(packet) != remade(packet, seed=8)


BROKEN = {
    "signature-digest": lambda: signed().replace("Công khai".encode(), "Công khia".encode()),
    "signature-value": lambda: changed(signed(), lambda root: set_value(root, bytes(64))),
    "signature-comment": lambda: signed().replace(b"<edXML:Subject>", b"<!-- x --><edXML:Subject>"),
    "signature-misplaced": lambda: changed(signed(), lambda root: root.append(dsig(root, "Signature"))),
    "signature-form": lambda: changed(signed(), lambda root: dsig(root, "Reference").set("URI", "#x")),
    "signature-algorithm": lambda: changed(
        signed(),
        lambda root: dsig(root, "SignatureMethod").set("Algorithm", "http://www.w3.org/2000/09/xmldsig#dsa-sha1"),
    ),
}


@pytest.mark.parametrize("anonymise", [False, True], ids=["as it was", "anonymised"])
@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_signature_stays_broken_in_the_same_way(code: str, anonymise: bool) -> None:
    packet = BROKEN[code]()
    assert standing(packet) == code
    made = again(anonymise=anonymise).packet(packet, "G22", code)
    assert (standing(made.packet), made.expect) == (code, code)


def test_what_is_wrong_behind_the_digest_is_found_at_the_digest_and_expected_there() -> None:
    packet = changed(signed(), lambda root: setattr(root.findall(".//{*}Attachment")[0][1], "text", "khác.pdf"))
    assert standing(packet) == "signature-attachment-mismatch"
    made = again().packet(packet, "G22", "signature-attachment-mismatch")
    assert standing(made.packet) == made.expect == "signature-digest"


def test_a_signature_by_sha1_is_made_anew_where_the_hub_took_it_and_kept_where_it_did_not() -> None:
    sha1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    key, certificate = a_certificate(key="RSA-2048")
    packet = sign(edxml.write_document(a_document()), key, certificate)
    forged = packet.replace(b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", sha1.encode())
    assert standing(forged) == "signature-algorithm"
    assert standing(again().packet(forged, "G22", "signature-algorithm").packet) == "signature-algorithm"


def test_unsigned_stays_unsigned_and_a_placeholder_one() -> None:
    packet = edxml.write_document(a_document())
    holder = changed(packet, lambda root: qcvn(root, "edXMLHeader").append(_placeholder()))
    assert standing(remade(packet)) == "no-signature"
    for anonymise in (False, True):
        made = remade(holder, anonymise=anonymise)
        assert standing(made) == "placeholder"
        assert (qcvn(etree.fromstring(made), "KeyName").text == "Người ký") is not anonymise


def _placeholder() -> Any:
    element = etree.Element(f"{{{edxml.QCVN}}}Signature")
    etree.SubElement(element, f"{{{edxml.QCVN}}}KeyName").text = "Người ký"
    return element


# Anonymised

SECRET = "Nguyễn Thị Hồng Thử báo cáo kết quả"
FILES = [
    a_file("Báo cáo kết quả.pdf", b"%PDF-1.7 " + SECRET.encode() * 20),
    a_file("Kết quả.txt", SECRET.encode()),
    a_file("Phụ lục.docx", a_zip(("[Content_Types].xml", b"<x/>"), ("word/document.xml", SECRET.encode() * 9))),
    a_file("Hồ sơ.zip", a_zip(("Báo cáo.txt", SECRET.encode() * 9))),
    a_file("Hỏng.zip", b"PK\x03\x04" + SECRET.encode()),
    a_file("Số liệu.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + SECRET.encode()),
]


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{3,}", unicodedata.normalize("NFC", text).casefold()))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_anonymised_no_word_of_the_original_is_left_and_sizes_are_as_they_were(file: Attachment) -> None:
    packet = edxml.write_document(acceptable(file, subject=SECRET, content=f"{SECRET}, ngày 30"))
    again_packet = remade(packet, anonymise=True)
    original, made = document(packet), document(again_packet)
    public = (original.type_name, original.symbol, original.sender.in_charge, original.direction, file.content_id)
    kept = words(" ".join((*public, original.attachments[0].content_type, file.name.rpartition(".")[2])))
    assert (words(" ".join(_texts(original))) & words(" ".join(_texts(made)))) <= kept
    assert not words(SECRET) & words(made.attachments[0].content.decode("utf-8", "ignore"))
    assert len(made.attachments[0].content) == len(file.content)
    assert abs(len(again_packet) - len(remade(packet))) <= 8
    assert [rule for rule, severity, *_ in found(made) if severity == "error"] == []


def _texts(read: Document) -> list[str]:
    def flat(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        if isinstance(value, tuple):
            return [text for each in value for text in flat(each)]
        if isinstance(value, bytes | bool):
            return []
        return [text for name in value.__slots__ for text in flat(getattr(value, name))]

    return flat(read)


def test_anonymised_a_wrapped_file_stays_wrapped_and_packs_about_as_well() -> None:
    octets = a_zip(("bao-cao.txt", SECRET.encode() * 2_000))
    packet = frame("<DocumentId>a</DocumentId>", attachments=attachment_element(octets))
    (file,), (made,) = (document(each).attachments for each in (packet, remade(packet, anonymise=True)))
    assert (made.wrapped, made.defect, len(made.content)) == (True, "", len(file.content))
    assert len(file.octets) <= len(made.octets) <= len(file.octets) * 1.5 + 200
    assert SECRET.encode()[:9] not in made.content


DEFECTS = {
    "attachment-base64": "không phải Base64",
    "attachment-zip": b"PK\x03\x04" + SECRET.encode(),
    "attachment-zip-path": a_zip(("../Báo cáo.txt", SECRET.encode())),
    "attachment-empty": b"",
    "attachment-zip-bomb": a_zip(("a.txt", bytes(30_000_000))),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_anonymised_a_files_defect_stays(defect: str) -> None:
    packet = frame("<DocumentId>a</DocumentId>", attachments=attachment_element(DEFECTS[defect]))
    for each in (packet, remade(packet, anonymise=True)):
        assert [file.defect for file in document(each).attachments] == [defect]
    assert SECRET.encode()[:9] not in document(remade(packet, anonymise=True)).attachments[0].octets


NAMES = [
    "Báo cáo: kết quả?.pdf", "con.txt", "Báo/cáo.pdf", "Báo cáo.", "Ba\u0301o ca\u0301o.pdf", "Báo\u200bcáo.pdf",
    "báo cáo",
    "á" * 125 + ".pdf", "á" * 126 + ".pdf", "Báo\tcáo.pdf", " .pdf", "Báo cáo.exe",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_anonymised_a_file_name_breaks_the_rules_it_broke_and_no_others(name: str) -> None:
    original = acceptable(a_file(name, b"x" * 50))
    made = document(remade(edxml.write_document(original), anonymise=True))
    was, now = ([rule for rule, *_ in found(each) if rule in FILE_NAMES] for each in (original, made))
    assert now == was


def test_anonymised_names_that_are_one_to_a_file_system_stay_one() -> None:
    files = (
        a_file("Báo cáo.pdf"),
        replace(a_file("BÁO CÁO.pdf"), content_id="hai"),
        replace(a_file("Khác.pdf"), content_id="ba"),
    )
    made = document(remade(edxml.write_document(acceptable(*files)), anonymise=True))
    assert [rule for rule, *_ in found(made) if rule == "name-duplicate"] == ["name-duplicate"]
    assert [entry.name for entry in made.manifest] == [file.name for file in made.attachments]


def test_anonymised_two_packets_of_one_content_stay_one_and_two_of_two_stay_two() -> None:
    one = acceptable(a_file(content=SECRET.encode()))
    rebuilt = replace(one, to_places=("Như trên",), recipients=one.recipients * 2)
    other = replace(one, subject=one.subject + "!")
    digests = [
        content_digest(document(remade(edxml.write_document(each), anonymise=True))) for each in (one, rebuilt, other)
    ]
    assert digests[0] == digests[1] != digests[2]


def test_anonymised_lengths_in_characters_and_bytes_are_those_of_the_original() -> None:
    original = a_document(
        attachments=(an_attachment(content=SECRET.encode()),), subject="Ủy ban «X» — số 12/2025; 50 % ☎ 😀 " + "ằ" * 300
    )
    made = document(remade(edxml.write_document(original), anonymise=True))
    assert [len(text) for text in _texts(made) if text not in (made.document_id, made.number)] == [
        len(text) for text in _texts(original) if text not in (original.document_id, original.number)
    ]
    assert len(made.subject.encode()) == len(original.subject.encode())
    marks = re.compile(r"[\w]")
    assert marks.sub("", made.subject) == marks.sub("", original.subject)


DOCTYPES = [b"<!DOCTYPE x>", b'<!DOCTYPE edXML [<!ENTITY ten "ai">]>', b"<!DOCTYPE x [\n<!ELEMENT x ANY>\n]>\n"]


@pytest.mark.parametrize("doctype", DOCTYPES)
def test_anonymised_what_cannot_be_read_tells_no_names_and_is_refused_as_before(doctype: bytes) -> None:
    """The name of an entity was once taken for a text, and the packet refused as not well-formed."""
    packet = doctype + edxml.write_document(a_document(subject=SECRET)).partition(b"?>")[2].replace(b"15", b"&ten;")
    made = remade(packet, anonymise=True)
    assert not words(SECRET) & words(made.decode())
    for each in (packet, made):
        with pytest.raises(Refusal) as caught:
            edxml.parse(each)
        assert caught.value.code == "xml-doctype"
