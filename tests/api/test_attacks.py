"""Forged and poisoned packets all the way to the answer: refused by name, nothing stored but the refusal.

What each attack does to the reader and the verifier is told by the tests of ``hub.domain``; here it meets the hub.
"""

from __future__ import annotations

import base64
import copy
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.api import STORED, Agency, Hub, a_hub, refused
from builders.axis import Peer
from builders.forgery import PACKET, Change, changed, dsig, qcvn, sealed, signed
from builders.keys import a_certificate
from builders.packets import frame
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from hub.domain.edxml import DSIG, QCVN
from hub.domain.signature import sign
from hub.exchange.enrol import Enrolment, Enrolments, enrol
from hub.exchange.report import PACKET_LIMIT
from hub.store import tables as t

GOLDEN = Path(__file__).parents[1] / "data" / "packets"
PROFILES = ("required", "legacy")

Parties = tuple[Agency, Agency]


def attacked(hub: Hub, profile: str) -> Parties:
    """The Government Office, with whose key the packets are signed, and Nghệ An, whom they are addressed to."""
    key, certificate = a_certificate()
    job = Enrolment("G22", certificate=certificate, profile=profile)
    made = hub.axis.desk.writer.run(enrol, Enrolments((job,), hub.axis.desk.vault, replace=True))[0]
    return Agency(hub, Peer(hub.axis, "G22", "Văn phòng Chính phủ", made, key, certificate)), hub.enrol("H41")


