"""Signed packets and what a forger makes of them: with the signer's key (``sealed``) or without (``changed``)."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Callable
from typing import Any, Literal

import pytest
from builders.keys import a_certificate
from builders.packets import a_document, an_attachment
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from hub.domain.edxml import DSIG, QCVN, parse, write_document
from hub.domain.signature import Signed, sign, verify
from hub.errors import Refusal

Form = Literal["fast", "whole"]
Change = Callable[[etree._Element], Any]

DOCUMENT = a_document(
    attachments=(
        an_attachment("quyet-dinh.pdf", content_id="tep-1"),
        an_attachment("phu-luc.pdf", b"%PDF-1.7", content_id="tep-2"),
    )
)
PACKET = write_document(DOCUMENT)


def signed(form: Form = "fast", packet: bytes = PACKET, *, key: str = "P-256", algorithm: str | None = None) -> bytes:
    return sign(packet, *a_certificate(key=key), form=form, algorithm=algorithm)


def verified(packet: bytes, **terms: bool) -> Signed:
    result = verify(parse(packet), **terms)
    assert isinstance(result, Signed)
    return result


def refused(packet: bytes, **terms: bool) -> Refusal:
    with pytest.raises(Refusal) as caught:
        verify(parse(packet), **terms)
    return caught.value


def changed(packet: bytes, change: Change) -> bytes:
    """The packet after an attacker's change, its signature left as it was."""
    root = etree.fromstring(packet)
    change(root)
    return etree.tostring(root.getroottree())


def sealed(packet: bytes, change: Change) -> bytes:
    """The packet after a change by the holder of the key, who signs what came out: digest and value are right."""
    root = etree.fromstring(packet)
    change(root)
    private_key, _ = a_certificate()
    signature = dsig(root, "Signature")
    fast = dsig(root, "Reference").get("URI") != ""
    bare = copy.deepcopy(root[0] if fast else root)
    inner = dsig(bare, "Signature")
    inner.getparent().remove(inner)
    dsig(signature, "DigestValue").text = base64.b64encode(hashlib.sha256(canonical(bare)).digest()).decode()
    set_value(root, ecdsa_value(private_key, root))
    return etree.tostring(root.getroottree())


def ecdsa_value(private_key: ec.EllipticCurvePrivateKey, root: etree._Element) -> bytes:
    """r and s of a key on P-256 over the packet's SignedInfo, side by side (XML Signature 1.1 §6.4.3)."""
    der = private_key.sign(canonical(dsig(root, "SignedInfo")), ec.ECDSA(hashes.SHA256()))
    return b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))


def set_value(root: etree._Element, value: bytes) -> None:
    dsig(root, "SignatureValue").text = base64.b64encode(value).decode()


def canonical(element: etree._Element) -> bytes:
    return etree.tostring(copy.deepcopy(element), method="c14n", exclusive=True, with_comments=False)


def dsig(root: etree._Element, name: str) -> Any:
    return next(root.iter(f"{{{DSIG}}}{name}"))


def qcvn(root: etree._Element, name: str) -> Any:
    return next(root.iter(f"{{{QCVN}}}{name}"))
