"""Which shapes of a Signature are accepted; a packet that two readers could read differently is not."""

from __future__ import annotations

import base64
import copy

import pytest
from builders.forgery import (
    Change,
    Form,
    changed,
    dsig,
    ecdsa_value,
    qcvn,
    refused,
    sealed,
    set_value,
    signed,
    verified,
)
from builders.keys import a_certificate
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from hub.domain.edxml import DSIG, QCVN
from hub.domain.signature.algorithms import ENVELOPED, EXCLUSIVE, INCLUSIVE

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


@pytest.mark.parametrize("name", ["SignedInfo", "DigestValue", "SignatureValue", "KeyInfo"])
def test_a_comment_inside_the_signature_is_refused(name: str) -> None:
    packet = changed(signed(), lambda root: dsig(root, name).append(etree.Comment("!")))
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
    assert (refusal.code, refusal.pointer) == ("signature-form", "Signature")
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


@pytest.mark.parametrize(("name", "told"), [("Reference", "Reference × 3003 > 3"), ("Transform", "Transform × 3002")])
def test_thousands_of_references_or_transforms_are_refused_by_their_number(name: str, told: str) -> None:
    def repeat(root: etree._Element) -> None:
        dsig(root, name).getparent().extend(copy.deepcopy(dsig(root, name)) for _ in range(3000))

    refusal = refused(changed(signed(), repeat))
    assert (refusal.code, refusal.value) == ("signature-form", told)


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

    assert verified(changed(signed(), put_key)).certificate == a_certificate()[1]

    def sign_as_other(root: etree._Element) -> None:
        put_key(root)
        set_value(root, ecdsa_value(other_key, root))

    assert refused(changed(signed(), sign_as_other)).code == "signature-value"


def test_key_info_may_describe_the_key_beside_its_certificate() -> None:
    def describe(root: etree._Element) -> None:
        described = etree.fromstring(
            f"""<KeyInfo xmlns="{DSIG}"><KeyName>vanthu</KeyName>
            <KeyValue><RSAKeyValue><Modulus>AA==</Modulus><Exponent>AQAB</Exponent></RSAKeyValue></KeyValue>
            <KeyValue><ECKeyValue xmlns="http://www.w3.org/2009/xmldsig11#">
            <NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/><PublicKey>AA==</PublicKey></ECKeyValue></KeyValue>
            <X509Data><X509IssuerSerial><X509IssuerName>CN=CA</X509IssuerName><X509SerialNumber>1</X509SerialNumber>
            </X509IssuerSerial><X509SKI>AA==</X509SKI><X509SubjectName>CN=Văn thư</X509SubjectName>
            <X509CRL>AA==</X509CRL></X509Data></KeyInfo>"""
        )
        dsig(root, "KeyInfo").extend(list(described))

    assert verified(changed(signed(), describe)).certificate == a_certificate()[1]


def test_a_key_that_would_have_to_be_fetched_is_refused() -> None:
    def fetch(root: etree._Element) -> None:
        etree.SubElement(dsig(root, "KeyInfo"), f"{{{DSIG}}}RetrievalMethod", URI="http://example.vn/khoa")

    refusal = refused(changed(signed(), fetch))
    assert (refusal.code, refusal.value) == ("signature-form", "KeyInfo/RetrievalMethod")


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


@pytest.mark.parametrize("position", [0, 99])
@pytest.mark.parametrize("name", ["SignedInfo", "SignatureValue", "KeyInfo"])
def test_a_part_given_twice_is_refused(name: str, position: int) -> None:
    packet = changed(signed(), lambda root: dsig(root, "Signature").insert(position, copy.deepcopy(dsig(root, name))))
    assert refused(packet).code == "signature-form"


# Values.


@pytest.mark.parametrize("reference", [0, 1, 2])
@pytest.mark.parametrize("value", ["", "AAAA", base64.b64encode(bytes(32)).decode()])
def test_a_wrong_digest_is_refused(reference: int, value: str) -> None:
    def spoil(root: etree._Element) -> None:
        dsig(root, "SignedInfo")[2 + reference][-1].text = value

    refusal = refused(changed(signed(), spoil))
    assert (refusal.code, refusal.pointer) == ("signature-digest", "Signature/SignedInfo")
    assert refusal.value == ["envelope", "quyet-dinh.pdf", "phu-luc.pdf"][reference]


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
        set_value(root, octets[:-1] + bytes([octets[-1] ^ 1]))

    refusal = refused(changed(signed(), spoil))
    assert (refusal.code, refusal.pointer) == ("signature-value", "Signature/SignatureValue")


def test_a_changed_signed_info_is_noticed() -> None:
    def spoil(root: etree._Element) -> None:
        dsig(root, "SignedInfo").set("Id", "khac")

    assert refused(changed(signed(), spoil)).code == "signature-value"
