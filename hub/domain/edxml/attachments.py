"""Attachments and the manifest: Base64 to octets, octets to the file itself.

Rules:

* Nothing here refuses a packet for its files: bytes that cannot be read are named by ``Attachment.defect``, so that
  the rules can report every broken attachment in one answer.
* What is unwrapped is decided by the bytes, never by the declared ContentType (exchange rules 7).
* A file is unwrapped only when a reader that goes by the ZIP's directory and one that reads it as a stream, as the
  vendor's library does, both find the same file.
* Never more in memory than the limits allow, whatever a ZIP declares. A ZIP inside a ZIP is not opened.

File names stay as written but for blanks at the ends, so that the rules can warn of a decomposed one.
"""

from __future__ import annotations

import binascii
import io
import re
import struct
import zipfile
import zlib

from lxml import etree

from hub.domain.document import Attachment, ManifestEntry
from hub.domain.edxml.elements import child, raw_text, safe_text, text_of
from hub.domain.edxml.parse import DEFAULT_LIMITS, MEBIBYTE, Limits, Tree


def manifest_of(tree: Tree) -> tuple[ManifestEntry, ...]:
    """What the envelope declares of the attachments, in its order."""
    body = child(tree.envelope, "edXMLBody")
    if body is None:
        return ()
    manifest = child(body, "edXMLManifest")
    if manifest is None:
        manifest = child(body, "Manifest")  # the vendor's library reads this name too
    if manifest is None:
        return ()
    return tuple(
        ManifestEntry(
            content_id=plain_content_id(text_of(child(reference, "ContentId"))),
            content_type=text_of(child(reference, "ContentType")),
            name=safe_text(child(reference, "AttachmentName")),
            description=text_of(child(reference, "Description")),
        )
        for reference in manifest.iterchildren("{*}Reference")
    )


def attachment_parts(tree: Tree, limits: Limits = DEFAULT_LIMITS) -> tuple[Attachment, ...]:
    """The attachments in their order, each decoded and, where it was wrapped, unwrapped.

    Those beyond ``limits.attachments`` are only decoded, as the packet is refused for their number.
    """
    room = _ROOM * limits.packet
    found = []
    for index, element in enumerate(tree.attachments):
        allowed = min(limits.attachment, room) if index < limits.attachments else None
        attachment = _attachment(element, tree, allowed)
        if attachment.wrapped:
            room -= len(attachment.content)
        found.append(attachment)
    return tuple(found)


_ROOM = 4  # what all attachments of a packet may unwrap to, in multiples of the packet's limit


def _attachment(element: etree._Element, tree: Tree, room: int | None) -> Attachment:
    """One attachment; ``room`` is how many bytes it may unwrap to, None: it is not to be unwrapped."""
    name = safe_text(child(element, "AttachmentName"))
    if element not in tree.decoded:
        tree.decoded[element] = _decode(child(element, "ContentTransferEncoded"))
    octets, defect = tree.decoded[element]
    content = None
    if room is not None and octets.startswith(_ENTRY_MAGIC):
        content, defect = _unwrap(octets, name, room)
    wrapped = content is not None
    if content is None:
        content = octets
    return Attachment(
        content_id=plain_content_id(text_of(child(element, "ContentId"))),
        name=name,
        octets=octets,
        content=content,
        content_type=text_of(child(element, "ContentType")),
        description=text_of(child(element, "Description")),
        wrapped=wrapped,
        defect=defect or ("" if content else "attachment-empty"),
    )


_CID = re.compile(r"(?:cid:)*+")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def plain_content_id(text: str) -> str:
    """The id without ``cid:``, of which the vendor's library adds one more at every rebuilding."""
    return _CID.sub("", text, count=1)


def _decode(element: etree._Element | None) -> tuple[bytes, str]:
    """The octets and the defect. Line breaks, blanks and the URL-safe alphabet are read; foreign characters are not."""
    text = raw_text(element)
    try:
        return _strict(text.encode("ascii")), ""
    except ValueError:
        pass
    try:
        return _strict(text.encode("ascii").translate(_URL_SAFE, delete=b" \t\r\n")), ""
    except ValueError:
        return b"", "attachment-base64"


