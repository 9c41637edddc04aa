"""Verifies a packet's own signature (exchange rules 3; XML Signature 1.1 §3.2). Form first, cryptography after.

The steps, marked by number in the code:

(0) A packet that is not namespace-well-formed as sent has no signature: no signer could have canonicalised it.
(1) A Signature counts only in XML Signature's namespace; others are placeholders, as the vendor's library writes them.
(2) There is one Signature in the packet and it stands directly in the header: no wrapping.
(3) It carries one certificate; one that cannot be parsed makes it a placeholder. The certificate's key is strong.
(4) The packet has no comment or processing instruction: one reader would stop at it, another read past it.
(5) The Signature has the named shape, as many References at most as there is to sign, and every Id is unique, so
    that no two readers can resolve a Reference to different elements.
(6) The algorithms are accepted ones, and fit the key.
(7) Reference 1 is the envelope itself (fast form) or the whole packet (whole form), by the named transforms.
(8) The digest of its canonical bytes is right. From here on only those bytes are read: what was signed is what counts.
(9) Fast form: nothing stands beside the envelope but the attachments, each declared in the *signed* manifest with
    the same name, content type and description.
(10) Each attachment has one ``cid:`` Reference and its digest, over the octets after Base64, is right. In the whole
     form these References may be missing, all of them.
(11) The value over the canonical SignedInfo is right for the certificate's key; no other KeyInfo is ever a key.

The caller must still decide whether the certificate is registered, whom it may sign for and whether it counts at
the moment: :func:`hub.domain.signature.judge`. Chains and revocation are not looked at.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from cryptography import x509
from lxml import etree

from hub.domain.document import Attachment
from hub.domain.edxml import DSIG, QCVN, Limits, Tree, attachment_parts, manifest_of, plain_content_id, signed_tree
from hub.domain.edxml.names import MANIFEST
from hub.domain.signature import algorithms
from hub.domain.signature.algorithms import ENVELOPED, EXCLUSIVE, INCLUSIVE
from hub.domain.signature.form import Reference, bad_form, read_certificate, read_claim
from hub.errors import Refusal

_XML = "{http://www.w3.org/XML/1998/namespace}"
_NCNAME = re.compile(r"[^\W\d][\w.-]*")  # an Id such as "xpointer(/)" would be an instruction to another reader
DECODED_ONLY = Limits(attachments=0)  # a digest covers the octets before any unzip
_ids = etree.XPath("//@*[translate(local-name(), 'ID', 'id') = 'id']")


@dataclass(frozen=True, slots=True)
class Unsigned:
    """No signature that counts. ``why``: no-signature, placeholder or not-namespace-well-formed."""

    why: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that is right for ``certificate``; whose certificate that is, nobody has asked yet.

    ``fingerprint`` is the SHA-256 of the certificate's DER in hex, ``algorithm`` a short name such as
    ``ecdsa-sha256``; ``tree`` has its fields from the canonical bytes that were verified; ``sha1`` says that SHA-1
    was used for the value or a digest.
    """

    certificate: x509.Certificate
    fingerprint: str
    algorithm: str
    form: Literal["fast", "whole"]
    tree: Tree
    sha1: bool