@pytest.fixture(scope="module", params=PROFILES)
def parties(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    with a_hub(tmp_path_factory.mktemp("attacked")) as hub:
        yield attacked(hub, request.param)


def is_refused(parties: Parties, packet: bytes, code: str, path: str = "/v1/documents") -> None:
    """Refused with ``code``; afterwards the refusal is on record, and nothing else anywhere."""
    office, nghe_an = parties
    hub = office.hub
    before = {row.id for row in hub.rows(t.refusal)}
    told = office.post("/v1/documents/validate", packet).json() if path == "/v1/documents" else None
    body = refused(office.post(path, packet), code)
    if told is not None:
        assert (told["valid"], told["code"], told["violations"]) == (False, code, body["violations"])
    assert hub.count(*STORED) == 0
    assert nghe_an.inbox() == []
    kept = [(row.code, row.size, row.sha256) for row in hub.rows(t.refusal) if row.id not in before]
    assert kept == [(code, len(packet), hashlib.sha256(packet).hexdigest())]


def test_the_packet_these_attacks_begin_with_is_accepted(tmp_path: Path) -> None:
    for profile in PROFILES:
        with a_hub(tmp_path / profile) as hub:
            office, nghe_an = attacked(hub, profile)
            for n, packet in enumerate((signed(), signed("whole"), sealed(signed(), lambda root: None))):
                answer = office.post("/v1/documents", packet)
                assert (answer.status_code, answer.json()["signature"]["signer"]) == (200 if n else 201, "G22")
            assert len(nghe_an.inbox()) == 1


# The reader.


def doctype(declarations: str, value: str = "&x;") -> bytes:
    return f"<!DOCTYPE edXML [{declarations}]>".encode() + frame(f"<Subject>{value}</Subject>")


LAUGHS = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 10))
XML = {
    "ten to the ninth laughs": (doctype(f'<!ENTITY x0 "ha">{LAUGHS}', "&x9;"), "xml-doctype"),
    "a file as entity": (doctype('<!ENTITY x SYSTEM "file:///etc/passwd">'), "xml-doctype"),
    "an address as entity": (doctype('<!ENTITY x SYSTEM "http://127.0.0.1:1/">'), "xml-doctype"),
    "an outer DTD": (b'<!DOCTYPE edXML SYSTEM "http://127.0.0.1:1/x.dtd">' + frame(), "xml-doctype"),
    "a parameter entity": (doctype('<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;', ""), "xml-doctype"),
    "a defaulted attribute": (doctype('<!ATTLIST Subject Id ID "edXMLEnvelope">', ""), "xml-doctype"),
    "a golden outer entity": ((GOLDEN / "external-entity.edxml").read_bytes(), "xml-doctype"),
    "an entity nobody declared": (frame("<Subject>&x;</Subject>"), "xml-not-well-formed"),
    "a character XML has not": (frame("<Subject>&#0;</Subject>"), "xml-not-well-formed"),
    "a NUL": (frame("<Subject>a\0b</Subject>"), "xml-not-well-formed"),
    "a NUL in front": (b"ba byte\0" + frame(), "xml-junk-before-declaration"),
    "half a packet": (PACKET[: len(PACKET) // 2], "xml-not-well-formed"),
    "two packets": (PACKET + PACKET, "xml-not-well-formed"),
    "an attribute twice": (frame('<Subject a="1" a="2"/>'), "xml-not-well-formed"),
    "nothing": (b"", "xml-empty"),
    "blanks": (b" \r\n" * 1000, "xml-empty"),
    "UTF-16": ((GOLDEN / "utf-16.edxml").read_bytes(), "xml-encoding"),
    "UTF-7": (b'<?xml version="1.0" encoding="UTF-7"?>' + frame(), "xml-encoding"),
    "bytes that are no UTF-8": ((GOLDEN / "invalid-utf-8.edxml").read_bytes(), "xml-encoding"),
    "a surrogate": (frame("<Subject>\u00ff</Subject>").replace("\u00ff".encode(), b"\xed\xa0\x80"), "xml-encoding"),
    "depth": (frame("<a>" * 5_000 + "</a>" * 5_000), "xml-too-deep"),
    "breadth": (frame("<a/>" * 150_000), "xml-too-many-elements"),
    "attributes": (frame("<a " + " ".join(f'b{n}=""' for n in range(120_000)) + "/>"), "xml-too-many-elements"),
    "names": (frame("".join(f"<a{n}/>" for n in range(20_000))), "xml-too-many-names"),
    "another namespace": (frame().replace(QCVN.encode(), b"urn:khac"), "xml-wrong-namespace"),
    "no envelope": (b"<edXML/>", "xml-no-envelope"),
    "a page": (b"<!DOCTYPE html><html></html>", "xml-doctype"),
    "a ZIP": (b"PK\x03\x04" + bytes(200), "xml-not-xml"),
    "a packet in gzip": (gzip.compress(PACKET), "xml-not-xml"),
    "JSON": (b'{"edXML": {}}', "xml-not-xml"),
    "a packet in JSON": (json.dumps({"packet": PACKET.decode()}).encode(), "xml-not-xml"),
    "a letter": ("Kính gửi: Ủy ban nhân dân tỉnh Nghệ An".encode(), "xml-not-xml"),
    "NULs": (bytes(200), "xml-not-xml"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(XML))
@pytest.mark.parametrize("path", ["/v1/documents", "/v1/statuses"])
def test_poisoned_xml_is_refused(parties: Parties, name: str, path: str) -> None:
    packet, code = XML[name]
    too_large = path == "/v1/statuses" and len(packet) > PACKET_LIMIT  # a status is small, and told so first
    is_refused(parties, packet, "too-large" if too_large else code, path)


def test_a_refusal_of_any_bytes_is_kept_by_each_database(hub: Hub) -> None:
    both = attacked(hub, "required")
    for packet, code in XML.values():
        is_refused(both, packet, code)


def test_nothing_of_this_machine_is_read_into_an_answer(parties: Parties, tmp_path: Path) -> None:
    office, _ = parties
    file = tmp_path / "bí mật.txt"
    file.write_text("khóa riêng " * 100, "utf-8")  # longer than a subject may be: what is too long is shown
    including = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{file.as_uri()}" parse="text"/>'
    for packet in (doctype(f'<!ENTITY x SYSTEM "{file.as_uri()}">'), frame(f"<Subject>{including}</Subject>")):
        for path in ("/v1/documents", "/v1/documents/validate", "/v1/statuses"):
            assert "khóa riêng" not in office.post(path, packet).text


# The verifier.


def text_of(name: str, text: str) -> Change:
    def change(root: etree._Element) -> None:
        qcvn(root, name).text = text

    return change


def second_to(root: etree._Element) -> None:
    to = qcvn(root, "To")
    added = copy.deepcopy(to)
    qcvn(added, "OrganId").text = "H27"
    to.addnext(added)


def between(annotation: etree._Element) -> Change:
    """An annotation in the middle of a value: one reader stops there, another reads on."""

    def change(root: etree._Element) -> None:
        subject = qcvn(root, "Subject")
        subject.insert(0, annotation)
        annotation.tail = " và nội dung khác"

    return change


def other_file(root: etree._Element) -> None:
    qcvn(root, "Attachment")[-1].text = base64.b64encode(b"%PDF-1.7 khac").decode()


def swapped_files(root: etree._Element) -> None:
    first, second = list(qcvn(root, "AttachmentEncoded"))
    first[-1].text, second[-1].text = second[-1].text, first[-1].text


def one_file_more(root: etree._Element) -> None:
    files = qcvn(root, "AttachmentEncoded")
    added = copy.deepcopy(files[0])
    qcvn(added, "ContentId").text = "tep-3"
    files.append(added)


def one_file_less(root: etree._Element) -> None:
    files = qcvn(root, "AttachmentEncoded")
    files.remove(files[0])


def renamed_file(root: etree._Element) -> None:
    qcvn(qcvn(root, "AttachmentEncoded"), "AttachmentName").text = "khac.exe"


def hidden(place: Callable[[etree._Element], Any], *, keep: str) -> Change:
    """The envelope that was signed is moved to ``place``, another is shown; ``keep`` has the Signature."""

    def change(root: etree._Element) -> None:
        shown = root[0]
        original = copy.deepcopy(shown)
        bare = original if keep == "shown" else shown
        bare[0].remove(dsig(bare, "Signature"))
        shown.set("Id", "khac")
        qcvn(shown, "Subject").text = "Nội dung giả mạo"
        place(root).append(original)

    return change


def duplicate_id(name: str) -> Change:
    return lambda root: qcvn(root, "Subject").set(name, root[0].get("Id"))


def second_certificate(root: etree._Element) -> None:
    data = dsig(root, "X509Data")
    data.append(copy.deepcopy(data[0]))


def forgers_certificate(root: etree._Element) -> None:
    der = a_certificate("Kẻ giả mạo")[1].public_bytes(Encoding.DER)
    dsig(root, "X509Certificate").text = base64.b64encode(der).decode()


def reference(uri: str) -> Change:
    return lambda root: dsig(root, "Reference").set("URI", uri)


def algorithm(name: str, uri: str) -> Change:
    return lambda root: dsig(root, name).set("Algorithm", uri)


def header_in_signature(root: etree._Element) -> None:
    dsig(root, "KeyInfo").append(copy.deepcopy(qcvn(root, "MessageHeader")))


def zeros(root: etree._Element) -> None:
    dsig(root, "SignatureValue").text = base64.b64encode(bytes(64)).decode()


def in_an_object(root: etree._Element) -> Any:
    return etree.SubElement(dsig(root, "Signature"), f"{{{DSIG}}}Object")


XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
HMAC = "http://www.w3.org/2000/09/xmldsig#hmac-sha1"
FORGED = {
    "another subject": (changed, text_of("Subject", "Nội dung giả mạo"), "signature-digest"),
    "another sender": (changed, text_of("OrganId", "H41"), "signature-digest"),
    "one recipient more": (changed, second_to, "signature-digest"),
    "another date": (changed, text_of("PromulgationDate", "2024/01/02"), "signature-digest"),
    "another file": (changed, other_file, "signature-digest"),
    "files exchanged": (changed, swapped_files, "signature-digest"),
    "one file more": (changed, one_file_more, "signature-attachment-mismatch"),
    "one file less": (changed, one_file_less, "signature-form"),
    "a file renamed": (changed, renamed_file, "signature-attachment-mismatch"),
    "a comment in a value": (changed, between(etree.Comment("x")), "signature-comment"),
    "a comment in a value, signed so": (sealed, between(etree.Comment("x")), "signature-comment"),
    "an instruction in a value": (sealed, between(etree.ProcessingInstruction("x", "y")), "signature-comment"),
    "wrapped in the body": (changed, hidden(lambda root: root[0][1], keep="hidden"), "signature-misplaced"),
    "wrapped in the body, signature shown": (changed, hidden(lambda root: root[0][1], keep="shown"), "signature-form"),
    "wrapped in the header": (changed, hidden(lambda root: root[0][0], keep="hidden"), "signature-misplaced"),
    "wrapped in an attachment": (
        *(changed, hidden(lambda root: qcvn(root, "Attachment"), keep="hidden"), "signature-misplaced"),
    ),
    "wrapped beside the envelope": (changed, hidden(lambda root: root, keep="shown"), "xml-two-envelopes"),
    "wrapped in an Object": (changed, hidden(in_an_object, keep="shown"), "signature-form"),
    "wrapped in KeyInfo": (changed, hidden(lambda root: dsig(root, "KeyInfo"), keep="shown"), "signature-form"),
    "two signatures": (
        *(changed, lambda root: root[0][0].append(copy.deepcopy(dsig(root, "Signature"))), "signature-misplaced"),
    ),
    "a signature beside the envelope": (
        *(changed, lambda root: root.append(dsig(root, "Signature")), "signature-misplaced"),
    ),
    "a header in the signature": (changed, header_in_signature, "signature-form"),
    "an Id twice": (sealed, duplicate_id("Id"), "signature-form"),
    "an id twice": (sealed, duplicate_id("id"), "signature-form"),
    "an xml:id twice": (sealed, duplicate_id("{http://www.w3.org/XML/1998/namespace}id"), "signature-form"),
    "two certificates": (changed, second_certificate, "signature-form"),
    "the forger's certificate": (changed, forgers_certificate, "signature-value"),
    "a reference to a file": (sealed, reference("file:///etc/passwd"), "signature-form"),
    "a reference to an address": (sealed, reference("http://127.0.0.1:1/"), "signature-form"),
    "a reference by XPointer": (sealed, reference("#xpointer(/)"), "signature-form"),
    "a reference to a file only": (sealed, reference("cid:tep-1"), "signature-form"),
    "a stylesheet as transform": (sealed, algorithm("Transform", XSLT), "signature-form"),
    "a MAC in place of a signature": (sealed, algorithm("SignatureMethod", HMAC), "signature-algorithm"),
    "no algorithm": (sealed, algorithm("SignatureMethod", ""), "signature-algorithm"),
    "a value of zeros": (changed, zeros, "signature-value"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(FORGED))
def test_a_forged_signature_is_refused_in_every_profile(parties: Parties, name: str) -> None:
    how, change, code = FORGED[name]
    is_refused(parties, how(signed(), change), code)


def test_anothers_valid_signature_does_not_count_in_any_profile(parties: Parties) -> None:
    _, nghe_an = parties
    is_refused(parties, sign(PACKET, nghe_an.peer.key, nghe_an.peer.certificate), "certificate-other-agency")


def test_a_packet_replayed_by_another_system_is_refused(parties: Parties) -> None:
    office, nghe_an = parties
    refused(nghe_an.post("/v1/documents", signed()), "not-your-agency")
    assert office.hub.count(*STORED) == 0


@pytest.mark.parametrize("name", ["none", "placeholder", "undeclared prefixes", "unknown certificate"])
def test_what_is_not_signed_is_refused_where_it_must_be_and_marked_where_it_need_not(hub: Hub, name: str) -> None:
    def placeholder(root: etree._Element) -> None:
        etree.SubElement(root[0][0], f"{{{QCVN}}}Signature")

    packets = {
        "none": (PACKET, "signature-required"),
        "placeholder": (changed(PACKET, placeholder), "signature-required"),
        "undeclared prefixes": (signed().replace(b"<edXML ", b'<edXML x:y="" ', 1), "signature-required"),
        "unknown certificate": (sign(PACKET, *a_certificate("Không ai biết")), "certificate-unknown"),
    }
    packet, code = packets[name]
    is_refused(attacked(hub, "required"), packet, code)
    office, nghe_an = attacked(hub, "legacy")
    answer = office.post("/v1/documents", packet)
    assert answer.json()["signature"] == {"standing": "unsigned", "signer": ""}, answer.text
    assert [item["signature"]["standing"] for item in nghe_an.inbox()] == ["unsigned"]


# Status packets.


def test_a_forged_report_changes_nothing(hub: Hub) -> None:
    office, nghe_an = attacked(hub, "required")
    document, sent = office.issue("H41")
    nghe_an.fetch(nghe_an.inbox()[0]["id"])
    right = nghe_an.status("06", document)
    unsigned = changed(right, lambda root: root[0][0].remove(dsig(root, "Signature")))
    forged = [
        (right.replace("Đã tiếp nhận".encode(), "Đã hủy".encode()), "signature-digest"),
        (changed(right, lambda root: qcvn(root, "MessageHeader").append(etree.Comment("x"))), "signature-comment"),
        (changed(right, lambda root: root.append(dsig(root, "Signature"))), "signature-misplaced"),
        (changed(right, lambda root: root.append(copy.deepcopy(root[0]))), "xml-two-envelopes"),
        (changed(right, zeros), "signature-value"),
        (unsigned, "signature-required"),
        (sign(unsigned, office.peer.key, office.peer.certificate), "certificate-other-agency"),
    ]
    for packet, code in forged:
        refused(nghe_an.post("/v1/statuses", packet), code)
    assert hub.count(t.report) == 0
    assert office.inbox() == []
    (delivery,) = office.get(f"/v1/documents/{sent['id']}").json()["deliveries"]
    assert delivery["status"] == "none"
    assert hub.count(t.refusal) == len(forged)
    assert nghe_an.post("/v1/statuses", right).status_code == 201
