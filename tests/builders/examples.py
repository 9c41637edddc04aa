"""The story of the examples in ``hub/api/examples.json``.

``python -m builders.examples`` (in ``tests/``) plays it with new keys, which are thrown away, and writes the file anew.
Played from the file alone it must go the same way, whatever ids the hub gives out: ``Names`` makes ids comparable.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from builders.api import Hub, a_hub
from builders.keys import a_certificate
from builders.packets import a_status
from builders.pdfs import written
from builders.stamping import a_tsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from sqlalchemy import update

from clients.hub_client import proofs
from hub.domain.document import Attachment, Document, DocumentRef, ManifestEntry, Organization
from hub.domain.signature import fingerprint, prove, statement
from hub.exchange import enrol, trust
from hub.exchange.desk import Desk
from hub.store import tables

FILE = Path(__file__).parent.parent.parent / "hub" / "api" / "examples.json"
OFFICE = Organization("G22", name="Văn phòng Chính phủ")
PROVINCE = Organization("H41", name="Ủy ban nhân dân tỉnh Nghệ An")
ORIGIN = "truc.vidu.vn/bang-chung"
SYSTEMS = {"G22": "vpcp-qlvb", "H41": "nghean-qlvb"}
# An authority that the hub of the story trusts; its key was thrown away.
ROOT = b"""\
-----BEGIN CERTIFICATE-----
MIIBgzCCASmgAwIBAgIUUePT+ADIRzsUCExdE34V2GQq7KAwCgYIKoZIzj0EAwIw
LzELMAkGA1UEBhMCVk4xIDAeBgNVBAMMF0NBIGfhu5FjIHRo4butIG5naGnhu4dt
MB4XDTI1MDEwMTAwMDAwMFoXDTQ0MTIyNzAwMDAwMFowLzELMAkGA1UEBhMCVk4x
IDAeBgNVBAMMF0NBIGfhu5FjIHRo4butIG5naGnhu4dtMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEiY+goaYOvUPVmaDsoHAPZcwqLYDi+yP2qitCg8fgpLNJ1w4H
OiJU8OeLtmtuWrSb+NEr0ZZjH3D591YtaoGddqMjMCEwDwYDVR0TAQH/BAUwAwEB
/zAOBgNVHQ8BAf8EBAMCAQYwCgYIKoZIzj0EAwIDSAAwRQIhALjOxzD1FXaJtLkF
bx/GywnvNTXer8G5Kynu98lPCJqLAiBs/u3xbu9VZydS1w7HGCutZg/QhES+RkcE
Y5oEIPltXA==
-----END CERTIFICATE-----
"""
CODES = {"G22": "ma-mot-lan-cua-van-phong-chinh-phu", "H41": "ma-mot-lan-cua-tinh-nghe-an"}  # one-time codes

Step = dict[str, Any]


@dataclass
class Stage:
    """A hub with both systems enrolled and nothing sent yet."""

    hub: Hub
    tokens: dict[str, str]

    def ask(self, step: Step) -> Step:
        """A step as it is played here: with the hub's own ``status``, ``media`` and ``answer``."""
        method, path = step["operation"].split(" ")
        if "/log/" in path or "/evidence/" in path:
            self.hub.axis.integrate()
        if "/log/timestamp" in path:
            a_tsa(self.hub.axis.clock()).stamp(self.hub.axis.desk)
        if path.endswith("/examinations"):
            self.hub.axis.inspect()
        body: dict[str, Any] = {}
        if "body" in step:
            body = {"content": step["body"].encode()} if isinstance(step["body"], str) else {"json": step["body"]}
        token = self.tokens.get(step["caller"], "")
        said = self.hub.ask(method, path.format(**step.get("path", {})), token, params=step.get("query"), **body)
        media = said.headers["content-type"].partition(";")[0]
        answer = said.json() if media.endswith("json") else _shown(said.content)
        return {**step, "status": said.status_code, "media": media, "answer": answer}


def enrolled(desk: Desk) -> dict[str, str]:
    """Enrols the story's systems; gives their tokens by agency."""
    systems = tuple(
        enrol.Enrolment(code, system_id=system, pdf_policy="require" if code == "H41" else "")
        for code, system in SYSTEMS.items()
    )
    made = desk.writer.run(enrol.enrol, enrol.Enrolments(systems, desk.vault))
    desk.writer.run(trust.add, trust.Additions((load_pem_x509_certificate(ROOT),), "root"))
    c = tables.one_time_code.c
    with desk.engine.begin() as connection:  # the codes are chance, and the proofs in the file sign them
        for code, system in SYSTEMS.items():
            change = update(tables.one_time_code).where(c.system_id == system)
            connection.execute(change.values(code_hash=enrol.hashed(CODES[code])))
    return {given["agency"]: given["token"] for given in made}