def _strict(text: bytes) -> bytes:
    octets = binascii.a2b_base64(text, strict_mode=True)
    # The strict mode of some Python versions lets padding pass that nothing needs.
    if len(text) != 4 * ((len(octets) + 2) // 3):
        raise ValueError("superfluous padding")
    return octets


# ZIP (PKWARE APPNOTE 4.3).

_ENTRY_MAGIC = b"PK\x03\x04"
_DIRECTORY_MAGIC = b"PK\x01\x02"
_LOCAL_HEADER = struct.Struct("<4s2xHHxxxx4xL4xHH")  # magic, flags, method, packed size, lengths of name and extra
_ENCRYPTED, _SIZES_FOLLOW = 0x1, 0x8
_SIZE_IN_EXTRA = 0xFFFFFFFF
_OUTSIDE = re.compile(r"[/\\]|[A-Za-z]:|(?:.*[/\\])?\.\.(?:[/\\]|\Z)|.*\0", re.DOTALL)
_MAX_ENTRIES = 10_000
_MAX_RATIO = 200
_RATIO_COUNTS_FROM = 10 * MEBIBYTE


def _unwrap(octets: bytes, name: str, room: int) -> tuple[bytes | None, str]:
    """The wrapped file, or None where the ZIP is itself the file; and the defect."""
    is_archive = name.lower().endswith(".zip")
    if octets.count(_DIRECTORY_MAGIC) > _MAX_ENTRIES:
        return None, "attachment-zip-bomb"
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            entries = archive.infolist()
    # The module lets through what its parsing of a broken directory runs into.
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError, struct.error):
        return None, "" if is_archive else "attachment-zip"
    if not entries:
        return None, "" if is_archive else "attachment-zip"
    if any(_OUTSIDE.match(path) for path in (_first_path(octets), *(entry.orig_filename for entry in entries))):
        return None, "attachment-zip-path"
    if is_archive or len(entries) > 1 or entries[0].filename == "[Content_Types].xml":
        return None, ""
    if entries[0].filename.endswith("/"):
        return None, "attachment-zip"
    return _single(octets, entries[0], room)


def _first_path(octets: bytes) -> str:
    *_, name_length, _ = _LOCAL_HEADER.unpack_from(octets)
    return octets[_LOCAL_HEADER.size : _LOCAL_HEADER.size + name_length].decode("cp437")


def _single(octets: bytes, entry: zipfile.ZipInfo, room: int) -> tuple[bytes | None, str]:
    """The content of the only entry, where the entry's own header says the same of it as the directory does."""
    _, flags, method, size, name_length, extra_length = _LOCAL_HEADER.unpack_from(octets)
    agree = (
        entry.header_offset == 0
        and method == entry.compress_type
        and (flags & _SIZES_FOLLOW or size in (entry.compress_size, _SIZE_IN_EXTRA))
    )
    if not agree or (flags | entry.flag_bits) & _ENCRYPTED:
        return None, "attachment-zip"
    if entry.file_size > room:
        return None, "attachment-zip-bomb"
    start = _LOCAL_HEADER.size + name_length + extra_length
    packed = octets[start : start + entry.compress_size]
    if method == zipfile.ZIP_STORED:
        content = packed
    elif method == zipfile.ZIP_DEFLATED:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = stream.decompress(packed, room + 1)
        except zlib.error:
            return None, "attachment-zip"
    else:
        return None, "attachment-zip"
    if len(content) > room or len(content) > max(_RATIO_COUNTS_FROM, _MAX_RATIO * len(packed)):
        return None, "attachment-zip-bomb"
    if len(content) != entry.file_size or zlib.crc32(content) != entry.CRC:
        return None, "attachment-zip"
    return content, ""