def verify(tree: Tree, *, sha1: bool = False) -> Unsigned | Signed:
    """Whether, by which certificate and in which form a packet is signed. Accepts SHA-1 only with ``sha1``.

    Takes the Signature out of ``tree``, where it is looked at: fields can still be read, nothing can be verified again.
    Raises ``Refusal`` signature-misplaced, -form, -comment, -algorithm, -digest, -attachment-mismatch, -value and
    certificate-invalid.
    """
    if not tree.well_formed:  # (0)
        return Unsigned("not-namespace-well-formed")
    if next(tree.root.iter(f"{{{DSIG}}}Signature"), None) is None:  # (1)
        return Unsigned("placeholder" if tree.signatures else "no-signature")
    signature = tree.signature
    if tree.signatures != 1 or signature is None:  # (2)
        raise Refusal("signature-misplaced", pointer="Signature")
    certificate = read_certificate(signature)  # (3)
    if certificate is None:
        return Unsigned("placeholder")
    key = algorithms.key_of(certificate)
    if _is_annotated(tree.root):  # (4)
        raise Refusal("signature-comment")
    claim = read_claim(signature, most_references=1 + len(tree.attachments))  # (5)
    _check_ids(tree.root)
    method = algorithms.method_of(claim.method, key, sha1=sha1)  # (6)
    digests = [algorithms.digest_of(reference.digest_method, sha1=sha1) for reference in claim.references]
    octets = canonical_signed_info(claim.signed_info, claim.canonicalization)  # while it stands where it was signed
    form, covered = _without_signature(tree, signature, claim.references[0])  # (7)
    if algorithms.digest(digests[0], covered) != claim.references[0].digest:  # (8)
        raise _wrong_digest("envelope" if form == "fast" else "packet")
    signed = signed_tree(tree, covered)
    files = attachment_parts(tree, DECODED_ONLY) if form == "fast" or len(claim.references) > 1 else ()
    if form == "fast":  # (9)
        _check_beside_envelope(tree)
        _check_manifest(signed, files)
    if form == "fast" or len(claim.references) > 1:  # (10)
        _check_files(files, claim.references[1:], digests[1:])
    if not algorithms.is_right(method, key, claim.value, octets):  # (11)
        raise Refusal("signature-value", pointer="Signature/SignatureValue")
    return Signed(
        certificate=certificate,
        fingerprint=algorithms.fingerprint(certificate),
        algorithm=method.name,
        form=form,
        tree=signed,
        sha1="sha1" in {method.digest, *digests},
    )


def _is_annotated(root: etree._Element) -> bool:
    return (
        root.getprevious() is not None
        or root.getnext() is not None
        or next(root.iter(etree.Comment, etree.ProcessingInstruction), None) is not None
    )


def _check_ids(root: etree._Element) -> None:
    values = cast("list[str]", _ids(root))
    [(value, times)] = Counter(values).most_common(1) or [("", 0)]
    if times > 1:
        raise bad_form(f'Id="{value}" × {times}')


def _without_signature(
    tree: Tree, signature: etree._Element, reference: Reference
) -> tuple[Literal["fast", "whole"], bytes]:
    """The form, and the canonical bytes that Reference 1 covers; the Signature is out of the tree then."""
    if reference.uri == "":
        # Without a canonicalisation of its own the transforms end in inclusive C14N (XML Signature 1.1 §4.4.3.2).
        if reference.transforms not in {(ENVELOPED,), (ENVELOPED, INCLUSIVE), (ENVELOPED, EXCLUSIVE)}:
            raise bad_form(f"Transform: {' '.join(reference.transforms)}")
        take_out(signature)
        return "whole", canonical(tree.root, exclusive=reference.transforms[-1] == EXCLUSIVE)
    identifier = tree.envelope.get("Id", "")
    if not _NCNAME.fullmatch(identifier) or reference.uri != f"#{identifier}":
        raise bad_form(f'Reference[1]/@URI="{reference.uri}"')
    if reference.transforms != (ENVELOPED, EXCLUSIVE):
        raise bad_form(f"Transform: {' '.join(reference.transforms)}")
    take_out(signature)
    return "fast", canonical(tree.envelope, exclusive=True)


