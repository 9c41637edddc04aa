"""Noise in the place of what people wrote: of the same size and shape, and the same for the same text.

Letters become other letters of their case and of as many bytes, digits other digits; blanks, signs, marks and what
cannot be seen stay, since rules look at them. Files keep what their first bytes say they are. Who knows the key can try
whose name a noise is.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from random import Random

from hub.domain.document import Attachment
from hub.domain.filenames import content_extension, extension, faults

_VOWELS = "àáãâèéêìíòóõôùúýăĩũơư"  # two bytes each, as đ; the others of Vietnamese take three
_MARKED = "ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ"
_ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    _VOWELS + "đ",
    (_VOWELS + "đ").upper(),
    _MARKED,
    _MARKED.upper(),
)
_ALPHABET_OF = {letter: letters for letters in _ALPHABETS for letter in letters}
_TRIES = 50
_LARGEST_MAGIC = 8  # bytes by which a kind of file is known
_TOLD_APART = (b"PK", b"%PDF")  # what is sent in place of a packet by mistake, where letters tell it
_ENTRY = (2025, 1, 1, 0, 0, 0)
_OFFICE = "[Content_Types].xml"  # what the files of office software begin with
# What the module lets through of a broken archive.
_BROKEN = (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError, struct.error)
_IDEOGRAPHS = range(0x20000, 0x2A6E0)  # four bytes each, of chữ Nôm too
_PILE = re.compile(r"[^\w\s\x00-\x7f]{31}")  # marks of which it takes time quadratic in their number to normalise them
_LETTERS = re.compile(r"[^\W\d_]+")
# Of what is no packet: tags whole, and of all else that begins in "<" the beginning.
_MARKUP = re.compile(rb"(<!--|<!\[CDATA\[|<!DOCTYPE|<[^<>]*>|&[^&;\s]*;)")
_DECLARATION = re.compile(rb"<\?xml(?:\s+(?:version|encoding|standalone)\s*=\s*(?:\"[\w.-]*\"|'[\w.-]*'))*\s*\?>")
_TAG_NAME = re.compile(rb"<[!?/]?[^\s<>/]*")
# What stays of a tag behind its name: namespaces and names of attributes; values and what else there is do not.
_IN_TAG = re.compile(
    rb"(xmlns(?::[^\s=]+)?\s*=\s*(?:\"[^\"]*\"|'[^']*')|[^\s=\"'<>/]++(?=\s*=))|\"[^\"]*\"?|'[^']*'?|[^\s=\"'<>/]+"
)


class Noise:
    """Another key gives other noise."""

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.blake2b(key, digest_size=32).digest()

    def text(self, text: str, salt: str = "") -> str:
        """No letter stays what it was. Texts that differ in case or normal form only do so afterwards."""
        return self._noisy(text, lambda composed: f"{salt}/{composed.casefold()}")

    def name(self, text: str) -> str:
        """As :meth:`text`, and of two texts that differ so does the noise, if the letters are of Vietnamese."""
        plain = all(letter in _ALPHABET_OF for letter in text if letter.isalpha())
        return self._noisy(text, lambda composed: f"name/{len(composed)}" if plain else f"name/{composed}")

    def letters(self, text: str) -> str:
        """As :meth:`text`, but for what stands between the letters, digits too."""
        return _LETTERS.sub(lambda found: self.text(found[0]), text)

    def _noisy(self, text: str, seed: Callable[[str], str]) -> str:
        composed = text if _PILE.search(text) else unicodedata.normalize("NFC", text)
        stream = self._stream(seed(composed), 2 * len(composed))
        shown = "".join(_other(letter, stream[2 * i : 2 * i + 2]) for i, letter in enumerate(composed))
        return shown if composed == text else unicodedata.normalize("NFD", shown)

    def file_name(self, name: str) -> str:
        """With its extension, and with the faults it had and no others."""
        end = len(name) - len(extension(name)) - 1 if extension(name) else len(name)
        wrong = list(faults(name))
        for salt in range(_TRIES):
            made = self.text(name[:end], str(salt) if salt else "") + name[end:]
            if list(faults(made)) == wrong:
                return made
        # A fault that is the name itself, as of CON: what stands before the first dot.
        reserved, dot, rest = name[:end].partition(".")
        return reserved + dot + self.text(rest) + name[end:]

    def bytes_like(self, octets: bytes) -> bytes:
        """As many bytes, which begin as these do."""
        known = content_extension(octets)
        kept = next((n for n in range(_LARGEST_MAGIC + 1) if content_extension(octets[:n]) == known), 0)
        return octets[:kept] + self._random(octets).randbytes(len(octets) - kept)

    def file_like(self, file: Attachment) -> bytes:
        """The octets of a file of the same kind, size and defect; of a ZIP bomb itself: it is nobody's document."""
        if file.defect == "attachment-zip-bomb":
            return file.octets
        if not file.octets.startswith(b"PK\x03\x04") or file.defect == "attachment-zip":
            return self.bytes_like(file.octets)
        return self._wrapped(file) if file.wrapped else self._archive(file)

    def _wrapped(self, file: Attachment) -> bytes:
        """A ZIP around one file of the same size, which packs about as well."""
        kept = self.bytes_like(file.content)
        hard = min(len(kept), len(file.octets))
        with zipfile.ZipFile(io.BytesIO(file.octets)) as archive:
            name = archive.infolist()[0].filename
        return _zipped(zipfile.ZIP_DEFLATED, (self.file_name(name), kept[:hard] + bytes(len(kept) - hard)))

    def _archive(self, file: Attachment) -> bytes:
        """A ZIP that is itself the file, or one with a path in it: of the same size, with what told it from another."""
        try:
            with zipfile.ZipFile(io.BytesIO(file.octets)) as archive:
                names = [entry.filename for entry in archive.infolist()]
        except _BROKEN:  # which nobody minds in a name in .zip
            return self.bytes_like(file.octets)
        if file.defect:
            made = ["../a"]
        elif names[:1] == [_OFFICE]:
            made = [_OFFICE]
        else:
            made = ["a", "b"][: len(names)]  # a single one would be unwrapped, but for a name in .zip
        empty = [(name, b"") for name in made[1:]]
        room = max(0, len(file.octets) - len(_zipped(zipfile.ZIP_STORED, (made[0], b""), *empty)))
        return _zipped(zipfile.ZIP_STORED, (made[0], self._random(file.octets).randbytes(room)), *empty)

    def outside_markup(self, data: bytes) -> bytes:
        """Letters and digits of what is no packet, but no names of elements and attributes, namespaces, references."""
        kept = next((len(magic) for magic in _TOLD_APART if data.startswith(magic)), 0)
        parts = (
            self._markup(part) if i % 2 else self._scrambled(part) for i, part in enumerate(_MARKUP.split(data[kept:]))
        )
        return data[:kept] + b"".join(parts)

    def _markup(self, part: bytes) -> bytes:
        name = _TAG_NAME.match(part)
        if name is None or not part.endswith(b">") or _DECLARATION.fullmatch(part):
            return part
        behind = _IN_TAG.sub(lambda found: found[0] if found[1] else self._scrambled(found[0]), part[name.end() :])
        return name[0] + behind

    def _scrambled(self, data: bytes) -> bytes:
        try:
            return self.text(data.decode(), "raw").encode()
        except UnicodeDecodeError:
            letters = data.decode("latin-1")
            plain = (letter if letter.isascii() else "" for letter in letters)
            made = iter(self.text("".join(plain), "raw"))
            return "".join(next(made) if letter.isascii() else letter for letter in letters).encode("latin-1")

    def _random(self, octets: bytes) -> Random:
        return Random(hashlib.blake2b(octets, digest_size=16, key=self._key).digest())  # noqa: S311  (it hides nothing)

    def _stream(self, text: str, size: int) -> bytes:
        return hashlib.shake_128(self._key + text.encode("utf-8", "surrogatepass")).digest(size)


