"""Bytes to a tree: what is refused before a field is read, and what is read although no standard tool would."""

from __future__ import annotations

import base64
import codecs
import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from builders.packets import PDF, a_document, a_status, a_zip, an_attachment, frame
from lxml import etree

from hub.domain.edxml import (
    QCVN,
    Limits,
    is_status,
    parse,
    read_document,
    signed_tree,
    write_document,
    write_status,
)
from hub.errors import Refusal

PACKETS = Path(__file__).parents[2] / "data" / "packets"
GOOD = write_document(a_document())


def golden(defect: str) -> bytes:
    return (PACKETS / f"{defect}.edxml").read_bytes()


def refusal(data: bytes, limits: Limits | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        parse(data, limits or Limits())
    return caught.value


def envelope(inside: str, namespace: str = QCVN) -> bytes:
    return f'<edXML><edXMLEnvelope xmlns="{namespace}">{inside}</edXMLEnvelope></edXML>'.encode()


@pytest.mark.parametrize(
    ("defect", "code"),
    [
        ("junk-before-declaration", "xml-junk-before-declaration"),
        ("utf-16", "xml-encoding"),
        ("invalid-utf-8", "xml-encoding"),
        ("external-entity", "xml-doctype"),
    ],
)
def test_a_golden_packet_is_refused_for_the_defect_in_its_name(defect: str, code: str) -> None:
    assert refusal(golden(defect)).code == code


@pytest.mark.parametrize("data", [b"", b" \r\n", codecs.BOM_UTF8], ids=["nothing", "blanks", "a-bom"])
def test_an_empty_packet_is_refused(data: bytes) -> None:
    assert refusal(data).code == "xml-empty"


@pytest.mark.parametrize("before", [b" ", b"\r\n", b"1212", codecs.BOM_UTF8 + b"\n", codecs.BOM_UTF8 * 2])
def test_anything_before_the_declaration_is_refused_and_shown(before: bytes) -> None:
    found = refusal(before + GOOD)
    assert found.code == "xml-junk-before-declaration"
    assert found.value == before.removeprefix(codecs.BOM_UTF8).decode()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (gzip.compress(GOOD), "1F 8B 08 00 (gzip)"),
        (a_zip(("goi.edxml", GOOD)), "50 4B 03 04 (ZIP)"),
        (PDF, "25 50 44 46 (PDF)"),
        (b'{"edXML": {}}', "7B 22 65 64 (JSON)"),
        (json.dumps([GOOD.decode()]).encode(), "5B 22 3C 3F (JSON)"),
        (codecs.BOM_UTF8 + b'{"a": 1}', "7B 22 61 22 (JSON)"),
        ("Kính gửi: Ủy ban <nhân dân>".encode(), "4B C3 AD 6E"),
        (b"5 < 6", "35 20 3C 20"),
        (b"\r\n \0", "0D 0A 20 00"),
        (b"\0\0\0\0", "00 00 00 00"),
        (base64.b64encode(GOOD), "50 44 39 34"),
    ],
    ids=["gzip", "zip", "pdf", "json", "a-packet-in-json", "json-behind-a-bom", "a-letter", "a-sum", "blanks-and-a-nul",
         "nuls", "base64"],
)  # fmt: skip
def test_what_was_sent_in_place_of_xml_is_told_by_its_first_bytes(data: bytes, told: str) -> None:
    """It was all told as characters before an XML declaration that it does not have, gzip as UTF-16."""
    found = refusal(data)
    assert found.code == "xml-not-xml"
    assert found.en.endswith(f" {told}.")
    assert found.vi.endswith(f" {told}.")
    assert found.violations[0].value[:1] == data.removeprefix(codecs.BOM_UTF8)[:1].decode()


def test_a_byte_order_mark_is_no_junk() -> None:
    assert read_document(parse(codecs.BOM_UTF8 + GOOD)) == a_document()


def test_a_packet_without_a_declaration_is_read() -> None:
    assert read_document(parse(GOOD.partition(b"\r\n")[2])) == a_document()


@pytest.mark.parametrize("encoding", ["UTF-16", "windows-1258", "ISO-8859-1", "us-ascii"])
def test_another_declared_encoding_is_refused_by_name(encoding: str) -> None:
    found = refusal(GOOD.replace(b"UTF-8", encoding.encode(), 1))
    assert found.code == "xml-encoding"
    assert encoding in found.en


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_wide_encoding_without_a_byte_order_mark_is_refused(encoding: str) -> None:
    assert refusal(GOOD.decode().encode(encoding)).code == "xml-encoding"


def test_utf_8_cut_in_the_middle_of_a_letter_is_refused() -> None:
    assert refusal(frame("<Subject>Đ</Subject>").replace("Đ".encode(), b"\xc4")).code == "xml-encoding"
    assert refusal(GOOD + b"\xe1").code == "xml-encoding"


