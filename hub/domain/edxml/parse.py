"""Bytes to a checked tree: everything that is decided before a field is read.

Rules:

* What can be decided on the bytes is decided on the bytes, so that a hostile packet never becomes a large tree:
  encoding, DOCTYPE, numbers of tags and attributes.
* A packet whose prefixes are not all declared is read as its writer meant it, and marked: it never counts as signed
  (exchange rules 3).
* Comments and processing instructions stay in the tree, because the canonical form of the whole root is made of it.

No value of a field is read here; that is ``read`` and ``attachments``.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace
from functools import cache

from lxml import etree

from hub.domain.edxml.elements import child, children
from hub.domain.edxml.names import QCVN, XLINK
from hub.errors import Refusal

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)  # without slots it takes half as long from process to process
class Limits:
    """How large a packet may be (exchange rules 3 and 7); sizes in bytes."""

    packet: int = 50 * MEBIBYTE
    attachment: int = 50 * MEBIBYTE  # each, after Base64 and after unwrapping
    attachments: int = 100
    depth: int = 32  # the root is at depth 1
    elements: int = 100_000  # bounds the attributes too


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A packet whose frame was found."""

    root: etree._Element
    envelope: etree._Element  # edXMLEnvelope, a child of the root
    header: etree._Element  # edXMLHeader
    message_header: etree._Element
    signature: etree._Element | None  # the Signature, of any namespace, directly below edXMLHeader
    signatures: int  # elements named Signature or DigitalSignature anywhere in the packet
    well_formed: bool  # as to namespaces, as sent; False: a prefix was used without a declaration
    annotated: bool  # a comment or processing instruction stands inside the envelope
    attachments: list[etree._Element]  # of the last AttachmentEncoded below the root
    # What the Base64 of each attachment gave (octets, defect): wanted for the signature and again for the fields.
    decoded: dict[etree._Element, tuple[bytes, str]] = field(default_factory=dict)


