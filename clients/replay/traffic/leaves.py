"""A packet's texts where they stand in its bytes, to be written over; every other byte stays as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import escape

_START = re.compile(rb"<[^>\"']*(?:\"[^\"]*\"[^>\"']*|'[^']*'[^>\"']*)*>")
_ASIDE = re.compile(r"(<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>)", re.DOTALL)
_REFERENCE = re.compile(r"&(?:#x([0-9A-Fa-f]+)|#([0-9]+)|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_BARE_CR = re.compile(r"\r(?!\n)")


@dataclass(frozen=True, slots=True)
class Leaf:
    """An element without others inside. ``path``: local names from the root down; ``parent``: which one it stands in;
    ``start`` and ``end``: of what stands between its tags."""

    path: tuple[str, ...]
    parent: int
    start: int
    end: int

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def holder(self) -> str:
        return self.path[-2] if len(self.path) > 1 else ""


def leaves(packet: bytes) -> list[Leaf]:
    """In their order. Raises ``ValueError`` for what is no well-formed XML; prefixes need no declaration."""
    parser = expat.ParserCreate("UTF-8")
    path: list[str] = []
    opened: list[int] = []  # where each element on the path begins
    found: list[Leaf] = []
    inner = -1  # where the content of the element opened last begins; -1 once another was closed

    def start(name: str, _attributes: object) -> None:
        nonlocal inner
        at = parser.CurrentByteIndex
        tag = _START.match(packet, at)
        if tag is None:
            raise ValueError(f"no tag at byte {at}")
        path.append(name.rpartition(":")[2])
        opened.append(at)
        inner = -1 if tag.group().endswith(b"/>") else tag.end()

    def end(_name: str) -> None:
        nonlocal inner
        if inner >= 0:
            found.append(Leaf(tuple(path), opened[-2] if len(opened) > 1 else -1, inner, parser.CurrentByteIndex))
        inner = -1
        path.pop()
        opened.pop()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(packet, True)
    except expat.ExpatError as fault:
        raise ValueError(str(fault)) from None
    return found


def text_of(content: bytes) -> str:
    """What a reader finds in an element's content: without comments, references resolved."""
    parts = _ASIDE.split(content.decode())
    return "".join(part[9:-3] if part.startswith("<![CDATA[") else _plain(part) for part in _texts(parts))


def _texts(parts: list[str]) -> Iterator[str]:
    return (part for part in parts if not part.startswith(("<!--", "<?")))


def _plain(text: str) -> str:
    return _REFERENCE.sub(lambda m: _NAMED[m[3]] if m[3] else chr(int(m[1], 16) if m[1] else int(m[2])), text)


def with_text(content: bytes, change: Callable[[str], str]) -> bytes:
    """The content with another text; the blanks around it and the comments in it stay, these in front of it."""
    text = text_of(content)
    core = text.strip()
    made = change(core)
    if made == core:
        return content
    asides = "".join(part for part in _ASIDE.split(content.decode()) if part.startswith(("<!--", "<?")))
    begin = text.index(core)
    written = escape(text[:begin] + made + text[begin + len(core) :])
    return (asides + _BARE_CR.sub("&#xD;", written)).encode()


def rewritten(packet: bytes, change: Callable[[Leaf, bytes], bytes]) -> bytes:
    """The packet with the content of each leaf as ``change`` gives it. Raises as :func:`leaves`."""
    parts: list[bytes] = []
    at = 0
    for leaf in leaves(packet):
        parts += packet[at : leaf.start], change(leaf, packet[leaf.start : leaf.end])
        at = leaf.end
    return b"".join((*parts, packet[at:]))
