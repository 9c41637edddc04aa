"""Which shapes of a Signature are accepted; a packet that two readers could read differently is not."""

from __future__ import annotations

import base64
import copy

import pytest
from builders.forgery import Change, Form, canonical, changed, dsig, qcvn, refused, sealed, signed
from builders.keys import a_certificate
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from hub.domain.edxml import DSIG, QCVN, parse
from hub.domain.signature import Signed, verify

ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"


# Comments and processing instructions: one reader stops at them, another reads past them.


def within(name: str, node: etree._Element) -> Change:
    def split(root: etree._Element) -> None:
        element = qcvn(root, name)
        node.tail, element.text = element.text[3:], element.text[:3]
        element.append(copy.deepcopy(node))

    return split


@pytest.mark.parametrize("form", ["fast", "whole"])
@pytest.mark.parametrize("name", ["OrganId", "Subject", "DocumentId", "AttachmentName", "ContentTransferEncoded"])
@pytest.mark.parametrize("node", [etree.Comment("!"), etree.ProcessingInstruction("x", "y")])
def test_a_value_with_a_comment_or_instruction_in_it_is_refused(form: Form, name: str, node: etree._Element) -> None:
    assert refused(sealed(signed(form), within(name, copy.deepcopy(node)))).code == "signature-comment"


@pytest.mark.parametrize("form", ["fast", "whole"])
def test_a_comment_outside_the_root_is_refused(form: Form) -> None:
    packet = signed(form)
    assert refused(packet + b"<!-- -->").code == "signature-comment"
    assert refused(packet.replace(b"<edXML ", b"<?x y?><edXML ")).code == "signature-comment"


def test_a_comment_inside_the_signature_is_refused() -> None:
    for name in ("SignedInfo", "DigestValue", "SignatureValue", "KeyInfo"):
        packet = changed(signed(), lambda root, name=name: dsig(root, name).append(etree.Comment("!")))  # type: ignore[misc]
        assert refused(packet).code == "signature-comment"


# Transforms and canonicalisation.


def transforms(*algorithms: str) -> Change:
    def put(root: etree._Element) -> None:
        listed = dsig(root, "Transforms")
        for transform in list(listed):
            listed.remove(transform)
        for algorithm in algorithms:
            etree.SubElement(listed, f"{{{DSIG}}}Transform", Algorithm=algorithm)

    return put