def test_xml_1_1_is_refused() -> None:
    assert refusal(GOOD.replace(b'version="1.0"', b'version="1.1"', 1)).code == "xml-not-well-formed"


@pytest.mark.parametrize(
    "prolog",
    [
        b"<!DOCTYPE edXML>",
        b'<!-- a > b --><?note "?><!DOCTYPE edXML SYSTEM "http://example.vn/a.dtd">',
        b'<!DOCTYPE edXML [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
    ],
    ids=["bare", "hidden-behind-comments", "entities"],
)
def test_a_doctype_is_refused(prolog: bytes) -> None:
    assert refusal(prolog + frame()).code == "xml-doctype"


def test_the_word_doctype_in_a_text_is_no_doctype() -> None:
    text = read_document(parse(frame("<Subject><![CDATA[<!DOCTYPE html>]]></Subject>"))).subject
    assert text == "<!DOCTYPE html>"


def test_an_entity_nobody_declared_is_refused() -> None:
    assert refusal(frame("<Subject>&nbsp;</Subject>")).code == "xml-not-well-formed"


def test_a_syntax_error_is_told_with_its_line_and_without_a_file_name() -> None:
    found = refusal(b"<edXML>\n<a>\n</b></edXML>")
    assert found.code == "xml-not-well-formed"
    assert found.repair.endswith("line 3")
    assert "mismatch" in found.en
    assert "string>" not in found.en


@pytest.mark.parametrize(
    "data",
    [
        b"<edXML>",
        b"<edXML/>x",
        b"<",
        b"<!-- only -->",
        b"<a:b:c/>",
        b"<a b='1' b='2'/>",
        b"<a>\x01</a>",
        b"<a>&#0;</a>",
    ],
)
def test_what_is_not_xml_is_refused(data: bytes) -> None:
    assert refusal(data).code == "xml-not-well-formed"


def test_a_packet_over_the_size_limit_is_refused() -> None:
    assert refusal(GOOD, Limits(packet=len(GOOD) - 1)).code == "too-large"
    assert parse(GOOD, Limits(packet=len(GOOD))).well_formed


def test_elements_may_be_nested_32_deep_and_no_deeper() -> None:
    # edXML, edXMLEnvelope, edXMLHeader and MessageHeader are four.
    parse(frame("<a>" * 28 + "</a>" * 28))
    found = refusal(frame("<a>" * 29 + "</a>" * 29))
    assert found.code == "xml-too-deep"
    assert "32" in found.en


def test_elements_nested_deeper_than_the_parser_itself_allows_are_too_deep() -> None:
    assert refusal(b"<a>" * 40_000 + b"</a>" * 40_000).code == "xml-too-deep"


def test_elements_are_counted_exactly_and_comments_are_not_elements() -> None:
    packet = frame("<a/><!-- b --><a/>")  # and edXML with its seven
    assert parse(packet, Limits(elements=9)).annotated
    assert refusal(packet, Limits(elements=8)).code == "xml-too-many-elements"


@pytest.mark.parametrize(
    ("bomb", "code"),
    [
        (b"<a>" * (8 * 1024 * 1024), "xml-too-many-elements"),
        (b"<a " + b' b=""' * (4 * 1024 * 1024), "xml-too-many-elements"),
        (frame("".join(f"<a{number}/>" for number in range(50_000))), "xml-too-many-names"),
        (b"<" + b"a" * (8 * 1024 * 1024) + b"/>", "xml-too-many-names"),
        (b"<!---->" * 300_000 + frame(), "xml-too-many-elements"),
        (b"<a \"<b '" * 90_000 + b"x" * (8 * 1024 * 1024), "xml-too-many-names"),
    ],
    ids=["elements", "attributes", "different-names", "one-huge-name", "comments", "open-quotes"],
)
def test_a_bomb_is_refused_for_its_number_of_tags_attributes_or_names(bomb: bytes, code: str) -> None:
    assert refusal(bomb).code == code


def test_undeclared_prefixes_are_read_as_meant_and_the_packet_is_marked() -> None:
    tree = parse(golden("undeclared-prefixes"))
    document = read_document(tree)
    assert not tree.well_formed
    assert tree.signature is not None
    assert document.subject == "V/v kết nối, liên thông văn bản điện tử"
    assert [(a.name, a.content) for a in document.attachments] == [("15-VPCP-TTĐT.pdf", b"%PDF-1.7\n%%EOF\n")]


def test_an_undeclared_prefix_behind_a_hundred_others_is_found() -> None:
    references = '<Reference xlink:href=""/>' * 150
    packet = frame("<Subject>Đủ</Subject><x:Content>Đúng</x:Content>", body=references)
    assert read_document(parse(packet)).content == "Đúng"


def test_a_root_with_an_undeclared_prefix_is_read() -> None:
    packet = b"<?xml version='1.0'?><e:edXML><e:edXMLEnvelope><edXMLHeader><MessageHeader/></edXMLHeader>"
    assert not parse(packet + b"</e:edXMLEnvelope></e:edXML>").well_formed


