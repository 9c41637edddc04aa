"""Anonymised: nothing that a person wrote is left in a packet, wherever it stood, and the packet fares as before."""

from __future__ import annotations

import base64
import re
import unicodedata
from typing import Any

import pytest
from builders.documents import a_file, acceptable, found
from builders.forgery import changed, dsig, qcvn
from builders.keys import a_certificate
from builders.packets import a_document, frame
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from clients.replay.stock.keys import key_and_certificate
from clients.replay.traffic.again import Again
from clients.replay.traffic.noise import Noise
from hub.domain import edxml
from hub.domain.signature import sign, verify
from hub.errors import Refusal

SECRET = "Nguyễn Thị Hồng Thử"
WORDS = re.compile(r"Nguy|Thị|Hồng|Thử", re.IGNORECASE)
KEY = b"of this recording"


def again(days: int = 45) -> Again:
    return Again(7, days, lambda code: key_and_certificate(7, code), Noise(KEY))


def remade(packet: bytes) -> bytes:
    return again().packet(packet, "G22").packet


def told(packet: bytes) -> list[str]:
    return WORDS.findall(unicodedata.normalize("NFC", packet.decode("utf-8", "replace")))


def standing(packet: bytes) -> str:
    try:
        edxml.parse(packet)
    except Refusal as refusal:
        return refusal.code
    try:
        return type(verify(edxml.parse(packet))).__name__
    except Refusal as refusal:
        return refusal.code