def _other(letter: str, chosen: bytes) -> str:
    step = int.from_bytes(chosen, "big")
    if letter.isdecimal():
        digit = unicodedata.decimal(letter)
        return chr(ord(letter) - digit + (digit + 1 + step % 9) % 10)
    letters = _ALPHABET_OF.get(letter, "")
    if not letters and letter.isalpha():
        size = len(letter.encode())
        if size == 4:
            return chr(_IDEOGRAPHS[(ord(letter) + 1 + step % (len(_IDEOGRAPHS) - 1)) % len(_IDEOGRAPHS)])
        letters = _ALPHABETS[2] if size == 2 else _ALPHABETS[4]
    return letters[(letters.find(letter) + 1 + step % (len(letters) - 1)) % len(letters)] if letters else letter


def _zipped(method: int, *entries: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name, _ENTRY), content, method)
    return target.getvalue()


def relaid(text: str, octets: bytes) -> str:
    """``octets`` in Base64 as ``text`` is: in its lines where they are as many, and in its alphabet."""
    encoded = base64.b64encode(octets).decode("ascii")
    if "-" in text or "_" in text:
        encoded = encoded.translate(str.maketrans("+/", "-_"))
    letters = iter(encoded)
    if len(encoded) != sum(not letter.isspace() for letter in text):
        return encoded
    return "".join(_laid(text, letters))


def _laid(text: str, letters: Iterator[str]) -> Iterator[str]:
    for letter in text:
        yield letter if letter.isspace() else next(letters)