def parse(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Tree:
    """The packet's tree.

    Raises ``Refusal``: ``too-large``, ``xml-empty``, ``xml-not-xml``, ``xml-junk-before-declaration``,
    ``xml-encoding``, ``xml-doctype``, ``xml-not-well-formed``, ``xml-too-deep``, ``xml-too-many-elements``,
    ``xml-too-many-names``, ``xml-no-envelope``, ``xml-two-envelopes``, ``xml-wrong-namespace``, ``xml-no-header``.
    """
    if len(data) > limits.packet:
        raise Refusal("too-large", facts={"limit": limits.packet})
    data = data.removeprefix(codecs.BOM_UTF8)
    _check_bytes(data)
    tags = _check_markup(data, limits)
    root_at = _check_prolog(data)
    root, well_formed = _build(data, root_at, limits)
    if _deeper_than(limits.depth)(root):
        raise Refusal("xml-too-deep", facts={"limit": limits.depth})
    # The tags are at least as many as the elements, and nearly always few: only a large packet is counted exactly.
    if tags > limits.elements and root.xpath(f"count(//*) > {limits.elements}"):
        raise Refusal("xml-too-many-elements", facts={"limit": limits.elements})
    return _frame(root, well_formed)


@cache
def _deeper_than(depth: int) -> etree.XPath:
    return etree.XPath("/*" * (depth + 1))


def signed_tree(tree: Tree, canonical: bytes) -> Tree:
    """``tree`` with its fields taken from ``canonical``, the canonical bytes a signature was verified over.

    ``canonical`` is either the whole root or the envelope alone; in the second case root and attachments stay those
    of ``tree``. What was seen of signatures in the packet as sent is kept. Raises ``Refusal`` as :func:`parse`.
    """
    root = etree.fromstring(canonical, _parser())
    if root.tag == tree.root.tag:
        return replace(_frame(root, tree.well_formed), signature=tree.signature, signatures=tree.signatures)
    header, message_header = _headers(root)
    return replace(tree, envelope=root, header=header, message_header=message_header, annotated=_is_annotated(root))


def is_status(tree: Tree) -> bool:
    """Whether the packet reports a status: it has a StatusCode and, unlike a document, no To."""
    return child(tree.message_header, "StatusCode") is not None and child(tree.message_header, "To") is None


# Checks on the bytes.

# What is sent in place of a packet by mistake, by its first bytes: it may hold what looks like markup.
_OTHERS = {b"\x1f\x8b": "gzip", b"PK": "ZIP", b"%PDF": "PDF", b"{": "JSON", b"[": "JSON"}
_MARKUP = re.compile(rb"<(?:\?xml\s|[A-Za-z_][\w.:-]*[\s/>])")
# XML 1.0 appendix F: how UTF-16 and UTF-32 begin, with a mark or with the first tag
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE, b"<\0", b"\0<", b"\0\0\0<")
_DECLARATION = re.compile(rb"<\?xml\s[^>]*?\?>")
_DECLARED = re.compile(rb"\s(version|encoding)\s*=\s*[\"']([^\"']*)[\"']")
_PROLOG = re.compile(rb"(?:\s++|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_ATTRIBUTE = re.compile(rb"=\s*+[\"']")
_START_TAG = re.compile(rb"<[^/!>](?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+")
_MAX_VOCABULARY = 64 * 1024  # bytes of all different start tags; a real packet has about 3 KiB


def _check_bytes(data: bytes) -> None:
    if not data.strip():
        raise Refusal("xml-empty")
    if data.startswith(_WIDE):
        raise Refusal("xml-encoding", facts={"found": "UTF-16/32"})
    if not data.startswith(b"<"):
        other = next((name for magic, name in _OTHERS.items() if data.startswith(magic)), "")
        markup = _MARKUP.search(data)
        if other or markup is None:
            found = data[:4].hex(" ").upper() + (f" ({other})" if other else "")
            raise Refusal("xml-not-xml", value=data[:200].decode("utf-8", "replace"), facts={"found": found})
        before = data[: markup.start()].decode("utf-8", "replace")
        raise Refusal("xml-junk-before-declaration", value=before)
    declaration = _DECLARATION.match(data)
    declared = dict(_DECLARED.findall(declaration.group())) if declaration else {}
    encoding = declared.get(b"encoding", b"UTF-8")
    if encoding.upper() not in {b"UTF-8", b"UTF8"}:
        raise Refusal("xml-encoding", facts={"found": encoding[:40].decode("ascii", "replace")})
    # XML 1.1 reads other line ends and control characters: two readers would see two packets.
    if declared.get(b"version", b"1.0") != b"1.0":
        raise Refusal("xml-not-well-formed", facts={"why": "XML version is not 1.0", "line": 1})
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), MEBIBYTE):  # piece by piece: the whole text can take four times the bytes
            decoder.decode(data[start : start + MEBIBYTE], final=start + MEBIBYTE >= len(data))
    except UnicodeDecodeError as error:
        raise Refusal("xml-encoding", facts={"found": f"byte 0x{error.object[error.start]:02X}"}) from None


def _check_markup(data: bytes, limits: Limits) -> int:
    """The number of tags that open something, comments and the like included: never fewer than the elements."""
    tags = data.count(b"<")
    if tags > limits.elements:
        tags -= data.count(b"</")
    if tags > 2 * limits.elements or _attributes_exceed(data, limits.elements):
        raise Refusal("xml-too-many-elements", facts={"limit": limits.elements})
    # libxml2 keeps every name and namespace it ever met for as long as the thread lives: bound what a packet can add.
    if len(data) > _MAX_VOCABULARY and sum(map(len, set(_START_TAG.findall(data)))) > _MAX_VOCABULARY:
        raise Refusal("xml-too-many-names")
    return tags


def _attributes_exceed(data: bytes, limit: int) -> bool:
    return data.count(b"=") > limit and any(count > limit for count, _ in enumerate(_ATTRIBUTE.finditer(data), start=1))


