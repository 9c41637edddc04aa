"""What is signed, what is not, and what is read of it."""

from __future__ import annotations

import base64
import hashlib

import pytest
from builders.forgery import DOCUMENT, PACKET, Form, dsig, refused, signed, verified
from builders.keys import a_certificate
from builders.packets import a_document, a_status
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from hub.domain.edxml import DSIG, QCVN, parse, read_document, read_status, write_document, write_status
from hub.domain.signature import Signed, Unsigned, sign, verify
from hub.errors import Refusal


@pytest.mark.parametrize("form", ["fast", "whole"])
def test_every_kind_of_packet_can_be_signed(form: Form) -> None:
    status = a_status()
    bare = a_document(attachments=())
    assert read_status(verified(signed(form, write_status(status))).tree) == status
    assert read_document(verified(signed(form, write_document(bare))).tree).attachments == ()
    assert read_document(verified(signed(form)).tree) == DOCUMENT


def test_the_fast_form_has_one_reference_to_the_envelope_and_one_to_each_file() -> None:
    root = etree.fromstring(signed())
    assert [reference.get("URI") for reference in root.iter(f"{{{DSIG}}}Reference")] == [
        "#edXMLEnvelope",
        "cid:tep-1",
        "cid:tep-2",
    ]


def test_the_whole_form_has_one_reference_to_the_packet() -> None:
    root = etree.fromstring(signed("whole"))
    assert [reference.get("URI") for reference in root.iter(f"{{{DSIG}}}Reference")] == [""]


def test_the_signature_is_the_last_child_of_the_header_and_the_only_addition() -> None:
    root = etree.fromstring(signed())
    header = root[0][0]
    assert header[-1].tag == f"{{{DSIG}}}Signature"
    header.remove(header[-1])
    del root[0].attrib["Id"]
    assert etree.tostring(root, method="c14n") == etree.tostring(etree.fromstring(PACKET), method="c14n")


def test_the_envelopes_own_id_is_kept() -> None:
    packet = PACKET.replace(b"<edXML:edXMLEnvelope ", b'<edXML:edXMLEnvelope Id="goi-tin" ')
    assert verified(signed(packet=packet)).tree.envelope.get("Id") == "goi-tin"


@pytest.mark.parametrize("form", ["fast", "whole"])
def test_a_packet_signed_again_has_only_the_new_signature(form: Form) -> None:
    other = a_certificate("Ủy ban nhân dân tỉnh Nghệ An", "RSA-2048")
    again = sign(signed(form), *other, form=form)
    assert verified(again).certificate == other[1]
    assert parse(again).signatures == 1


@pytest.mark.parametrize("form", ["fast", "whole"])
def test_text_around_the_signature_belongs_to_the_header_and_is_covered(form: Form) -> None:
    packet = signed(form)
    assert refused(packet.replace(b"</Signature>", b"</Signature>\n    ")).code == "signature-digest"


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("compact", [False, True])
def test_the_text_after_an_earlier_signature_stays_when_the_packet_is_signed_again(
    position: int, compact: bool
) -> None:
    root = etree.fromstring(signed(), etree.XMLParser(remove_blank_text=compact))
    signature = dsig(root, "Signature")
    root[0][0].insert(position, signature)
    signature.tail = "<!>"
    again = signed(packet=etree.tostring(root))
    assert b"&lt;!&gt;" in again
    assert read_document(verified(again).tree) == DOCUMENT


def test_a_packet_that_would_be_refused_is_not_signed() -> None:
    with pytest.raises(Refusal, match="signature-comment"):
        signed(packet=PACKET.replace(b"<edXML:Subject>", b"<edXML:Subject><!-- -->"))
    with pytest.raises(Refusal, match="signature-misplaced"):
        signed(packet=PACKET.replace(b"<edXML:edXMLBody>", b"<edXML:edXMLBody><Signature/>"))


@pytest.mark.parametrize("form", ["fast", "whole"])
def test_fields_are_read_from_the_bytes_that_were_verified(form: Form) -> None:
    tree = parse(signed(form))
    result = verify(tree)
    assert isinstance(result, Signed)
    for element in tree.envelope.iter(f"{{{QCVN}}}Subject", f"{{{QCVN}}}AttachmentName"):
        element.text = "Đã bị đổi"
    assert read_document(result.tree).subject == DOCUMENT.subject
    assert read_document(result.tree).manifest == DOCUMENT.manifest


