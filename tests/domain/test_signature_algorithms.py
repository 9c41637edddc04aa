"""Which algorithms and keys count; checked against an independent implementation (xmlsec) in both directions."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
import xmlsec
from builders.forgery import (
    DOCUMENT,
    PACKET,
    Form,
    canonical,
    dsig,
    ecdsa_value,
    refused,
    set_value,
    signed,
    verified,
)
from builders.keys import a_certificate
from builders.packets import a_document
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from lxml import etree

from hub.domain.edxml import DSIG, read_document, write_document
from hub.domain.signature import sign
from hub.errors import Refusal

ACCEPTED = [
    *[("RSA-2048", f"rsa-{digest}") for digest in ("sha256", "sha384", "sha512")],
    *[("RSA-2048", f"rsa-pss-{digest}") for digest in ("sha256", "sha384", "sha512")],
    *[(curve, f"ecdsa-{digest}") for curve in ("P-256", "P-384") for digest in ("sha256", "sha384", "sha512")],
]


def xmlsec_key(key: str) -> Any:
    private_key, _ = a_certificate(key=key)
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)


def xmlsec_verifies(packet: bytes, key: str) -> bool:
    root = etree.fromstring(packet)
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    pem = a_certificate(key=key)[1].public_bytes(Encoding.PEM)
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem)
    try:
        context.verify(dsig(root, "Signature"))
    except xmlsec.VerificationError:
        return False
    return True


def signed_by_xmlsec(
    key: str,
    method: Any,
    digest: Any = xmlsec.constants.TransformSha256,
    *,
    canonicalization: Any = xmlsec.constants.TransformExclC14N,
    transforms: tuple[Any, ...] = (xmlsec.constants.TransformEnveloped,),
    language: str = "",
    position: int = 99,
    tail: str = "",
) -> bytes:
    """The whole form, every digest and value made by xmlsec."""
    root = etree.fromstring(PACKET)
    root.set("version", "1.0")
    if language:
        root.set("{http://www.w3.org/XML/1998/namespace}lang", language)
    signature = xmlsec.template.create(root, canonicalization, method)
    root[0][0].insert(position, signature)
    signature.tail = tail
    reference = xmlsec.template.add_reference(signature, digest, uri="")
    for transform in transforms:
        xmlsec.template.add_transform(reference, transform)
    data = xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    certificate = etree.SubElement(data, f"{{{DSIG}}}X509Certificate")
    certificate.text = base64.encodebytes(a_certificate(key=key)[1].public_bytes(Encoding.DER)).decode()
    context = xmlsec.SignatureContext()
    context.key = xmlsec_key(key)
    context.sign(signature)
    return etree.tostring(root)


@pytest.mark.parametrize("form", ["fast", "whole"])
@pytest.mark.parametrize(("key", "algorithm"), ACCEPTED)
def test_what_is_signed_verifies_with_its_certificate(key: str, algorithm: str, form: Form) -> None:
    _, certificate = a_certificate(key=key)
    result = verified(signed(form, key=key, algorithm=algorithm))
    assert (result.algorithm, result.form, result.sha1) == (algorithm, form, False)
    assert result.certificate == certificate
    assert result.fingerprint == hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
    assert read_document(result.tree) == DOCUMENT


@pytest.mark.parametrize(("key", "algorithm"), [("RSA-2048", "rsa-sha256"), ("P-384", "ecdsa-sha256")])
def test_sha256_is_the_default(key: str, algorithm: str) -> None:
    result = verified(signed(key=key))
    assert result.algorithm == algorithm


@pytest.mark.parametrize(("key", "algorithm"), ACCEPTED)
def test_xmlsec_verifies_our_whole_form(key: str, algorithm: str) -> None:
    packet = signed("whole", key=key, algorithm=algorithm)
    assert xmlsec_verifies(packet, key)
    assert not xmlsec_verifies(packet.replace(b"VPCP", b"VPCT"), key)


@pytest.mark.parametrize(("key", "algorithm"), ACCEPTED)
def test_xmlsec_verifies_the_envelope_of_our_fast_form(key: str, algorithm: str) -> None:
    packet = signed("fast", write_document(a_document(attachments=())), key=key, algorithm=algorithm)
    assert xmlsec_verifies(packet, key)
    assert not xmlsec_verifies(packet.replace(b"VPCP", b"VPCT"), key)


@pytest.mark.parametrize(
    ("key", "method", "algorithm"),
    [
        ("RSA-2048", xmlsec.constants.TransformRsaSha256, "rsa-sha256"),
        ("RSA-2048", xmlsec.constants.TransformRsaSha384, "rsa-sha384"),
        ("RSA-2048", xmlsec.constants.TransformRsaSha512, "rsa-sha512"),
        ("P-256", xmlsec.constants.TransformEcdsaSha256, "ecdsa-sha256"),
        ("P-384", xmlsec.constants.TransformEcdsaSha384, "ecdsa-sha384"),
        ("P-384", xmlsec.constants.TransformEcdsaSha512, "ecdsa-sha512"),
    ],
)
def test_we_verify_what_xmlsec_signed(key: str, method: Any, algorithm: str) -> None:
    result = verified(signed_by_xmlsec(key, method))
    assert (result.algorithm, result.form) == (algorithm, "whole")
    assert read_document(result.tree) == DOCUMENT


@pytest.mark.parametrize("position", [0, 1, 99])
def test_the_text_after_the_signature_stays_where_it_was(position: int) -> None:
    method = xmlsec.constants.TransformEcdsaSha256
    packet = signed_by_xmlsec("P-256", method, position=position, tail="\n    ")
    verified(packet)


@pytest.mark.parametrize("language", ["", "vi"])
@pytest.mark.parametrize(
    "transforms",
    [
        (xmlsec.constants.TransformEnveloped,),
        (xmlsec.constants.TransformEnveloped, xmlsec.constants.TransformInclC14N),
        (xmlsec.constants.TransformEnveloped, xmlsec.constants.TransformExclC14N),
    ],
)
def test_inclusive_c14n_of_signed_info_takes_in_what_it_inherits(transforms: tuple[Any, ...], language: str) -> None:
    packet = signed_by_xmlsec(
        "P-256",
        xmlsec.constants.TransformEcdsaSha256,
        canonicalization=xmlsec.constants.TransformInclC14N,
        transforms=transforms,
        language=language,
    )
    verified(packet)


def test_inclusive_c14n_of_signed_info_covers_the_inherited_language() -> None:
    packet = signed_by_xmlsec(
        "P-256",
        xmlsec.constants.TransformEcdsaSha256,
        canonicalization=xmlsec.constants.TransformInclC14N,
        language="vi",
    )
    root = etree.fromstring(packet)
    dsig(root, "Signature").set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    assert refused(etree.tostring(root)).code == "signature-value"


def test_an_overlong_signed_info_is_only_a_wrong_value() -> None:
    packet = signed_by_xmlsec(
        "P-256", xmlsec.constants.TransformEcdsaSha256, canonicalization=xmlsec.constants.TransformInclC14N
    )
    overlong = packet.replace(b"</DigestValue>", b" " * 11_000_000 + b"</DigestValue>")
    assert refused(overlong).code == "signature-value"


@pytest.mark.parametrize(
    ("method", "digest", "algorithm"),
    [
        (xmlsec.constants.TransformRsaSha1, xmlsec.constants.TransformSha1, "rsa-sha1"),
        (xmlsec.constants.TransformRsaSha1, xmlsec.constants.TransformSha256, "rsa-sha1"),
        (xmlsec.constants.TransformRsaSha256, xmlsec.constants.TransformSha1, "rsa-sha256"),
    ],
    ids=["both", "value", "digest"],
)
def test_sha1_is_refused_unless_allowed_and_is_told(method: Any, digest: Any, algorithm: str) -> None:
    packet = signed_by_xmlsec("RSA-2048", method, digest)
    assert refused(packet).code == "signature-algorithm"
    result = verified(packet, sha1=True)
    assert (result.algorithm, result.sha1) == (algorithm, True)


@pytest.mark.parametrize(
    ("method", "digest"),
    [
        (xmlsec.constants.TransformEcdsaSha1, xmlsec.constants.TransformSha256),
        (xmlsec.constants.TransformEcdsaSha224, xmlsec.constants.TransformSha256),
        (xmlsec.constants.TransformEcdsaSha256, xmlsec.constants.TransformSha224),
    ],
)
def test_other_algorithms_are_refused_even_where_sha1_is_allowed(method: Any, digest: Any) -> None:
    assert refused(signed_by_xmlsec("P-256", method, digest), sha1=True).code == "signature-algorithm"


@pytest.mark.parametrize("name", ["rsa-sha1", "hmac-sha256", "rsa-md5", "sha256"])
def test_nothing_is_signed_with_an_algorithm_that_is_not_accepted(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        signed(key="RSA-2048", algorithm=name)
    assert caught.value.code == "signature-algorithm"


def test_an_hmac_with_the_public_key_is_refused() -> None:
    _, certificate = a_certificate(key="RSA-2048")
    root = etree.fromstring(signed(key="RSA-2048"))
    dsig(root, "SignatureMethod").set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
    octets = canonical(dsig(root, "SignedInfo"))
    public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    set_value(root, hmac.digest(public, octets, "sha256"))
    assert refused(etree.tostring(root), sha1=True).code == "signature-algorithm"


@pytest.mark.parametrize(("key", "algorithm"), [("P-256", "rsa-sha256"), ("RSA-2048", "ecdsa-sha256")])
def test_a_method_that_does_not_fit_the_key_is_refused(key: str, algorithm: str) -> None:
    uri = f"http://www.w3.org/2001/04/xmldsig-more#{algorithm}"
    root = etree.fromstring(signed(key=key))
    dsig(root, "SignatureMethod").set("Algorithm", uri)
    refusal = refused(etree.tostring(root))
    assert (refusal.code, refusal.pointer) == ("signature-algorithm", "Signature/SignedInfo")
    with pytest.raises(Refusal, match="signature-algorithm"):
        signed(key=key, algorithm=algorithm)


@pytest.mark.parametrize(
    ("key", "exponent", "why"),
    [
        ("RSA-1024", 65537, "RSA-1024"),
        ("RSA-2048", 3, "RSA e"),
        ("P-521", 65537, "secp521r1"),
        ("secp256k1", 65537, "secp256k1"),
        ("Ed25519", 65537, "Ed25519"),
    ],
)
def test_a_weak_or_foreign_key_is_refused(key: str, exponent: int, why: str) -> None:
    private_key, certificate = a_certificate(key=key, exponent=exponent)
    root = etree.fromstring(signed())
    dsig(root, "X509Certificate").text = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    refusal = refused(etree.tostring(root))
    assert (refusal.code, refusal.pointer) == (
        "certificate-invalid",
        "Signature/KeyInfo/X509Data/X509Certificate",
    )
    assert why in refusal.en
    with pytest.raises(Refusal, match="certificate-invalid"):
        sign(PACKET, private_key, certificate)


def test_nothing_is_signed_with_a_key_that_is_not_the_certificates() -> None:
    for key in ("P-256", "RSA-2048"):
        other_key, _ = a_certificate("Ủy ban nhân dân tỉnh Nghệ An", key)
        for certified in ("P-256", "RSA-2048"):
            with pytest.raises(Refusal, match="signature-value"):
                sign(PACKET, other_key, a_certificate(key=certified)[1])


@pytest.mark.parametrize("key", ["P-256", "P-384", "RSA-2048"])
def test_a_value_of_another_width_is_wrong(key: str) -> None:
    root = etree.fromstring(signed(key=key))
    octets = base64.b64decode(dsig(root, "SignatureValue").text)
    for wrong in (octets[:-1], octets[1:], octets + b"\0", b"\0" + octets, b"\0\0" + octets, octets[:32], b""):
        set_value(root, wrong)
        assert refused(etree.tostring(root)).code == "signature-value"


def test_an_ecdsa_value_without_its_leading_zeros_is_wrong() -> None:
    private_key, _ = a_certificate()
    root = etree.fromstring(signed())
    value = ecdsa_value(private_key, root)
    while value[32]:  # one in 256 has an s this short
        value = ecdsa_value(private_key, root)
    set_value(root, value)
    verified(etree.tostring(root))
    set_value(root, value[:32] + value[33:])
    assert refused(etree.tostring(root)).code == "signature-value"


@pytest.mark.parametrize("key", ["P-256", "P-384"])
def test_r_or_s_zero_is_wrong(key: str) -> None:
    root = etree.fromstring(signed(key=key))
    octets = base64.b64decode(dsig(root, "SignatureValue").text)
    width = len(octets) // 2
    zero = bytes(width)
    for wrong in (zero + octets[width:], octets[:width] + zero, zero + zero, b"\xff" * 2 * width):
        set_value(root, wrong)
        assert refused(etree.tostring(root)).code == "signature-value"


def test_an_ecdsa_value_in_der_is_wrong() -> None:
    private_key, _ = a_certificate()
    root = etree.fromstring(signed())
    set_value(root, private_key.sign(canonical(dsig(root, "SignedInfo")), ec.ECDSA(hashes.SHA256())))
    assert refused(etree.tostring(root)).code == "signature-value"
