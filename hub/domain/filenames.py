"""File names of attachments: which every recipient's file system can keep, and what to use instead.

Counted after Unicode NFC: the limit is 255 *bytes* of UTF-8, because a file system sets it and a Vietnamese letter
takes two or three. What the Ministry of Transport could not receive in 2020 were such names, without being told why.

A fault is named by the code of its rule; texts and severities stand in ``hub.domain.rules``.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

LIMIT = 255  # bytes of UTF-8 in NFC

_SEPARATORS = frozenset("/\\")
_FORBIDDEN = frozenset(':*?"<>|')
_RESERVED = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{n}" for port in ("COM", "LPT") for n in "123456789¹²³"]
)
_EXTENSION = re.compile(r".*[^.\s]\.([A-Za-z0-9]{1,10})", re.DOTALL)


def faults(name: str) -> Iterator[str]:
    """The codes of the rules a name breaks on its own, errors before warnings. ``name`` is as sent, not normalised."""
    composed = unicodedata.normalize("NFC", name)
    if not composed.strip():
        yield "name-empty"
        return
    if len(composed.encode()) > LIMIT:
        yield "name-too-long"
    if not _SEPARATORS.isdisjoint(composed):
        yield "name-separator"
    if not _FORBIDDEN.isdisjoint(composed):
        yield "name-character"
    if any(_is_control(c) for c in composed):
        yield "name-control"
    if any(_is_invisible(c) for c in composed):
        yield "name-invisible"
    if composed[-1] == "." or composed[-1].isspace():
        yield "name-trailing"
    if _is_reserved(composed):
        yield "name-reserved"
    if composed != name:
        yield "name-nfd"
    if not extension(composed):
        yield "name-no-extension"


def repeats(names: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The names equal to an earlier one on a file system that folds case: index, and a free name to use instead."""
    keys = [_key(name) for name in names]
    taken, seen = set(keys), Counter[str]()
    for i, (name, key) in enumerate(zip(names, keys, strict=True)):
        seen[key] += 1
        if key and seen[key] > 1:
            while _key(free := _numbered(name, seen[key])) in taken:
                seen[key] += 1
            taken.add(_key(free))
            yield i, free


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).strip()


def _numbered(name: str, n: int) -> str:
    stem, dot_extension = _split(safe_name(name))
    return _joined(stem, f" ({n}){dot_extension}")


def extension(name: str) -> str:
    """The extension in lower case without its dot, or empty. What follows the dot in ``số 12.Kính gửi`` is none."""
    match = _EXTENSION.fullmatch(name)
    return match.group(1).lower() if match else ""


def safe_name(name: str) -> str:
    """The nearest name without any fault but a missing extension; idempotent.

    Keeps the extension and all letters; what may not stand in a name becomes ``-``, what cannot be seen is left out; a
    name too long is cut before its extension, never inside a character with its marks.
    """
    shown = "".join(c for c in unicodedata.normalize("NFC", name) if not (_is_control(c) or _is_invisible(c)))
    kept = "".join("-" if c in _SEPARATORS or c in _FORBIDDEN else c for c in shown)
    kept = _trimmed(unicodedata.normalize("NFC", kept).lstrip()) or "tệp"
    if _is_reserved(kept):
        kept = "_" + kept
    return _joined(*_split(kept))


def _split(name: str) -> tuple[str, str]:
    """Stem, and the extension with its dot."""
    at = len(name) - len(extension(name)) - 1
    return (name[:at], name[at:]) if extension(name) else (name, "")


def _joined(stem: str, end: str) -> str:
    room = LIMIT - len(end.encode())
    if len(stem.encode()) > room:
        stem = _trimmed(_cut(stem, room))
    return stem + end


def _cut(text: str, room: int) -> str:
    """As many whole characters with their marks as fit into ``room`` bytes."""
    fitting = len(text.encode()[:room].decode(errors="ignore"))
    start = fitting
    while start and unicodedata.category(text[start]).startswith("M"):
        start -= 1
    return text[: start or fitting]  # one letter under hundreds of marks: cut inside it rather than leave nothing


def _trimmed(text: str) -> str:
    end = len(text)
    while end and (text[end - 1] == "." or text[end - 1].isspace()):
        end -= 1
    return text[:end]


def _is_control(c: str) -> bool:
    return unicodedata.category(c) in {"Cc", "Zl", "Zp"}


def _is_invisible(c: str) -> bool:
    return unicodedata.category(c) == "Cf"  # bidirectional controls, zero-width characters, soft hyphens


def _is_reserved(name: str) -> bool:
    return name.partition(".")[0].rstrip().upper() in _RESERVED


# The first extension of each row is the one to propose.
_SIGNATURES: tuple[tuple[bytes, tuple[str, ...]], ...] = (
    (b"%PDF-", ("pdf",)),
    (b"PK\x03\x04", ("zip", "docx", "xlsx", "pptx", "docm", "xlsm", "odt", "ods", "odp")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ("doc", "xls", "ppt", "msg")),
    (b"\x89PNG\r\n\x1a\n", ("png",)),
    (b"\xff\xd8\xff", ("jpg", "jpeg")),
    (b"GIF8", ("gif",)),
    (b"II*\x00", ("tif", "tiff")),
    (b"MM\x00*", ("tif", "tiff")),
    (b"{\\rtf", ("rtf",)),
    (b"Rar!\x1a\x07", ("rar",)),
    (b"7z\xbc\xaf\x27\x1c", ("7z",)),
)
_TEXTS = frozenset({"txt", "csv", "xml", "html", "json"})


def content_extension(content: bytes) -> str:
    """The extension the file's first bytes call for, or empty."""
    return next((row[0] for magic, row in _SIGNATURES if content.startswith(magic)), "")


def contradicts(name: str, content: bytes) -> bool:
    """Whether the extension promises another kind of file than the content is; an unknown one promises nothing."""
    named, found = extension(name), content_extension(content)
    if named in _TEXTS:
        return bool(found)
    return any(named in row and found != row[0] for _, row in _SIGNATURES)


def with_extension(name: str, new: str) -> str:
    """The safe name with another extension; unchanged if ``new`` is empty."""
    stem, dot_extension = _split(safe_name(name))
    return _joined(stem, f".{new}" if new else dot_extension)
