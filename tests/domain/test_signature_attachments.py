"""Attachments stand outside the signed envelope, tied to it by digest and manifest alone."""

from __future__ import annotations

import base64
import copy
import hashlib

import pytest
from builders.forgery import DOCUMENT, Change, changed, dsig, qcvn, refused, sealed, signed, verified
from builders.packets import a_document, an_attachment
from lxml import etree

from hub.domain.edxml import QCVN, write_document


def test_an_attachment_without_reference_is_refused() -> None:
    def add(root: etree._Element) -> None:
        added = copy.deepcopy(qcvn(root, "Attachment"))
        added[0].text = "cid:tep-3"
        qcvn(root, "AttachmentEncoded").append(added)

    assert refused(changed(signed(), add)).code == "signature-attachment-mismatch"


@pytest.mark.parametrize("kept", [0, 1])
def test_an_attachment_without_reference_is_refused_even_when_the_manifest_names_it(kept: int) -> None:
    def drop(root: etree._Element) -> None:
        del dsig(root, "SignedInfo")[3 + kept :]  # two methods and the envelope's Reference stand before the files'

    refusal = refused(sealed(signed(), drop))
    assert refusal.code == "signature-form"
    assert "cid" in refusal.en


def test_a_removed_attachment_is_noticed() -> None:
    def remove(root: etree._Element) -> None:
        qcvn(root, "AttachmentEncoded").remove(qcvn(root, "Attachment"))

    assert refused(changed(signed(), remove)).code == "signature-form"  # more References than there is to sign


def test_an_attachment_referenced_twice_is_refused() -> None:
    def twice(root: etree._Element) -> None:
        references = dsig(root, "SignedInfo")[2:]
        references[2].set("URI", "cid:tep-1")
        references[2][-1].text = references[1][-1].text

    assert refused(sealed(signed(), twice)).code == "signature-form"


@pytest.mark.parametrize("uri", ["tep-1", "#tep-1", "", "CID:tep-1", "http://example.vn/cid:tep-1"])
def test_a_file_is_referenced_by_its_content_id_and_not_otherwise(uri: str) -> None:
    refusal = refused(sealed(signed(), lambda root: dsig(root, "SignedInfo")[3].set("URI", uri)))
    assert (refusal.code, refusal.value) == ("signature-form", f'Reference/@URI="{uri}"')


def test_a_reference_may_repeat_cid_as_content_ids_do() -> None:
    verified(sealed(signed(), lambda root: dsig(root, "SignedInfo")[3].set("URI", "cid:cid:tep-1")))


def test_two_attachments_of_one_content_id_are_refused() -> None:
    def same_id(root: etree._Element) -> None:
        for content_id in root.iter(f"{{{QCVN}}}ContentId"):
            content_id.text = "cid:tep-1"

    assert refused(sealed(signed(), same_id)).code == "signature-attachment-mismatch"


def test_a_manifest_entry_without_attachment_is_refused() -> None:
    def declare(root: etree._Element) -> None:
        entry = copy.deepcopy(qcvn(root, "edXMLManifest")[0])
        entry[0].text = "cid:tep-3"
        qcvn(root, "edXMLManifest").append(entry)

    assert refused(sealed(signed(), declare)).code == "signature-attachment-mismatch"


def test_a_content_id_declared_twice_is_refused() -> None:
    def declare(root: etree._Element) -> None:
        entry = copy.deepcopy(qcvn(root, "edXMLManifest")[0])
        qcvn(entry, "AttachmentName").text = "khac.pdf"
        qcvn(root, "edXMLManifest").insert(0, entry)

    assert refused(sealed(signed(), declare)).code == "signature-attachment-mismatch"


def test_swapped_contents_are_noticed() -> None:
    def swap(root: etree._Element) -> None:
        one, two = root.iter(f"{{{QCVN}}}ContentTransferEncoded")
        one.text, two.text = two.text, one.text

    refusal = refused(changed(signed(), swap))
    assert refusal.code == "signature-digest"
    assert "quyet-dinh.pdf" in refusal.vi


def test_swapped_content_ids_are_noticed() -> None:
    def swap(root: etree._Element) -> None:
        one, two = (attachment[0] for attachment in root.iter(f"{{{QCVN}}}Attachment"))
        one.text, two.text = two.text, one.text

    assert refused(changed(signed(), swap)).code == "signature-attachment-mismatch"


@pytest.mark.parametrize("name", ["AttachmentName", "ContentType", "Description"])
@pytest.mark.parametrize("value", ["khac.exe", "", None])
def test_what_the_manifest_declares_may_not_differ_outside_it(name: str, value: str | None) -> None:
    def differ(root: etree._Element) -> None:
        attachment = qcvn(root, "Attachment")
        field = qcvn(attachment, name)
        if value is None:
            attachment.remove(field)
        else:
            field.text = value

    refusal = refused(changed(signed(), differ))
    assert refusal.code == "signature-attachment-mismatch"
    assert "quyet-dinh.pdf" in refusal.en


