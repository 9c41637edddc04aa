"""A packet made anew: with fresh ids and shifted dates, on demand with noise for its contents, and signed again.

Everything is a function of what stood there, so that what was equal stays equal: a document's id is the same in the
document, in what acts on it and in what is reported about it. Only the texts are written over; a packet that cannot be
read stays as it is, and so does whatever is wrong with one that can.

A number gets seven digits in front (behind its zeros): six of the run, so that it meets none that the hub has, and the
last of its year, so that equal numbers of two years stay two when dates are shifted into one.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from clients.replay.traffic.leaves import Leaf, leaves, rewritten, rewritten_beside, text_of, with_text
from clients.replay.traffic.noise import Noise, relaid
from hub.domain.document import Attachment
from hub.domain.edxml import Tree, attachment_parts, parse, plain_content_id
from hub.domain.numbering import canonical_document_id
from hub.domain.signature import PrivateKey, Signed, Unsigned, sign, verify
from hub.errors import Refusal

SignAs = Callable[[str], tuple[PrivateKey, x509.Certificate]]

_DATES = {"PromulgationDate", "DueDate", "Timestamp"}
# What stays under ``anonymise``: codes, kinds and numbers that rules and recipients' software go by.
# OrganizationInCharge is a public body that may be the issuer (exchange rules 5).
_KEPT = {
    "OrganId", "OrganizationInCharge", "CodeNotation", "Type", "TypeDetail", "TypeName", "Priority", "Direction",
    "PromulgationAmount", "PageAmount", "SteeringType", "ApplicationType", "BussinessDocType", "Paper", "DocumentInfo",
    "DocumentReceiver", "ReceiverType", "StatusCode", "ContentType", "Format", "MimeType",
}  # fmt: skip
_IDS = {"DocumentId", "CodeNumber", *_DATES}  # with what is beside another element in them, which nobody writes
_KEPT_ATTRIBUTES = {"id", "algorithm", "type", "encoding", "lang", "space", "schemalocation", "nil"}  # in lower case
_MOMENT = re.compile(r"[\d\s:/.,+TZ-]*")
_SIGNATURES = {"Signature", "DigitalSignature"}
_ID_LIMIT, _NUMBER_LIMIT = 200, 50  # characters that hubs accept
_YEAR_FIRST = re.compile(r"(\s*)(\d{4})([/.-])(\d{1,2})([/.-])(\d{1,2})(?!\d)(.*)", re.DOTALL | re.ASCII)
_DAY_FIRST = re.compile(r"(\s*)(\d{1,2})([/.-])(\d{1,2})([/.-])(\d{4})(?!\d)(.*)", re.DOTALL | re.ASCII)
_YEAR_BEFORE = re.compile(r"([0-9]+[^/]*/|/?)([0-9]{4})(/.+)", re.DOTALL)
_VALUES = {
    "signature-digest": re.compile(rb"(<DigestValue>)([^<]+)"),
    "signature-value": re.compile(rb"(<SignatureValue>)([^<]+)"),
}


@dataclass(frozen=True, slots=True)
class Remade:
    """``expect``: the refusal it deserves now; what is wrong with a signature may be found in another step."""

    packet: bytes
    expect: str


class Again:
    """How packets of one run are made anew; another ``seed`` gives other ids. Dates are shifted by ``days``; with
    ``noise`` all that people wrote is made noise of.

    A packet made twice is one, byte for byte, if the keys of ``sign_as`` sign so (RFC 6979, as ``stock.keys``).
    """

    def __init__(self, seed: int, days: int, sign_as: SignAs, noise: Noise | None = None) -> None:
        drawn = hashlib.blake2b(f"again/{seed}".encode(), digest_size=8).digest()
        self._run = 100_000 + int.from_bytes(drawn, "big") % 900_000
        self._shift, self._sign_as, self._noise = timedelta(days=days), sign_as, noise

    def packet(self, packet: bytes, signer: str, expect: str = "") -> Remade:
        """A document or status packet. ``signer``: whose key signs it, if it was signed; ``expect``: the code of the
        refusal it met, which stays what it deserves as far as can be."""
        try:
            tree = parse(packet)
            files = attachment_parts(tree) if self._noise else ()
            state = _state(tree, expect)
            made = rewritten(packet, self._change(packet, files, state, signer))
            if self._noise is not None:
                made = rewritten_beside(made, partial(_beside, self._noise), partial(_attribute, self._noise))
        except (Refusal, ValueError):
            return Remade(self._noise.outside_markup(packet) if self._noise else packet, expect)
        if isinstance(state, Refusal):
            made = self._broken_again(made, signer, state.code)
            return Remade(made, _fault(made) if expect == state.code else expect)
        return Remade(self._signed(made, signer, state.form) if isinstance(state, Signed) else made, expect)

    def document_id(self, text: str) -> str:
        """Of ``code,date,number/symbol`` date and number change; any other gets the run's digits behind it."""
        parts = text.split(",")
        if len(parts) == 3:
            day = _read_day(parts[1])
            parts = [parts[0], self.date(parts[1]), self.code(parts[2], day)]
            made = ",".join(parts)
        else:
            made = f"{text}-{self._run}"
        return _fitting(made, text, _ID_LIMIT, canonical_document_id(text))

    def number(self, text: str, day: date | None) -> str:
        """``day``: of promulgation, as it was."""
        if not text:
            return text
        digits = text.lstrip("0")
        made = f"{text[: len(text) - len(digits)]}{self._run}{day.year % 10 if day else 0}{digits}"
        return _fitting(made, text, _NUMBER_LIMIT, digits)

    def symbol(self, text: str, day: date | None) -> str:
        """The year that some write before it goes with the day."""
        found = _YEAR_BEFORE.fullmatch(text)
        if found is None or day is None or found[2] != f"{day.year:04}":
            return text
        return f"{found[1]}{self.day(day).year:04}{found[3]}"

    def code(self, text: str, day: date | None) -> str:
        """Number and symbol in one text."""
        core = text.lstrip()
        return text[: len(text) - len(core)] + self.number(self.symbol(core, day), day) if core else text

    def day(self, day: date) -> date:
        """A day at the calendar's end stays."""
        try:
            return day + self._shift
        except OverflowError:
            return day

    def date(self, text: str) -> str:
        """As it was written; what is no day stays."""
        day = _read_day(text)
        if day is None:
            return text
        moved = self.day(day)
        if found := _YEAR_FIRST.fullmatch(text):
            lead, _, one, month, two, of_month, rest = found.groups()
            return f"{lead}{moved.year:04}{one}{moved.month:0{len(month)}}{two}{moved.day:0{len(of_month)}}{rest}"
        found = _DAY_FIRST.fullmatch(text)
        assert found is not None, "a day was read in one of the two forms"
        lead, of_month, one, month, two, _, rest = found.groups()
        return f"{lead}{moved.day:0{len(of_month)}}{one}{moved.month:0{len(month)}}{two}{moved.year:04}{rest}"

    # The texts of a packet

    def _change(
        self, packet: bytes, files: tuple[Attachment, ...], state: Unsigned | Signed | Refusal, signer: str
    ) -> Callable[[Leaf, bytes], bytes]:
        beside = _dates_beside(packet)
        by_octets = {file.octets: file for file in files}

        def change(leaf: Leaf, content: bytes) -> bytes:
            if _SIGNATURES.intersection(leaf.path[:-1]):
                if self._noise is None or isinstance(state, Signed):
                    return content  # it is made anew
                if leaf.name == "X509Certificate" and isinstance(state, Refusal):
                    # Without a certificate it would not be broken, but no signature; the signer's has its name in it.
                    return base64.b64encode(self._sign_as(signer)[1].public_bytes(Encoding.DER))
                return with_text(content, self._noise.text)
            if leaf.name == "ContentTransferEncoded":
                return content if self._noise is None else self._file(content, by_octets, self._noise)
            return with_text(content, lambda text: self._text(leaf, text, beside))

        return change

    def _text(self, leaf: Leaf, text: str, beside: _Beside) -> str:
        if text in ("", "null"):
            return text
        if leaf.name == "DocumentId":
            return self.document_id(text)
        if leaf.name in _DATES:
            moved = self.date(text)
            return moved if self._noise is None or _MOMENT.fullmatch(text) else self._noise.letters(moved)
        if leaf.name == "CodeNumber":
            return self.number(text, beside.promulgated)
        if leaf.name == "CodeNotation":
            return self.symbol(text, beside.promulgated)
        if leaf.name == "Code" and leaf.holder == "ResponseFor":
            return self.code(text, beside.named.get(leaf.parent))
        if self._noise is None or leaf.name in _KEPT:
            return text
        if leaf.name == "ContentId":
            return _content_id(self._noise, text)
        return self._noise.file_name(text) if leaf.name == "AttachmentName" else self._noise.text(text)

    def _file(self, content: bytes, by_octets: dict[bytes, Attachment], noise: Noise) -> bytes:
        text = text_of(content)
        try:
            octets = base64.b64decode("".join(text.split()).translate(_PLAIN), validate=True)
        except ValueError:
            return with_text(content, noise.text)
        file = by_octets.get(octets) or Attachment("", "", octets, octets)
        return relaid(text, noise.file_like(file)).encode() if octets else content

    # Its signature

    def _signed(self, packet: bytes, signer: str, form: str) -> bytes:
        return sign(packet, *self._sign_as(signer), form="fast" if form == "fast" else "whole")

    def _broken_again(self, packet: bytes, signer: str, code: str) -> bytes:
        """With a wrong digest or value in a signature made anew; what is wrong in another way stays as it is."""
        if code not in _VALUES:
            return packet
        try:
            signed = self._signed(packet, signer, "fast")
        except Refusal:  # and something besides
            return packet
        return _VALUES[code].sub(lambda found: found[1] + _spoilt(found[2]), signed, count=1)