def test_a_syntax_error_beside_an_undeclared_prefix_is_a_syntax_error() -> None:
    found = refusal(frame("<x:a>\n</x:b>"))
    assert found.code == "xml-not-well-formed"
    assert "mismatch" in found.en


def test_a_well_formed_packet_is_marked_so() -> None:
    assert parse(GOOD).well_formed


def test_the_name_and_the_namespace_of_the_root_do_not_matter() -> None:
    inside = "<edXMLHeader><MessageHeader><Subject>Đủ</Subject></MessageHeader></edXMLHeader>"
    packet = f'<goi xmlns="urn:khac"><e:edXMLEnvelope xmlns:e="{QCVN}">{inside}</e:edXMLEnvelope></goi>'.encode()
    assert read_document(parse(packet)).subject == "Đủ"


@pytest.mark.parametrize(
    "namespace",
    ["", "http://www.e-doc.vn/Schema/", "http://www.mic.gov.vn/TBT/QCVN_102_2016/"],
    ids=["none", "old", "near"],
)
def test_an_envelope_of_another_namespace_is_refused(namespace: str) -> None:
    assert refusal(envelope("<edXMLHeader/>", namespace)).code == "xml-wrong-namespace"


def test_a_packet_without_an_envelope_below_the_root_is_refused() -> None:
    assert refusal(b"<edXML/>").code == "xml-no-envelope"
    assert refusal(b"<edXML><a>" + envelope("") + b"</a></edXML>").code == "xml-no-envelope"


def test_two_envelopes_are_refused_because_two_readers_could_take_different_ones() -> None:
    inside = GOOD[GOOD.index(b"<edXML:edXMLEnvelope") : GOOD.index(b"<AttachmentEncoded>")]
    assert refusal(GOOD.replace(b"<AttachmentEncoded>", inside + b"<AttachmentEncoded>")).code == "xml-two-envelopes"


@pytest.mark.parametrize("inside", ["", "<edXMLHeader/>", "<MessageHeader/>"])
def test_an_envelope_without_its_headers_is_refused(inside: str) -> None:
    assert refusal(envelope(inside)).code == "xml-no-header"


def test_a_packet_with_a_status_code_and_no_recipient_is_a_status() -> None:
    assert is_status(parse(write_status(a_status())))
    assert not is_status(parse(GOOD))
    assert not is_status(parse(frame("<StatusCode>03</StatusCode><To><OrganId>H41</OrganId></To>")))


def test_the_signature_is_the_one_directly_below_the_header_and_all_are_counted() -> None:
    header = (
        '<edXMLHeader><MessageHeader><Signature Id="m"/></MessageHeader>'
        '<s:Signature xmlns:s="http://www.w3.org/2000/09/xmldsig#" Id="s"/><DigitalSignature/></edXMLHeader>'
    )
    tree = parse(envelope(header))
    assert tree.signature is not None
    assert tree.signature.get("Id") == "s"
    assert tree.signatures == 3
    assert parse(frame()).signature is None


@pytest.mark.parametrize(
    ("packet", "annotated"),
    [
        (frame("<Subject>a<!-- b --></Subject>"), True),
        (frame("<?b c?>"), True),
        (b"<!-- a -->" + frame() + b"<?a b?>", False),
        (frame(attachments="<!-- a -->"), False),
    ],
    ids=["comment", "instruction", "around-the-root", "beside-the-envelope"],
)
def test_comments_and_instructions_are_told_where_they_stand_inside_the_envelope(
    packet: bytes, annotated: bool
) -> None:
    assert parse(packet).annotated is annotated


def test_the_signed_tree_takes_the_fields_from_the_canonical_envelope_and_the_files_from_the_packet() -> None:
    tree = parse(GOOD)
    other = parse(write_document(a_document(subject="Nội dung đã ký", attachments=())))
    signed = signed_tree(tree, etree.tostring(other.envelope, method="c14n", exclusive=True, with_tail=False))
    document = read_document(signed)
    assert document.subject == "Nội dung đã ký"
    assert document.attachments == a_document().attachments
    assert document.manifest == ()
    assert signed.signatures == tree.signatures


def test_the_signed_tree_of_a_whole_packet_takes_everything_from_the_canonical_bytes() -> None:
    tree = parse(GOOD)
    attachment = an_attachment(content=b"%PDF-1.7 signed")
    other = parse(write_document(a_document(attachments=(attachment,))))
    document = read_document(signed_tree(tree, etree.tostring(other.root, method="c14n")))
    assert document == replace(a_document(), attachments=(attachment,))


def test_a_signed_tree_needs_the_header_in_what_was_signed() -> None:
    with pytest.raises(Refusal, match=r"^xml-no-header"):
        signed_tree(parse(GOOD), f'<edXMLEnvelope xmlns="{QCVN}"></edXMLEnvelope>'.encode())
