"""What the gateway answers, and what of it the Java client could not read (§3, §4, §6)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_LISTS = {"getAgenciesList", "getAgenciesListQD20", "getSynchronizeUnit", "getReceivedEdocList", "getSentEdocList"}
_COUNTS = {"countReceiveEdoc", "countReceiveStatus"}
_NO_TEXTS = {"version": int, "deleted": bool, "isAgency": bool}  # members of items (§4.3); all others are texts
_JSON_NAMES: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
    type(None): "null",
}


class UnreadableAnswer(Exception):  # noqa: N818  (it is the answer that is named)
    """The Java client could not read the answer, or would take it for something else; ``why`` says at what."""

    def __init__(self, method: str, why: str) -> None:
        super().__init__(method, why)
        self.method, self.why = method, why

    def __str__(self) -> str:
        return f"Không đọc được câu trả lời của / unreadable answer to {self.method}: {self.why}"


class NoDocument(Exception):  # noqa: N818  (a refusal is an answer, not a fault)
    """``downloadEdoc`` answered with an empty body, the only way it has to refuse (§4.12)."""

    def __init__(self, doc_id: str) -> None:
        super().__init__(doc_id)
        self.doc_id = doc_id

    def __str__(self) -> str:
        return f"Không tải được văn bản / no document to download: {self.doc_id}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON answer. ``code`` is ErrorCode, ``description`` ErrorDesc; ``ok``: status OK and code "0"."""

    ok: bool
    code: str
    description: str
    body: Mapping[str, Any] = field(repr=False)
    http_status: int

    @property
    def temporary(self) -> bool:
        """Whether to come back later with the same: HTTP 503 with code 99."""
        return self.http_status == 503 and self.code == "99"

    @property
    def items(self) -> tuple[Mapping[str, Any], ...]:
        """The objects of a list method; none on a refusal."""
        return tuple(self.body["data"]) if self.ok else ()

    @property
    def packet(self) -> bytes:
        """The packet of ``getEdoc``; empty on a refusal."""
        return _from_base64(self.body["data"]) if self.ok else b""

    @property
    def doc_id(self) -> str:
        """The id that ``sendEdoc`` gave the document; usually empty on a refusal."""
        return str(self.body["DocId"])

    @property
    def count(self) -> int:
        """What a count method counted; 0 on a refusal."""
        return int(self.body["count"]) if self.ok else 0


def read_answer(method: str, http_status: int, content: bytes) -> Answer:
    """Raises ``UnreadableAnswer``."""
    try:
        if method == "sendEdoc":
            _check_for_jdk(http_status, content)
        body = _parsed(content)
        for name in ("status", "ErrorCode", "ErrorDesc"):
            _expect(body, name, str)
        ok = body["ErrorCode"] == "0"
        # Some callers go by the one and some by the other.
        if body["status"] != ("OK" if ok else "FAIL"):
            raise ValueError(f"status {body['status']} with ErrorCode {body['ErrorCode']}")
        _check_result(method, ok, body)
    except ValueError as fault:
        raise UnreadableAnswer(method, str(fault)) from fault
    return Answer(ok, body["ErrorCode"], body["ErrorDesc"], body, http_status)


def read_download(doc_id: str, http_status: int, content: bytes) -> bytes:
    """The packet. Raises ``NoDocument``, and ``UnreadableAnswer`` for an error that would be kept as the document."""
    if not content:
        raise NoDocument(doc_id)
    if http_status != 200 or content.startswith(b"{"):
        raise UnreadableAnswer("downloadEdoc", f"HTTP {http_status} with an error that is kept as the document")
    return content


def _check_for_jdk(http_status: int, content: bytes) -> None:
    if http_status not in {200, 201} and http_status < 400:
        raise ValueError(f"HTTP {http_status}, not 200, 201 or an error")
    if not content.isascii():
        raise ValueError("not ASCII")


def _parsed(content: bytes) -> dict[str, Any]:
    if not content:
        raise ValueError("empty")
    try:
        body = json.loads(content.decode("utf-8-sig"))
    except ValueError as fault:
        raise ValueError(f"not JSON: {fault}") from fault
    if not isinstance(body, dict):
        raise ValueError(f"{_JSON_NAMES[type(body)]}, not object")
    return body


def _check_result(method: str, ok: bool, body: Mapping[str, Any]) -> None:
    if method == "sendEdoc":  # on a refusal too
        _expect(body, "DocId", str)
    elif method == "getEdoc":  # on a refusal too, for version 2.0.0
        _expect(body, "data", str)
        _from_base64(body["data"]).decode()  # any other encoding is destroyed (§4.9)
    elif method in _COUNTS and ok:
        _expect(body, "count", int)
    elif method in _LISTS and ok:
        _expect(body, "data", list)
        for at, item in enumerate(body["data"]):
            if not isinstance(item, dict):
                raise ValueError(f"data[{at}]: {_JSON_NAMES[type(item)]}, not object")
            for name in item:
                _expect(item, name, _NO_TEXTS.get(name, str), f"data[{at}].")


def _expect(holder: Mapping[str, Any], name: str, kind: type, where: str = "") -> None:
    found = _JSON_NAMES[type(holder[name])] if name in holder else "missing"
    if found != _JSON_NAMES[kind]:
        raise ValueError(f"{where}{name}: {found}, not {_JSON_NAMES[kind]}")


def _from_base64(text: str) -> bytes:
    """In lines, and in the URL-safe alphabet too (§4.9). Raises ``ValueError``."""
    return base64.b64decode("".join(text.split()).translate(str.maketrans("-_", "+/")), validate=True)