_PLAIN = str.maketrans("-_", "+/")


def _content_id(noise: Noise, text: str) -> str:
    plain = plain_content_id(text)
    return text[: len(text) - len(plain)] + noise.name(plain)


def _beside(noise: Noise, path: tuple[str, ...], text: str) -> str:
    return text if path and path[-1] in _KEPT | _IDS else noise.text(text)


def _attribute(noise: Noise, path: tuple[str, ...], value: str) -> str:
    """Ids and what refers to them stay."""
    kept = path[-1].rpartition(":")[2].lower() in _KEPT_ATTRIBUTES or value.startswith("#")
    return value if kept else _content_id(noise, value)


def _state(tree: Tree, expect: str) -> Unsigned | Signed | Refusal:
    """How a packet is signed, or what is wrong with its signature. SHA-1 is, where the hub said so."""
    try:
        return verify(tree, sha1=expect != "signature-algorithm")
    except Refusal as broken:
        return broken


def _spoilt(value: bytes) -> bytes:
    octets = base64.b64decode(value)
    return base64.b64encode(bytes([octets[0] ^ 1]) + octets[1:])


def _fault(packet: bytes) -> str:
    try:
        verify(parse(packet))
    except Refusal as refusal:
        return refusal.code
    return ""


def _fitting(made: str, text: str, limit: int, known: str) -> str:
    """``made``, unless it breaks a limit that the text did not: then what is too long is a digest of ``known``."""
    if not len(text) <= limit < len(made):
        return made
    digest = hashlib.blake2b(known.encode(), digest_size=6).hexdigest()
    return made[: limit - len(digest)] + digest


def _read_day(text: str) -> date | None:
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day = int(found[2]), int(found[4]), int(found[6])
    elif found := _DAY_FIRST.fullmatch(text):
        year, month, day = int(found[6]), int(found[4]), int(found[2])
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Beside:
    """The days that the numbers of a packet belong to: its own, and of each ResponseFor by where that begins."""

    promulgated: date | None
    named: dict[int, date]


def _dates_beside(packet: bytes) -> _Beside:
    own, stated, in_id = None, {}, {}
    for leaf in leaves(packet):
        if leaf.name not in {"PromulgationDate", "DocumentId"}:
            continue
        text = text_of(packet[leaf.start : leaf.end]).strip()
        if leaf.holder == "PromulgationInfo":
            own = _read_day(text) or own
        elif leaf.holder == "ResponseFor" and leaf.name == "PromulgationDate":
            stated[leaf.parent] = _read_day(text)
        elif leaf.holder == "ResponseFor":
            in_id[leaf.parent] = _read_day([*text.split(","), ""][1])
    named = {parent: day for parent, day in {**in_id, **{k: v for k, v in stated.items() if v}}.items() if day}
    return _Beside(own, named)