@contextmanager
def a_stage(folder: Path, database_url: str = "") -> Iterator[Stage]:
    with a_hub(folder, database_url, log_origin=ORIGIN) as hub:
        yield Stage(hub, enrolled(hub.axis.desk))


_ID = re.compile(r"\b[0-9a-f]{24}\b")
_OF_KEYS = re.compile(r"[A-Za-z0-9+/_.-]{40,}=*")  # what depends on the hub's own keys
_OPAQUE = {"next", "after", "receipt", "leaf", "proof", "x", "y", "kid", "token"}


@dataclass
class Names:
    """The ids of one telling of the story, numbered as they come up; so too what is opaque, or made with new keys."""

    ids: list[str] = field(default_factory=list)

    def plain(self, value: Any, key: str = "") -> Any:
        """The value with numbers for ids."""
        if isinstance(value, dict):
            return {name: self.plain(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [self.plain(each, key) for each in value]
        if isinstance(value, str) and key in _OPAQUE:
            return self._number(value)
        if isinstance(value, str) and (key == "checkpoint" or value.startswith(ORIGIN)):
            return _OF_KEYS.sub(lambda found: self._number(found[0]), value)
        return _ID.sub(lambda found: self._number(found[0]), value) if isinstance(value, str) else value

    def told(self, value: Any, other: Names) -> Any:
        """A value of the other telling with this one's ids."""
        text = json.dumps(other.plain(value))
        self.ids += other.ids[len(self.ids) :]  # what no answer gave is the same here
        return json.loads(re.sub(r"\{#(\d+)\}", lambda found: self.ids[int(found[1])], text))

    def _number(self, name: str) -> str:
        if name not in self.ids:
            self.ids.append(name)
        return f"{{#{self.ids.index(name)}}}"


@dataclass
class Recorder:
    """Plays steps and keeps them."""

    stage: Stage
    story: list[Step] = field(default_factory=list)

    def __call__(self, name: str, summary: str, operation: str, caller: str = "", **given: Any) -> Any:
        step = self.stage.ask({"name": name, "summary": summary, "operation": operation, "caller": caller, **given})
        self.story.append(step)
        return step["answer"]


def a_letter(**changes: Any) -> Document:
    """The Government Office's letter that the story is about."""
    text = "Kính gửi Ủy ban nhân dân tỉnh Nghệ An.".encode()
    values: dict[str, Any] = {
        "sender": OFFICE,
        "recipients": (PROVINCE,),
        "document_id": "G22,2025/10/01,15/VPCP-TH",
        "number": "15",
        "symbol": "VPCP-TH",
        "promulgation_date": "2025/10/01",
        "type_name": "Công văn",
        "subject": "Về việc cải cách tiền lương",
        "manifest": (ManifestEntry("tep-1", "text/plain", "cong-van-15.txt", "Công văn"),),
        "attachments": (Attachment("tep-1", "cong-van-15.txt", text, text, "text/plain", "Công văn"),),
    }
    return Document(**(values | changes))


_PDF = written("Cong van 17/VPCP-TH")
_WITH_A_PDF: dict[str, Any] = {
    "document_id": "G22,2025/10/01,17/VPCP-TH",
    "number": "17",
    "manifest": (ManifestEntry("tep-1", "application/pdf", "cong-van-17.pdf", "Công văn"),),
    "attachments": (Attachment("tep-1", "cong-van-17.pdf", _PDF, _PDF, "application/pdf", "Công văn"),),
}
_FROM_PROVINCE: dict[str, Any] = {
    "sender": PROVINCE,
    "recipients": (OFFICE,),
    "document_id": "H41,2025/10/01,17/VPCP-TH",
}


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _shown(octets: bytes) -> str:
    """An answer that is no JSON, in an example: what is no text in Base64."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return _base64(octets)


def _registration(code: str, key: Any, certificate: Any, earlier: Any = None) -> dict[str, str]:
    """The body that registers a certificate: by the one-time code, or endorsed by an earlier key and certificate."""
    once = "" if earlier else CODES[code]
    text = statement(SYSTEMS[code], code, certificate, once)
    body = {"certificate": certificate.public_bytes(Encoding.PEM).decode(), "proof": _base64(prove(key, text))}
    if earlier is None:
        return body | {"one_time_code": once}
    old_key, old = earlier
    return body | {"endorsed_by": fingerprint(old), "endorsement": _base64(prove(old_key, text))}


def record(stage: Stage) -> list[Step]:
    """The whole story."""
    office, later, province = (a_certificate(name) for name in ("G22", "G22 (2)", "H41"))

    def letter(**changes: Any) -> str:
        return proofs.signed_packet(a_letter(**changes), *office).decode()

    do = Recorder(stage)
    do("alive", "Bình thường · As ever", "GET /healthz")
    do("ready", "Bình thường · As ever", "GET /readyz")
    _prepare(do, office, later, province)
    packet = letter()
    wrong = letter(
        document_id="G22,2025/10/01,16/VPCP-TH",
        number="16",
        subject="",
        recipients=(PROVINCE, Organization("H99", name="Không có")),
    )
    do("right", "Gói đúng · Nothing is wrong", "POST /v1/documents/validate", "G22", body=packet)
    do("wrong", "Gói sai · Two rules are broken", "POST /v1/documents/validate", "G22", body=wrong)
    sent = do("new", "Văn bản mới · A new document", "POST /v1/documents", "G22", body=packet)
    do("repeat", "Gửi lại · The same bytes again", "POST /v1/documents", "G22", body=packet)
    do("wrong", "Gói sai · Two rules are broken", "POST /v1/documents", "G22", body=wrong)
    changed = letter(subject="Về việc cải cách tiền lương và bảo hiểm")
    do("conflict", "Cùng mã, khác nội dung · The same id, other content", "POST /v1/documents", "G22", body=changed)
    paper = proofs.signed_packet(a_letter(**_WITH_A_PDF), *office).decode()
    examined = do("pdf", "Có tệp PDF · With a PDF file", "POST /v1/documents", "G22", body=paper)
    unsigned = proofs.signed_packet(a_letter(**_WITH_A_PDF | _FROM_PROVINCE), *province).decode()
    told = "Tệp PDF chưa ký, nơi phải ký · An unsigned PDF file, where that is required"
    do("unsigned-pdf", told, "POST /v1/documents", "H41", body=unsigned)
    there = {"path": {"id": examined["id"]}}
    do("unsigned", "Tệp PDF chưa ký · An unsigned PDF", "GET /v1/documents/{id}/examinations", "G22", **there)
    _receive(do, sent["deliveries"][0]["id"], province)
    _read_back(do, sent["id"])
    return do.story


def _prepare(do: Recorder, office: Any, later: Any, province: Any) -> None:
    do("search", "Tìm không dấu · Without marks", "GET /v1/agencies", "G22", query={"q": "tinh nghe an", "limit": 5})
    do("on", "Trang sau · The next page", "GET /v1/agencies", "G22", query={"after": "G22", "limit": 2})
    registering, of_office = "POST /v1/agencies/{code}/certificates", {"path": {"code": "G22"}}
    first = "Chứng thư đầu tiên, bằng mã một lần · The first one, by the one-time code"
    do("first", first, registering, "G22", **of_office, body=_registration("G22", *office))
    again = "Chứng thư sau, do khóa trước bảo đảm · A later one, endorsed by the key before"
    endorsed = _registration("G22", *later, office)
    do("later", again, registering, "G22", **of_office, body=endorsed)
    at_province = {"path": {"code": "H41"}, "body": _registration("H41", *province)}
    do("other", "Của tỉnh · The province's", registering, "H41", **at_province)
    unendorsed = _registration("G22", *later)
    do("unendorsed", "Chưa được bảo đảm · Not endorsed", registering, "G22", **of_office, body=unendorsed)
    do("office", "Của Văn phòng · The Office's", "GET /v1/agencies/{code}/certificates", "H41", **of_office)


def _receive(do: Recorder, delivery: str, province: Any) -> None:
    here = {"path": {"id": delivery}}
    asked = {"limit": 10, "wait": 1}
    listed = do("waiting", "Có văn bản chờ · A document waits", "GET /v1/inbox", "H41", query=asked)
    do("empty", "Hết · Nothing more", "GET /v1/inbox", "H41", query={"after": listed["next"], "limit": 10})
    do("no-token", "Thiếu mã truy cập · Without a token", "GET /v1/inbox")
    do("document", "Một văn bản · A document", "GET /v1/deliveries/{id}", "H41", **here)
    done, taken = "POST /v1/deliveries/{id}/done", "POST /v1/deliveries/{id}/taken"
    do("too-early", "Chưa lấy gói · Before the fetch", done, "H41", **here, body={})
    lease = do("claim", "Giữ 5 phút · For five minutes", taken, "H41", **here, body={})["lease"]
    do("held", "Tiến trình khác đang giữ · Another process has it", taken, "H41", **here, body={})
    do("document", "Gói văn bản · A document", "GET /v1/deliveries/{id}/packet", "H41", **here)
    do("safe", "Đã ghi xuống đĩa · It is on disk", done, "H41", **here, body={"lease": lease})
    arrived = a_status(
        sender=PROVINCE,
        response_for=DocumentRef("G22", document_id="G22,2025/10/01,15/VPCP-TH"),
        status="01",
        description="Đã đến",
        timestamp="2025/10/01 09:00:00",
    )
    packet = proofs.signed_packet(arrived, *province).decode()
    told = do("arrived", "01: đã đến · It has arrived", "POST /v1/statuses", "H41", body=packet)
    do("repeat", "Báo lại · The same again", "POST /v1/statuses", "H41", body=packet)
    at_office = {"path": {"id": told["delivery"]}}
    do("status", "Một trạng thái · A status", "GET /v1/deliveries/{id}", "G22", **at_office)
    why = {"reason": "Hết chỗ lưu / no room"}
    failed = "POST /v1/deliveries/{id}/failed"
    do("attempt", "Lần đầu, sẽ thử lại · A first attempt", failed, "G22", **at_office, body=why)


def _read_back(do: Recorder, document: str) -> None:
    here = {"path": {"id": document}}
    first = do("first", "Việc đầu tiên · The first thing", "GET /v1/outbox", "G22", query={"limit": 1})
    more = {"after": first["next"], "limit": 10}
    do("on", "Các việc sau · What happened then", "GET /v1/outbox", "G22", query=more)
    do("sender", "Nơi gửi xem · To the sender", "GET /v1/documents/{id}", "G22", **here)
    unknown = {"path": {"id": "0123456789abcdef01234567"}}
    do("unknown", "Không có · There is none", "GET /v1/documents/{id}", "G22", **unknown)
    do("document", "Gói văn bản · A document", "GET /v1/documents/{id}/packet", "G22", **here)
    file = {"path": {"id": document, "n": 1}}
    do("text", "Tệp thứ nhất · The first file", "GET /v1/documents/{id}/attachments/{n}", "G22", **file)
    proved = do("sender", "Nơi gửi xem · To the sender", "GET /v1/evidence/{id}", "G22", **here)
    begun = do("page", "Trang đầu · The first page", "GET /v1/evidence/{id}", "G22", **here, query={"limit": 2})
    rest = {"after": begun["next"], "limit": 2}
    do("on", "Trang sau, cùng đầu sổ · The next, of the same head", "GET /v1/evidence/{id}", "G22", **here, query=rest)
    known = do("grounds", "Một gốc được tin · A root is trusted", "GET /v1/trust", "G22")
    root = {"path": {"sha256": known["items"][0]["sha256"]}}
    do("root", "DER, ở đây là Base64 · DER, here in Base64", "GET /v1/trust/{sha256}", "G22", **root)
    report = {"path": {"id": proved["items"][-1]["entry"]["report"]}}
    do("arrived", "01, có chữ ký · 01, as it was signed", "GET /v1/reports/{id}/packet", "G22", **report)
    do("keys", "Khóa của biên nhận · Of receipts", "GET /.well-known/jwks.json")
    do("keys", "Khóa của sổ · Of the log", "GET /log/keys")
    do("head", "Đầu sổ · The head", "GET /log/checkpoint")
    do("longer", "Sổ được nối dài · It has grown", "GET /log/consistency", query={"first": 1, "second": 3})
    do("newest", "Mới nhất trước · The newest first", "GET /log/timestamps", query={"below": 100, "limit": 1})
    do("covering", "Sớm nhất cho lá 0 · The earliest over leaf 0", "GET /log/timestamp/{size}", path={"size": 1})
    wrong = {"first": 3, "second": 1000000}
    do("too-long", "Dài hơn sổ · More than there is", "GET /log/consistency", query=wrong)


if __name__ == "__main__":
    FILE.write_text("[]", "utf-8")  # the description must come without what the old story names
    with TemporaryDirectory() as made, a_stage(Path(made)) as new:
        FILE.write_text(json.dumps(record(new), ensure_ascii=False, indent=1) + "\n", "utf-8")