def _check_prolog(data: bytes) -> int:
    """Where the root's start tag begins."""
    match = _PROLOG.match(data)
    root_at = match.end() if match else 0
    if data.startswith(b"<!DOCTYPE", root_at):
        raise Refusal("xml-doctype")
    return root_at


# Building the tree.

_NS_UNDEFINED = etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE
_UNDECLARED = re.compile(r"Namespace prefix (\S+) ")
_NAME = re.compile(rb"<[^\s/>]+")
_MAX_ROUNDS = 3  # libxml2 reports 100 errors at a time: a packet of 100 attachments can hide a prefix behind another


def _parser() -> etree.XMLParser:
    # One per call: a parser is locked while it works, and its error log is the caller's.
    return etree.XMLParser(encoding="UTF-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


def _build(data: bytes, root_at: int, limits: Limits) -> tuple[etree._Element, bool]:
    """The root, and whether every prefix was declared. Missing declarations are added to the root's start tag."""
    declared: set[str] = set()
    for _ in range(_MAX_ROUNDS):
        parser = _parser()
        try:
            return etree.fromstring(_declare(data, root_at, declared), parser), not declared
        except etree.XMLSyntaxError:
            errors = list(parser.error_log)
        other = [error for error in errors if error.type != _NS_UNDEFINED]
        if other or not errors:
            break
        declared |= {match.group(1) for error in errors if (match := _UNDECLARED.match(error.message))}
    raise _syntax_refusal(other or errors, limits)


def _declare(data: bytes, root_at: int, prefixes: set[str]) -> bytes:
    name = _NAME.match(data, root_at)
    if not prefixes or not name:
        return data
    added = "".join(f' xmlns:{prefix}="{XLINK if prefix == "xlink" else QCVN}"' for prefix in sorted(prefixes))
    return b"".join((data[: name.end()], added.encode(), data[name.end() :]))


def _syntax_refusal(errors: list[etree._LogEntry], limits: Limits) -> Refusal:
    if any(error.message.startswith("Excessive depth") for error in errors):
        return Refusal("xml-too-deep", facts={"limit": limits.depth})
    why, line = (errors[0].message, errors[0].line) if errors else ("no root element", 1)
    return Refusal("xml-not-well-formed", facts={"why": why.strip()[:200], "line": line})


def _frame(root: etree._Element, well_formed: bool) -> Tree:
    envelopes = list(root.iterchildren("{*}edXMLEnvelope"))
    if not envelopes:
        raise Refusal("xml-no-envelope")
    if len(envelopes) > 1:  # two readers could take different ones
        raise Refusal("xml-two-envelopes")
    envelope = envelopes[0]
    namespace = etree.QName(envelope).namespace or ""
    if namespace != QCVN:
        raise Refusal("xml-wrong-namespace", pointer="edXMLEnvelope", value=namespace)
    header, message_header = _headers(envelope)
    encoded = child(root, "AttachmentEncoded")
    return Tree(
        root=root,
        envelope=envelope,
        header=header,
        message_header=message_header,
        signature=child(header, "Signature"),
        signatures=sum(1 for _ in root.iter("{*}Signature", "{*}DigitalSignature")),
        well_formed=well_formed,
        annotated=_is_annotated(envelope),
        attachments=[] if encoded is None else [e for e in children(encoded) if next(children(e), None) is not None],
    )


def _headers(envelope: etree._Element) -> tuple[etree._Element, etree._Element]:
    header = child(envelope, "edXMLHeader")
    if header is None:
        raise Refusal("xml-no-header", pointer="edXMLHeader")
    message_header = child(header, "MessageHeader")
    if message_header is None:
        raise Refusal("xml-no-header", pointer="edXMLHeader/MessageHeader")
    return header, message_header


def _is_annotated(envelope: etree._Element) -> bool:
    return next(envelope.iter(etree.Comment, etree.ProcessingInstruction), None) is not None
