"""Signs a packet: the counterpart of ``verify``, used by the clients; the hub itself signs nobody's packets.

Rules:

* The fast form is one Reference to the envelope and one to each attachment; the whole form is one Reference to the
  packet, which standard tools verify too (exchange rules 3).
* The digest of the signature is the digest of the References.
* What is returned has been verified: a packet that no form fits is refused here and not at the hub.
"""

from __future__ import annotations

import base64
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from hub.domain.edxml import DSIG, attachment_parts, parse
from hub.domain.signature import algorithms
from hub.domain.signature.algorithms import ENVELOPED, EXCLUSIVE, METHODS, Method, PrivateKey
from hub.domain.signature.verify import DECODED_ONLY, canonical, canonical_signed_info, take_out, verify

_URIS = {method.name: method.uri for method in METHODS.values()}
_DIGEST_URIS = {name: uri for uri, name in algorithms.DIGESTS.items()}


def sign(
    packet: bytes,
    key: PrivateKey,
    certificate: x509.Certificate,
    *,
    form: Literal["fast", "whole"] = "fast",
    algorithm: str | None = None,
) -> bytes:
    """The packet with a Signature as the last child of its header; an earlier one is replaced.

    ``algorithm`` is a short name: ``rsa-``, ``rsa-pss-`` or ``ecdsa-`` with ``sha256``, ``sha384`` or ``sha512``;
    by default SHA-256 with PKCS#1 v1.5 or ECDSA, as the key is. Raises ``Refusal`` where :func:`verify` would: for
    the certificate, an algorithm that does not fit the key, a key that is not the certificate's, comments in the
    packet; and xml-* for what cannot be parsed.
    """
    public_key = algorithms.key_of(certificate)
    name = algorithm or ("rsa-sha256" if isinstance(public_key, rsa.RSAPublicKey) else "ecdsa-sha256")
    method = algorithms.method_of(_URIS.get(name, name), public_key, sha1=False)
    tree = parse(packet)
    if tree.signature is not None:
        take_out(tree.signature)
    if form == "fast":
        identifier = tree.envelope.get("Id", "edXMLEnvelope")
        tree.envelope.set("Id", identifier)
        covered = [(f"#{identifier}", canonical(tree.envelope, exclusive=True))]
        covered += [(f"cid:{file.content_id}", file.octets) for file in attachment_parts(tree, DECODED_ONLY)]
    else:
        covered = [("", canonical(tree.root, exclusive=True))]
    signature = etree.fromstring(f'<Signature xmlns="{DSIG}"/>')
    tree.header.append(signature)
    _write_signed_info(_element(signature, "SignedInfo"), method, covered)
    value = _element(signature, "SignatureValue")
    x509_data = _element(_element(signature, "KeyInfo"), "X509Data")
    _element(x509_data, "X509Certificate", text=_base64(certificate.public_bytes(Encoding.DER)))
    value.text = _base64(algorithms.make_value(method, key, canonical_signed_info(signature[0], EXCLUSIVE)))
    signed = etree.tostring(tree.root, encoding="UTF-8", xml_declaration=True)
    verify(parse(signed))
    return signed


def _write_signed_info(signed_info: etree._Element, method: Method, covered: list[tuple[str, bytes]]) -> None:
    """``covered`` are the References' URIs with the octets they stand for, the envelope or packet first."""
    _element(signed_info, "CanonicalizationMethod", Algorithm=EXCLUSIVE)
    _element(signed_info, "SignatureMethod", Algorithm=method.uri)
    for uri, octets in covered:
        reference = _element(signed_info, "Reference", URI=uri)
        if not uri.startswith("cid:"):
            transforms = _element(reference, "Transforms")
            for algorithm in (ENVELOPED, EXCLUSIVE):
                _element(transforms, "Transform", Algorithm=algorithm)
        _element(reference, "DigestMethod", Algorithm=_DIGEST_URIS[method.digest])
        _element(reference, "DigestValue", text=_base64(algorithms.digest(method.digest, octets)))


def _element(parent: etree._Element, name: str, *, text: str | None = None, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{DSIG}}}{name}", attributes)
    element.text = text
    return element


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
