"""Reads what a Signature element claims, and refuses every shape the profile does not name (XML Signature 1.1 §4).

Rules:

* The children of each element are exactly those listed here, in this order; nothing of the packet's own fits in, so
  a Signature, which is itself not signed, has no room for a second header or file.
* Nothing is resolved, fetched or transformed: a Reference is its text. Whether it is the right one, and whether the
  values are right, is decided in ``verify``.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from lxml import etree

from hub.domain.edxml import DSIG
from hub.domain.edxml.elements import local_name
from hub.errors import Refusal

_KEY_INFO = {  # what may stand below KeyInfo; only X509Certificate is used (XML Signature 1.1 §4.5)
    *("KeyName", "KeyValue", "RSAKeyValue", "Modulus", "Exponent", "ECKeyValue", "NamedCurve", "PublicKey"),
    *("X509Data", "X509IssuerSerial", "X509IssuerName", "X509SerialNumber", "X509SKI", "X509SubjectName"),
    *("X509Certificate", "X509CRL"),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """One Reference as written: ``transforms`` and ``digest_method`` are identifiers, ``digest`` is decoded."""

    uri: str
    transforms: tuple[str, ...]
    digest_method: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What a Signature says of itself, none of it verified."""

    signed_info: etree._Element
    canonicalization: str
    method: str
    references: tuple[Reference, ...]
    value: bytes


_QUALIFIED = f"{{{DSIG}}}"


def bad_form(why: str) -> Refusal:
    """``why`` names the offending part in XML Signature's own words, which need no translation."""
    return Refusal("signature-form", pointer="Signature", value=why, facts={"why": why[:200]})


def read_certificate(signature: etree._Element) -> x509.Certificate | None:
    """The signer's certificate, or None where there is none that can be parsed.

    Raises ``Refusal`` signature-form when there are several: each reader could choose another.
    """
    path = "/".join(f"{{{DSIG}}}{name}" for name in ("KeyInfo", "X509Data", "X509Certificate"))
    found = signature.findall(path)
    if len(found) > 1:
        raise bad_form(f"X509Certificate × {len(found)}")
    if not found:
        return None
    text = "".join((found[0].text or "").split())
    return _remembered(text) if len(text) <= _LONGEST else _certificate(text)


_LONGEST = 16_384  # characters of a certificate worth remembering; a real one has 1,000 to 3,000


def _certificate(text: str) -> x509.Certificate | None:
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(text))
        # Parsed only on access, and needed by whoever shows the certificate.
        _ = certificate.subject, certificate.issuer, certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except (ValueError, x509.InvalidVersion):
        return None
    return certificate


_remembered = lru_cache(maxsize=512)(_certificate)  # an agency signs everything with one certificate


def read_claim(signature: etree._Element, *, most_references: int) -> Claim:
    """Raises ``Refusal`` signature-form."""
    signed_info, value, key_info = _children(signature, "SignedInfo", "SignatureValue", "KeyInfo")
    for element in key_info.iterdescendants():
        if local_name(element) not in _KEY_INFO:
            raise bad_form(f"KeyInfo/{local_name(element)}")
    if len(signed_info) > 2 + most_references:
        raise bad_form(f"Reference × {len(signed_info) - 2} > {most_references}")
    names = ("CanonicalizationMethod", "SignatureMethod") + ("Reference",) * max(1, len(signed_info) - 2)
    canonicalization, method, *references = _children(signed_info, *names)
    return Claim(
        signed_info,
        _algorithm(canonicalization),
        _algorithm(method),
        tuple(_reference(reference) for reference in references),
        _octets(value),
    )


def _reference(reference: etree._Element) -> Reference:
    uri = reference.get("URI")
    if uri is None:
        raise bad_form("Reference/@URI")
    transforms: tuple[str, ...] = ()
    if len(reference) == 3:
        listed, method, value = _children(reference, "Transforms", "DigestMethod", "DigestValue")
        if not 1 <= len(listed) <= 2:
            raise bad_form(f"Transform × {len(listed)}")
        transforms = tuple(_algorithm(transform) for transform in _children(listed, *("Transform",) * len(listed)))
    else:
        method, value = _children(reference, "DigestMethod", "DigestValue")
    return Reference(uri, transforms, _algorithm(method), _octets(value))


def _children(parent: etree._Element, *names: str) -> list[etree._Element]:
    children = list(parent)
    if [child.tag for child in children] != [_QUALIFIED + name for name in names]:
        shown = ", ".join(etree.QName(child).localname for child in children[:8] if isinstance(child.tag, str))
        raise bad_form(f"{etree.QName(parent).localname}/({shown})")
    return children


def _algorithm(element: etree._Element) -> str:
    # Parameters (InclusiveNamespaces, XPath, a stylesheet, HMACOutputLength …) would change what the identifier means.
    _children(element)
    return element.get("Algorithm", "")


def _octets(element: etree._Element) -> bytes:
    _children(element)
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except ValueError:
        raise bad_form(f"{etree.QName(element).localname}: Base64") from None
