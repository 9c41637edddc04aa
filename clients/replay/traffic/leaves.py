"""What stands in a packet where it stands in its bytes, to be written over; every other byte stays as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

_TAG = rb"<[^>\"']*+(?:\"[^\"]*+\"[^>\"']*+|'[^']*+'[^>\"']*+)*+>"
_START = re.compile(_TAG)
_MARKUP = re.compile(
    rb"<(?:(?P<comment>!--.*?-->)|(?P<instruction>\?.*?\?>)|(?P<cdata>!\[CDATA\[.*?\]\]>)|" + _TAG[1:] + rb")",
    re.DOTALL,
)
_NAME = re.compile(rb"</?([^\s/>]+)")
_INSTRUCTION = re.compile(rb"(<\?[^\s?]+)(.*)(\?>)", re.DOTALL)
_ATTRIBUTE = re.compile(rb"([^\s=\"'<>/]+)(\s*=\s*)(?:\"([^\"]*)\"|'([^']*)')")
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


Change = Callable[[tuple[str, ...], str], str]


def rewritten_beside(packet: bytes, text: Change, attribute: Change) -> bytes:
    """The packet with what stands in it beside its leaves' texts changed, of well-formed XML without a DOCTYPE.

    ``text`` gets what stands beside other elements, with the path of the element it stands in, and what stands in a
    comment, or in a processing instruction behind its target, without one; ``attribute`` gets the path with the
    attribute's name, as written, behind it, and its value. Declarations of namespaces and of XML itself stay.
    """
    parts: list[bytes] = []
    path: list[str] = []
    held: list[tuple[str, bytes]] = []  # what came since the last tag
    at, begins = 0, False  # begins: that tag begins an element

    def release(mixed: bool) -> None:
        parts.extend(_piece(kind, piece, tuple(path) if mixed else (), text) for kind, piece in held)
        held.clear()

    for found in _MARKUP.finditer(packet):
        held.append(("text", packet[at : found.start()]))
        at = found.end()
        markup = found.group()
        if found.lastgroup:
            held.append((found.lastgroup, markup))
            continue
        ends = markup.startswith(b"</")
        release(not (begins and ends) and bool(path))
        begins = not ends and not markup.endswith(b"/>")
        if ends:
            path.pop()
            parts.append(markup)
            continue
        name = _NAME.match(markup)
        assert name is not None, "a tag has a name"
        path.append(name[1].decode().rpartition(":")[2])
        parts.append(markup[: name.end()] + _attributes(markup[name.end() :], tuple(path), attribute))
        if not begins:
            path.pop()
    held.append(("text", packet[at:]))
    release(mixed=False)
    return b"".join(parts)


def _piece(kind: str, piece: bytes, path: tuple[str, ...], change: Change) -> bytes:
    """``path`` is empty for a leaf's text, and outside of all elements."""
    if kind == "comment":
        return b"<!--" + change((), piece[4:-3].decode()).encode() + b"-->"
    if kind == "instruction":
        instruction = _INSTRUCTION.fullmatch(piece)
        if instruction is None or instruction[1] == b"<?xml":
            return piece
        return instruction[1] + change((), instruction[2].decode()).encode() + instruction[3]
    if not path or not piece:
        return piece
    if kind == "cdata":
        return b"<![CDATA[" + change(path, piece[9:-3].decode()).encode() + b"]]>"
    return _BARE_CR.sub("&#xD;", escape(change(path, _plain(piece.decode())))).encode()


def _attributes(written: bytes, path: tuple[str, ...], change: Change) -> bytes:
    def changed(found: re.Match[bytes]) -> bytes:
        name, value = found[1].decode(), _plain((found[3] or found[4] or b"").decode())
        if name == "xmlns" or name.startswith("xmlns:"):
            return found.group()
        made = change((*path, name), value)
        return found.group() if made == value else found[1] + found[2] + quoteattr(made).encode()

    return _ATTRIBUTE.sub(changed, written)