@pytest.mark.parametrize("name", ["ContentId", "AttachmentName", "ContentType", "ContentTransferEncoded"])
@pytest.mark.parametrize("position", [0, 99])
def test_a_field_given_twice_is_refused_as_readers_take_the_first_or_the_last(name: str, position: int) -> None:
    def repeat(root: etree._Element) -> None:
        repeated = etree.Element(f"{{{QCVN}}}{name}")
        repeated.text = "khac"
        qcvn(root, "Attachment").insert(position, repeated)

    assert refused(changed(signed(), repeat)).code == "signature-form"


@pytest.mark.parametrize("name", ["Format", "MimeType", "FieldName"])
def test_a_field_of_an_attachment_that_the_manifest_cannot_sign_is_refused(name: str) -> None:
    def add(root: etree._Element) -> None:
        etree.SubElement(qcvn(root, "Attachment"), f"{{{QCVN}}}{name}").text = "zip"

    assert refused(changed(signed(), add)).code == "signature-form"


def test_a_field_with_elements_in_it_is_refused() -> None:
    def split(root: etree._Element) -> None:
        name = qcvn(qcvn(root, "Attachment"), "AttachmentName")
        inner = etree.SubElement(name, f"{{{QCVN}}}b")
        inner.tail, name.text = name.text[4:], name.text[:4]

    assert refused(changed(signed(), split)).code == "signature-form"


def test_bytes_that_are_not_base64_are_no_file() -> None:
    empty = signed(packet=write_document(a_document(attachments=(an_attachment(content=b""),))))
    for packet in (signed(), empty):

        def spoil(root: etree._Element) -> None:
            content = qcvn(root, "ContentTransferEncoded")
            content.text = f"{content.text or ''}!"

        assert refused(changed(packet, spoil)).code == "signature-digest"


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("name", ["Extra", f"{{{QCVN}}}AttachmentEncoded", f"{{{QCVN}}}MessageHeader"])
def test_the_root_has_no_child_beside_envelope_and_attachments(position: int, name: str) -> None:
    packet = changed(signed(), lambda root: root.insert(position, etree.Element(name)))
    assert refused(packet).code == "signature-form"


@pytest.mark.parametrize(
    "change",
    [
        lambda root: root[1].append(etree.Element(f"{{{QCVN}}}Attachment")),
        lambda root: root[1].insert(0, etree.Element(f"{{{QCVN}}}ContentTransferEncoded")),
        lambda root: setattr(root[1], "text", "Nội dung"),
    ],
)
def test_the_list_of_attachments_holds_nothing_else(change: Change) -> None:
    assert refused(changed(signed(), change)).code == "signature-form"


def test_attachments_in_another_namespace_are_refused_as_not_every_reader_finds_them() -> None:
    packet = signed()
    for elsewhere in (
        packet.replace(b"<AttachmentEncoded>", b'<AttachmentEncoded xmlns="urn:khac">'),
        packet.replace(b"<Attachment>", b'<Attachment xmlns="">', 1),
        packet.replace(b"<edXML xmlns=", b'<x:edXML xmlns:x="urn:khac" xmlns=').replace(b"</edXML>", b"</x:edXML>"),
    ):
        assert refused(elsewhere).code == "signature-form"


def test_a_child_of_the_root_is_covered_by_the_whole_form() -> None:
    refusal = refused(changed(signed("whole"), lambda root: root.append(etree.Element("Extra"))))
    assert (refusal.code, refusal.value) == ("signature-digest", "packet")


def name_files(root: etree._Element, *content_ids: str) -> None:
    for content_id in content_ids:
        reference = copy.deepcopy(dsig(root, "Reference"))
        reference.set("URI", f"cid:{content_id}")
        reference.remove(reference[0])
        octets = next(file.octets for file in DOCUMENT.attachments if file.content_id == content_id)
        reference[-1].text = base64.b64encode(hashlib.sha256(octets).digest()).decode()
        dsig(root, "SignedInfo").append(reference)


def test_the_whole_form_may_name_each_file_too() -> None:
    verified(sealed(signed("whole"), lambda root: name_files(root, "tep-1", "tep-2")))


@pytest.mark.parametrize("named", [("tep-1",), ("tep-2",), ("tep-1", "tep-1")])
def test_the_whole_form_names_each_file_or_none(named: tuple[str, ...]) -> None:
    assert refused(sealed(signed("whole"), lambda root: name_files(root, *named))).code == "signature-form"


def test_two_files_under_one_name_are_refused_in_the_whole_form_too() -> None:
    def same_id(root: etree._Element) -> None:
        name_files(root, "tep-2")
        dsig(root, "SignedInfo")[-1].set("URI", "cid:tep-1")
        qcvn(root[1][1], "ContentId").text = "cid:tep-1"

    assert refused(sealed(signed("whole"), same_id)).code == "signature-attachment-mismatch"