# Unsigned.


def test_a_packet_without_signature_is_unsigned() -> None:
    assert verify(parse(PACKET)) == Unsigned("no-signature")


def with_in_header(markup: str) -> bytes:
    return PACKET.replace(b"</edXML:edXMLHeader>", markup.encode() + b"</edXML:edXMLHeader>")


def as_placeholder(packet: bytes) -> bytes:
    """The vendor's library writes every Signature in the packet's own namespace."""
    return packet.replace(f'xmlns="{DSIG}"'.encode(), b"")


@pytest.mark.parametrize(
    "packet",
    [
        as_placeholder(signed()),
        as_placeholder(signed("whole")),
        with_in_header("<edXML:DigitalSignature/>"),
        with_in_header("<Signature/>"),
        with_in_header("<Signature/><Signature/><edXML:DigitalSignature/>"),
        with_in_header(f'<Signature xmlns="{DSIG}"/>'),
        with_in_header(f'<Signature xmlns="{DSIG}"><KeyInfo><X509Data/></KeyInfo></Signature>'),
    ],
)
def test_a_placeholder_is_no_signature(packet: bytes) -> None:
    assert verify(parse(packet)) == Unsigned("placeholder")


@pytest.mark.parametrize("text", ["", "AAAA", "MIIAAA==", "MII", "không", "&#xA0;", "<X/>"])
def test_a_signature_without_a_certificate_that_can_be_parsed_is_a_placeholder(text: str) -> None:
    before, _, rest = signed().partition(b"<X509Certificate>")
    after = rest.partition(b"</X509Certificate>")[2]
    packet = before + b"<X509Certificate>" + text.encode() + b"</X509Certificate>" + after
    assert verify(parse(packet)) == Unsigned("placeholder")


def test_a_packet_with_an_undeclared_prefix_is_unsigned_whatever_it_holds() -> None:
    packet = signed().replace(b"<edXML:Subject>", b'<edXML:Subject xlink:href="">')
    assert verify(parse(packet)) == Unsigned("not-namespace-well-formed")


# One changed byte.


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")  # about the odd certificates
@settings(max_examples=250)
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_certificate_is_refused_or_a_placeholder_or_another_certificate(at: int, octet: int) -> None:
    der = bytearray(a_certificate()[1].public_bytes(Encoding.DER))
    der[at % len(der)] = octet
    root = etree.fromstring(signed())
    dsig(root, "X509Certificate").text = base64.b64encode(der).decode()
    if bytes(der) == a_certificate()[1].public_bytes(Encoding.DER):
        return
    try:
        result = verify(parse(etree.tostring(root)))
    except Refusal as refusal:
        code = refusal.code
    else:
        code = result.why if isinstance(result, Unsigned) else result.fingerprint
    assert code in {"certificate-invalid", "signature-value", "placeholder", hashlib.sha256(der).hexdigest()}


@pytest.mark.parametrize("form", ["fast", "whole"])
@settings(max_examples=250)
@given(data=st.data())
def test_no_changed_byte_is_accepted_with_other_content(form: Form, data: st.DataObject) -> None:
    packet = signed(form)
    at = data.draw(st.integers(0, len(packet) - 1))
    octet = data.draw(st.integers(0, 255))
    try:
        result = verify(parse(packet[:at] + bytes([octet]) + packet[at + 1 :]))
    except Refusal:
        return
    assert isinstance(result, Unsigned) or read_document(result.tree) == DOCUMENT


@pytest.mark.parametrize("form", ["fast", "whole"])
def test_every_text_of_header_and_manifest_is_covered(form: Form) -> None:
    packet = signed(form)
    texts = [e for e in parse(packet).envelope.iter(f"{{{QCVN}}}*") if len(e) == 0 and (e.text or "").strip()]
    assert len(texts) > 20
    for index in range(len(texts)):
        tree = parse(packet)
        leaves = [e for e in tree.envelope.iter(f"{{{QCVN}}}*") if len(e) == 0 and (e.text or "").strip()]
        leaves[index].text = f"{leaves[index].text}."
        with pytest.raises(Refusal, match="signature-digest"):
            verify(tree)