PLAIN = edxml.write_document(acceptable(a_file("Báo cáo.pdf", content_id="Nguyễn Thị Hồng Thử.pdf")))
SUBJECT = b"<edXML:Subject>"
# Where a person may be named besides the fields, as the packet is put together.
PLACES: dict[str, tuple[bytes, bytes]] = {
    "a comment before all": (b"?>", f"?><!-- người soạn: {SECRET} -->".encode()),
    "an instruction before all": (b"?>", f"?><?may-in khay='2' người='{SECRET}'?>".encode()),
    "a comment in a text": (SUBJECT, SUBJECT + f"<!--{SECRET} > 'x-->".encode()),
    "an instruction beside elements": (SUBJECT, f"<?soạn {SECRET}?>".encode() + SUBJECT),
    "a text beside elements": (SUBJECT, f"{SECRET} &lt; &#78;guyễn\r\n".encode() + SUBJECT),
    "characters beside elements": (SUBJECT, f"<![CDATA[{SECRET} <b>]]>".encode() + SUBJECT),
    "characters in a text": (SUBJECT, SUBJECT + f"<![CDATA[{SECRET} <b>]]>".encode()),
    "an attribute": (SUBJECT, f"<edXML:Subject by=\"{SECRET} > &amp;\" x = '{SECRET}'>".encode()),
    "an attribute of an empty element": (SUBJECT, f'<edXML:Soạn by="{SECRET}"/>'.encode() + SUBJECT),
    "a comment behind all": (b"</edXML:edXML>", f"</edXML:edXML><!--{SECRET}-->".encode()),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_name_that_stands_beside_the_fields_is_made_noise_of(place: str) -> None:
    before, after = PLACES[place]
    if before not in PLAIN:
        before, after = (each.replace(b"</edXML:edXML>", b"</edXML>") for each in (before, after))
    packet = PLAIN.replace(before, after, 1)
    assert told(packet)
    plain = Again(7, 45, lambda code: key_and_certificate(7, code)).packet(packet, "G22").packet
    made = remade(packet)
    assert told(made) == []
    assert abs(len(made) - len(plain)) <= 16, "noise of the same size"
    assert standing(made) == standing(packet) == "Unsigned"
    was, now = (edxml.read_document(edxml.parse(each)) for each in (plain, made))
    assert [rule for rule, severity, *_ in found(now) if severity == "error"] == []
    assert now.document_id == was.document_id
    assert [each.tag for each in etree.fromstring(made).iter()] == [each.tag for each in etree.fromstring(plain).iter()]


def test_of_a_name_that_is_a_devices_only_the_device_stays() -> None:
    """It was once kept whole, since no noise of it is a device."""
    packet = edxml.write_document(acceptable(a_file(f"con.{SECRET}.pdf")))
    (file,) = edxml.read_document(edxml.parse(remade(packet))).attachments
    assert (file.name[:4], file.name[-4:], len(file.name)) == ("con.", ".pdf", len(f"con.{SECRET}.pdf"))
    assert not told(file.name.encode())


def test_files_are_still_those_of_the_manifest_when_their_ids_were_names() -> None:
    made = edxml.read_document(edxml.parse(remade(PLAIN)))
    assert [entry.content_id for entry in made.manifest] == [file.content_id for file in made.attachments]
    assert not told(made.attachments[0].content_id.encode())


@given(st.lists(st.text("0123456789abAB-_.ạảđ", min_size=1, max_size=3), unique=True, min_size=2, max_size=30))
def test_names_that_differ_do_so_in_noise(names: list[str]) -> None:
    noise = Noise(KEY)
    assert len({noise.name(name) for name in names}) == len(names)
    assert all(noise.name(name) == noise.name(name) for name in names)


def test_a_text_where_a_day_should_be_is_noise_and_a_day_is_not() -> None:
    for due, expected in (("2025/12/31 T10:00Z", "2026/02/14 T10:00Z"), ("2025/12/31", "2026/02/14")):
        packet = edxml.write_document(a_document(due_date=due))
        assert edxml.read_document(edxml.parse(remade(packet))).due_date == expected
    late = edxml.read_document(edxml.parse(remade(edxml.write_document(a_document(due_date=f"2025/12/31 {SECRET}")))))
    assert late.due_date.startswith("2026/02/14 ")
    assert not told(late.due_date.encode())


def test_letters_and_digits_of_other_scripts_are_none_that_stay() -> None:
    text = "𡨸喃 Ж甲 ０９１２３ 098"
    made = Noise(KEY).text(text)
    assert len(made.encode()) == len(text.encode())
    pairs = [(was, now) for was, now in zip(text, made, strict=True) if was != " "]
    assert not [pair for pair in pairs if pair[0] == pair[1]]
    assert [now.isdecimal() for _, now in pairs] == [was.isdecimal() for was, _ in pairs]


def test_another_key_gives_other_noise() -> None:
    """The key was the seed, which everybody can try with every name there is."""
    assert Noise(b"1").text(SECRET) != Noise(b"2").text(SECRET)
    assert Noise(b"1").name(SECRET) != Noise(b"2").name(SECRET)


def test_a_pile_of_marks_takes_no_time() -> None:
    """Normalising one takes time in the square of its height: a record with it would never be played."""
    pile = "e" + "\u0301\u0323" * 200_000
    assert len(Noise(KEY).text(pile)) == len(pile)
    assert len(remade(f"<!--{pile}--><x>".encode())) == len(f"<!--{pile}--><x>".encode())


# Signatures that stay broken


def named(packet: bytes) -> bytes:
    """Signed by a person, whose name the certificate has, and the signature besides."""
    key, certificate = a_certificate(common_name=SECRET)
    written = sign(packet, key, certificate)
    info = f"<X509Data><X509SubjectName>CN={SECRET}</X509SubjectName>".encode()
    return written.replace(b"<X509Data>", info)


def two_signatures(root: Any) -> None:
    root.append(etree.fromstring(etree.tostring(dsig(root, "Signature"))))


def placeholder(root: Any) -> None:
    certificate = next(root.iter(f"{{{edxml.DSIG}}}X509Certificate"))
    certificate.text = certificate.text[: len(certificate.text) // 2]


BROKEN = {
    "signature-misplaced": two_signatures,
    "signature-form": lambda root: dsig(root, "Reference").set("URI", "#x"),
    "signature-comment": lambda root: qcvn(root, "Subject").append(etree.Comment(SECRET)),
    "signature-digest": lambda root: setattr(qcvn(root, "Subject"), "text", "Việc khác"),
    "Unsigned": placeholder,
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_signature_stays_broken_and_names_nobody(code: str) -> None:
    packet = changed(named(edxml.write_document(a_document())), BROKEN[code])
    if code == "Unsigned":
        assert told(packet)
    assert standing(packet) == code
    made = again().packet(packet, "G22", "" if code == "Unsigned" else code)
    assert standing(made.packet) == code
    assert made.expect == ("" if code == "Unsigned" else code)
    assert told(made.packet) == []
    certificate = a_certificate(common_name=SECRET)[1].public_bytes(Encoding.DER)
    written = b"".join(made.packet.split())
    assert base64.b64encode(certificate)[:200] not in written
    assert SECRET.encode() in certificate


def test_a_certificate_that_counts_for_nothing_is_not_shown_either() -> None:
    """It may be refused for itself; then what stands in its place is right, and the digest is what is wrong."""
    key, certificate = a_certificate(common_name=SECRET)
    weak = a_certificate(common_name=SECRET, key="RSA-1024")[1]
    der, other = (base64.b64encode(each.public_bytes(Encoding.DER)) for each in (certificate, weak))
    packet = sign(edxml.write_document(a_document()), key, certificate).replace(der, other)
    code = standing(packet)
    assert code == "certificate-invalid"
    made = again().packet(packet, "G22", code)
    assert made.expect == standing(made.packet) == "signature-digest"
    assert other[:200] not in made.packet


# What cannot be read

UNREADABLE = [
    f"<edXML><!-- {SECRET} --></edXML",
    f"<edXML><a by='{SECRET}' x=\"{SECRET}\"></edXML>",
    f"<edXML><a by='{SECRET}></edXML>",
    f"<edXML><a by={SECRET}></edXML>",
    f"<edXML><![CDATA[{SECRET} <b> {SECRET}]]></edXML",
    f"<?xml version='1.0' encoding='utf-16'?><a>{SECRET}</a>",
    f"<?xml version='1.1'?><?ghi {SECRET}?><a/>",
    f"<!DOCTYPE a [<!ENTITY ten '{SECRET}'>]><a>{SECRET}&ten;</a>",
    f"<!DOCTYPE a SYSTEM '{SECRET}'><a/>",
    f"<a xmlns:b='c' by='{SECRET} > {SECRET}'>{SECRET}</a>",
    f"{SECRET} <?xml version='1.0'?><a/>",
    SECRET,
    f"PK {SECRET}",
    f"%PDF-1.7 {SECRET}",
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cannot_be_read_tells_no_names_wherever_they_stand(text: str) -> None:
    packet = text.encode()
    made = remade(packet)
    assert told(made) == []
    assert len(made) == len(packet)
    assert standing(made) == standing(packet)
    assert standing(packet).startswith("xml-")


def test_a_namespace_stays_where_a_packet_is_refused_for_it() -> None:
    packet = frame().replace(b"QCVN_102_2016", b"QCVN_102_2099")
    assert standing(packet) == standing(remade(packet)) == "xml-wrong-namespace"