@pytest.mark.parametrize(
    ("form", "algorithms"),
    [
        ("fast", (ENVELOPED,)),
        ("fast", (EXCLUSIVE,)),
        ("fast", (EXCLUSIVE, ENVELOPED)),
        ("fast", (ENVELOPED, ENVELOPED)),
        ("fast", (ENVELOPED, INCLUSIVE)),
        ("fast", (ENVELOPED, f"{EXCLUSIVE}WithComments")),
        ("fast", (ENVELOPED, EXCLUSIVE, EXCLUSIVE)),
        ("fast", ()),
        ("whole", ()),
        ("whole", (EXCLUSIVE,)),
        ("whole", (EXCLUSIVE, ENVELOPED)),
        ("whole", (ENVELOPED, f"{INCLUSIVE}#WithComments")),
        ("whole", (ENVELOPED, "http://www.w3.org/2006/12/xml-c14n11")),
        ("whole", (ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116")),
        ("whole", (ENVELOPED, "http://www.w3.org/TR/1999/REC-xpath-19991116")),
        ("whole", (ENVELOPED, "http://www.w3.org/2002/06/xmldsig-filter2")),
        ("whole", (ENVELOPED, "http://www.w3.org/2000/09/xmldsig#base64")),
        ("whole", (ENVELOPED, "http://example.vn/unknown")),
        ("whole", (ENVELOPED, "")),
    ],
)
def test_only_the_named_transforms_are_accepted(form: Form, algorithms: tuple[str, ...]) -> None:
    refusal = refused(sealed(signed(form), transforms(*algorithms)))
    assert refusal.code == "signature-form"
    assert "Transform" in refusal.en


def test_a_transform_with_parameters_is_refused() -> None:
    def parameters(root: etree._Element) -> None:
        listed = etree.SubElement(dsig(root, "Transforms")[-1], f"{{{EXCLUSIVE}}}InclusiveNamespaces")
        listed.set("PrefixList", "#default")

    assert refused(sealed(signed(), parameters)).code == "signature-form"


@pytest.mark.parametrize("name", ["CanonicalizationMethod", "SignatureMethod", "DigestMethod"])
def test_a_method_with_parameters_is_refused(name: str) -> None:
    def truncate(root: etree._Element) -> None:
        etree.SubElement(dsig(root, name), f"{{{DSIG}}}HMACOutputLength").text = "8"

    assert refused(sealed(signed(), truncate)).code == "signature-form"


def test_transforms_on_an_attachment_are_refused() -> None:
    def decode(root: etree._Element) -> None:
        reference = dsig(root, "SignedInfo")[3]
        reference.insert(0, etree.Element(f"{{{DSIG}}}Transforms"))
        etree.SubElement(reference[0], f"{{{DSIG}}}Transform", Algorithm="http://www.w3.org/2000/09/xmldsig#base64")

    assert refused(sealed(signed(), decode)).code == "signature-form"


@pytest.mark.parametrize("algorithm", [f"{EXCLUSIVE}WithComments", "http://www.w3.org/2006/12/xml-c14n11", ""])
def test_an_unnamed_canonicalisation_of_signed_info_is_refused(algorithm: str) -> None:
    packet = sealed(signed(), lambda root: dsig(root, "CanonicalizationMethod").set("Algorithm", algorithm))
    refusal = refused(packet)
    assert refusal.code == "signature-form"
    assert "CanonicalizationMethod" in refusal.en


def test_thousands_of_references_or_transforms_are_refused_before_any_is_computed() -> None:
    def many(name: str) -> Change:
        return lambda root: dsig(root, name).getparent().extend(copy.deepcopy(dsig(root, name)) for _ in range(3000))

    assert "3003" in refused(changed(signed(), many("Reference"))).en
    assert "3002" in refused(changed(signed(), many("Transform"))).en


def test_a_relative_namespace_name_has_no_canonical_form() -> None:
    packet = signed("whole").replace(b"<AttachmentEncoded>", b'<AttachmentEncoded xmlns:x="../x">')
    assert refused(packet).code == "signature-form"


# Keys.


def test_another_keyvalue_is_never_the_key() -> None:
    other_key, _ = a_certificate("Kẻ giả mạo", "P-256")
    point = other_key.public_key().public_numbers()

    def put_key(root: etree._Element) -> None:
        value = etree.Element(f"{{{DSIG}}}KeyValue")
        public = etree.SubElement(etree.SubElement(value, "{http://www.w3.org/2009/xmldsig11#}ECKeyValue"), "PublicKey")
        octets = b"\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
        public.text = base64.b64encode(octets).decode()
        dsig(root, "KeyInfo").insert(0, value)

    result = verify(parse(changed(signed(), put_key)))
    assert isinstance(result, Signed)
    assert result.certificate == a_certificate()[1]

    def sign_as_other(root: etree._Element) -> None:
        put_key(root)
        octets = canonical(dsig(root, "SignedInfo"))
        r, s = decode_dss_signature(other_key.sign(octets, ec.ECDSA(hashes.SHA256())))
        value = base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()
        dsig(root, "SignatureValue").text = value

    assert refused(changed(signed(), sign_as_other)).code == "signature-value"


def test_a_certificate_put_in_place_of_the_signers_is_noticed() -> None:
    def replace(root: etree._Element) -> None:
        der = a_certificate("Kẻ giả mạo")[1].public_bytes(Encoding.DER)
        dsig(root, "X509Certificate").text = base64.b64encode(der).decode()

    assert refused(changed(signed(), replace)).code == "signature-value"


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("parent", ["X509Data", "KeyInfo"])
def test_two_certificates_are_refused(first: bool, parent: str) -> None:
    def add(root: etree._Element) -> None:
        added = etree.Element(f"{{{DSIG}}}X509Certificate")
        der = a_certificate("Kẻ giả mạo")[1].public_bytes(Encoding.DER)
        added.text = base64.b64encode(der).decode()
        if parent == "KeyInfo":
            data = etree.Element(f"{{{DSIG}}}X509Data")
            data.append(added)
            added = data
        dsig(root, parent).insert(0 if first else 99, added)

    refusal = refused(changed(signed(), add))
    assert refusal.code == "signature-form"
    assert "X509Certificate × 2" in refusal.en


@pytest.mark.parametrize("parent", ["Signature", "KeyInfo", "X509Data"])
@pytest.mark.parametrize("namespace", [QCVN, DSIG, ""])
def test_the_signature_has_no_room_for_a_second_header(parent: str, namespace: str) -> None:
    def smuggle(root: etree._Element) -> None:
        header = copy.deepcopy(qcvn(root, "MessageHeader"))
        header.tag = f"{{{namespace}}}MessageHeader" if namespace else "MessageHeader"
        dsig(root, parent).append(header)

    refusal = refused(changed(signed(), smuggle))
    assert refusal.code == "signature-form"
    assert "MessageHeader" in refusal.en


@pytest.mark.parametrize("name", ["SignedInfo", "SignatureValue", "KeyInfo"])
def test_a_part_given_twice_is_refused(name: str) -> None:
    for position in (0, 99):

        def repeat(root: etree._Element, position: int = position) -> None:
            dsig(root, "Signature").insert(position, copy.deepcopy(dsig(root, name)))

        assert refused(changed(signed(), repeat)).code == "signature-form"


# Values.


@pytest.mark.parametrize("reference", [0, 1, 2])
@pytest.mark.parametrize("value", ["", "AAAA", base64.b64encode(bytes(32)).decode()])
def test_a_wrong_digest_is_refused(reference: int, value: str) -> None:
    def spoil(root: etree._Element) -> None:
        dsig(root, "SignedInfo")[2 + reference][-1].text = value

    refusal = refused(changed(signed(), spoil))
    assert refusal.code == "signature-digest"
    assert ["envelope", "quyet-dinh.pdf", "phu-luc.pdf"][reference] in refusal.en


@pytest.mark.parametrize("name", ["DigestValue", "SignatureValue"])
@pytest.mark.parametrize("text", ["A", "không", "====", "AA==AA=="])
def test_a_value_that_is_not_base64_is_refused(name: str, text: str) -> None:
    def spoil(root: etree._Element) -> None:
        dsig(root, name).text = text

    assert refused(changed(signed(), spoil)).code == "signature-form"


@pytest.mark.parametrize("name", ["DigestValue", "SignatureValue"])
def test_a_value_with_elements_in_it_is_refused(name: str) -> None:
    packet = changed(signed(), lambda root: dsig(root, name).append(etree.Element(f"{{{QCVN}}}MessageHeader")))
    assert refused(packet).code == "signature-form"


def test_a_wrong_value_is_refused() -> None:
    def spoil(root: etree._Element) -> None:
        octets = base64.b64decode(dsig(root, "SignatureValue").text)
        dsig(root, "SignatureValue").text = base64.b64encode(octets[:-1] + bytes([octets[-1] ^ 1])).decode()

    assert refused(changed(signed(), spoil)).code == "signature-value"


def test_a_changed_signed_info_is_noticed() -> None:
    def spoil(root: etree._Element) -> None:
        dsig(root, "SignedInfo").set("Id", "khac")

    assert refused(changed(signed(), spoil)).code == "signature-value"