def take_out(element: etree._Element) -> None:
    """Removes an element from its tree and leaves the text after it where it was (XML Signature 1.1 §6.6.4)."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        raise ValueError("the root cannot be taken out")
    if element.tail and before is not None:
        before.tail = (before.tail or "") + element.tail
    elif element.tail:
        parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def canonical_signed_info(signed_info: etree._Element, method: str) -> bytes:
    """The bytes SignatureValue is over. Raises ``Refusal`` signature-form."""
    if method == EXCLUSIVE:
        return canonical(signed_info, exclusive=True)
    if method != INCLUSIVE:
        raise bad_form(f"CanonicalizationMethod: {method}")
    # In place, lxml's inclusive form of a subtree has a superfluous xmlns="" below its top and no inherited xml:lang.
    # Serialised, the element carries every declaration in scope; the attributes are added here (C14N 1.0 §2.4).
    alone = etree.fromstring(etree.tostring(signed_info, with_tail=False), etree.XMLParser(huge_tree=True))
    for ancestor in signed_info.iterancestors():
        for name, value in ancestor.attrib.items():
            if str(name).startswith(_XML) and name not in alone.attrib:
                alone.set(name, value)
    return canonical(alone, exclusive=False)


def canonical(element: etree._Element, *, exclusive: bool) -> bytes:
    """Canonical bytes of the root or, exclusively, of an element: nothing is then inherited from above it."""
    try:
        return etree.tostring(element, method="c14n", exclusive=exclusive, with_comments=False)
    except etree.C14NError:  # relative namespace names have no canonical form (C14N 1.0 §1.3)
        raise bad_form("xmlns") from None


def _check_beside_envelope(tree: Tree) -> None:
    """What stands outside the signed envelope is one list of attachments, each with each of its fields once."""
    beside = [child for child in tree.root if child is not tree.envelope]
    if len(beside) > 1 or (beside and (list(beside[0]) != tree.attachments or (beside[0].text or "").strip())):
        raise bad_form(f"{etree.QName(tree.root).localname}/*")
    # A reader that minds namespaces would not find what one that does not would.
    if any(etree.QName(element).namespace != QCVN for top in beside for element in (tree.root, *top.iter())):
        raise bad_form("xmlns")
    for attachment in tree.attachments:
        names = [etree.QName(field).localname for field in attachment]
        # The content alone is not in the manifest, which could not vouch for a Format, by which the vendor's library
        # decides whether to unzip.
        if len(set(names)) != len(names) or len(set(names) - MANIFEST.keys()) != 1 or any(map(len, attachment)):
            raise bad_form(f"{etree.QName(attachment).localname}/({', '.join(names)})")


def _check_manifest(signed: Tree, files: Sequence[Attachment]) -> None:
    entries = manifest_of(signed)
    declared = {entry.content_id: entry for entry in entries}
    if len(declared) != len(entries) or sorted(declared) != sorted(file.content_id for file in files):
        raise _mismatch("ContentId")
    for file in files:
        entry = declared[file.content_id]
        if (file.name, file.content_type, file.description) != (entry.name, entry.content_type, entry.description):
            raise _mismatch(entry.name)


def _check_files(files: Sequence[Attachment], references: Sequence[Reference], digests: Sequence[str]) -> None:
    by_id = {file.content_id: file for file in files}
    if len(by_id) != len(files):
        raise _mismatch("ContentId")
    covered = [_content_id(reference) for reference in references]
    if sorted(covered) != sorted(by_id):
        raise bad_form("Reference: cid:")
    for content_id, reference, digest in zip(covered, references, digests, strict=True):
        file = by_id[content_id]
        if file.defect == "attachment-base64" or algorithms.digest(digest, file.octets) != reference.digest:
            raise _wrong_digest(file.name)


def _content_id(reference: Reference) -> str:
    if not reference.uri.startswith("cid:") or reference.transforms:
        raise bad_form(f'Reference/@URI="{reference.uri}"')
    return plain_content_id(reference.uri)


def _wrong_digest(what: str) -> Refusal:
    return Refusal("signature-digest", pointer="Signature/SignedInfo", value=what, facts={"what": what})


def _mismatch(what: str) -> Refusal:
    return Refusal("signature-attachment-mismatch", value=what, facts={"what": what})
