"""What lies in the folder, told to people; and what is said about it to the hub: reports and take-backs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from clients.agency.checking import Judgement
from clients.agency.drafting import ENDING, a_report, reference
from clients.agency.home import Config, Home
from clients.agency.sending import HUB_ID, PACKET, Outgoing, read, read_receipt, sent_folders
from clients.agency.shelf import Shelf
from clients.agency.texts import CannotError
from clients.agency.voice import FAILED, Voice
from clients.hub_client import HubClient
from hub.domain.delivery import FINAL, FROM_RECIPIENT
from hub.domain.document import Document, DocumentRef


def judgement(voice: Voice, found: Judgement, fetched: date) -> int:
    """Tell what a check found; gives the exit code."""
    document = found.document
    if voice.as_json:
        body = {name: [each.rule for each in getattr(found, name)] for name in ("violations", "warnings")}
        voice.tell({"event": "checked", "valid": not found.violations, **body})
    voice.violations(found.violations, "red")
    voice.violations(found.warnings, "yellow")
    voice.note("check-offline", day=f"{fetched:%Y/%m/%d}")
    if found.violations or document is None:
        return FAILED
    if not voice.as_json:
        voice.say("valid", number=f"{document.number}/{document.symbol}")
    return 0


def report(
    home: Home, config: Config, client: HubClient, voice: Voice, key: str, status: str, reason: str, now: datetime
) -> None:
    """Report on what was received, in the name of whoever it was addressed to."""
    if status not in FROM_RECIPIENT:
        raise CannotError("status-unknown", status=status)
    record = Shelf(home.inbox).find(key)
    if record is None:
        raise CannotError("not-found", id=key, where="inbox")
    about = record["document"]
    name = config.name if record["to"] == config.code else ""
    reported = client.report(a_report(record["to"], name, reference(about, about["sender"]), status, reason, now))
    voice.say(
        "reported", status=status, number=_number(about), to=about["sender"], id=reported.id,
        deliveries=list(reported.deliveries),
    )  # fmt: skip


def take_back(
    outgoing: Outgoing, client: HubClient, voice: Voice, key: str, only: tuple[str, ...], reason: str, now: datetime
) -> None:
    """Ask each recipient, or those named, at which the document is not final."""
    folder = outgoing.find(key)
    if folder is None and not HUB_ID.fullmatch(key):
        raise CannotError("not-found", id=key, where="sent")
    hub_id = key if folder is None else read_receipt(folder)["id"]
    story = client.document(hub_id)
    asked = [
        each
        for each in story["deliveries"]
        if (each["to"] in only if only else each["status"] not in FINAL and each["state"] != "withdrawn")
    ]
    if not asked:
        raise CannotError("nothing-to-take-back", id=key)
    packet = None if folder is None else read((folder / PACKET).read_bytes())
    sender, day = (packet.sender.organ_id, packet.promulgation_date) if packet else (outgoing.config.code, "")
    for each in asked:
        about = DocumentRef(each["to"], document_id=story["document_id"], promulgation_date=day)
        reported = client.report(a_report(sender, outgoing.config.name, about, "13", reason, now))
        effects = [done["state"] if done["state"] == "withdrawn" else done["effect"] for done in reported.deliveries]
        voice.say("asked-back", number=story["document_id"], to=each["to"], effect=", ".join(effects), id=reported.id)


def sent(home: Home, client: HubClient | None, voice: Voice, limit: int) -> None:
    """The latest, with the state each has at the hub if that is asked."""
    rows = []
    for folder in islice(sent_folders(home), limit):
        receipt = read_receipt(folder)
        story = client.document(receipt["id"]) if client else {"deliveries": receipt["deliveries"], "state": ""}
        rows.append(
            {
                **receipt,
                "path": folder.relative_to(home.root).as_posix(),
                "state": story["state"],
                "deliveries": story["deliveries"],
                "where": ", ".join(_standing(each) for each in story["deliveries"]),
            }
        )
    heads = {
        "sent_at": "Gửi lúc / Sent", "number": "Số, ký hiệu / Number", "where": "Nơi nhận / Recipients",
        "state": "Chung / Overall", "subject": "Trích yếu / Subject", "id": "ID",
    }  # fmt: skip
    _list(voice, heads, rows)


def _standing(delivery: dict[str, Any]) -> str:
    status = delivery.get("status", "")
    return f"{delivery['to']} {delivery['state']}" + (f" {status}" if status and status != "none" else "")


def inbox(shelf: Shelf, voice: Voice, limit: int) -> None:
    """The latest that was received."""
    rows = [
        {
            **record,
            "path": folder.relative_to(shelf.root.parent).as_posix(),
            "number": _number(record["document"]),
            "sender": record["status"]["from"] if record["type"] == "status" else record["document"]["sender"],
            "what": record["status"]["code"] if record["type"] == "status" else record["document"]["kind"],
            "subject": record["document"]["subject"],
            "standing": record["signature"]["standing"],
        }
        for folder, record in islice(shelf.records(), limit)
    ]
    heads = {
        "received_at": "Nhận lúc / Received", "sender": "Từ / From", "what": "Loại / Kind",
        "number": "Số, ký hiệu / Number", "subject": "Trích yếu / Subject", "standing": "Chữ ký / Signature",
        "path": "Thư mục / Folder",
    }  # fmt: skip
    _list(voice, heads, rows)


def show(home: Home, outgoing: Outgoing, voice: Voice, key: str) -> None:
    """A packet in a file, or the record of what was received or sent with the packet's content."""
    path = Path(key)
    if key.lower().endswith(ENDING) and path.is_file():
        _tell(voice, {"path": key} | _content(path.read_bytes()))
        return
    shelf = Shelf(home.inbox)
    record = shelf.find(key)
    if record is not None:
        note = shelf.done(record["id"])
        folder = shelf.folder(note) if note else None
        _tell(voice, record | ({"path": str(folder)} if folder else {}))
        return
    found = outgoing.find(key)
    if found is None:
        raise CannotError("not-found", id=key, where="inbox, sent")
    _tell(voice, read_receipt(found) | {"path": outgoing.shown(found)} | _content((found / PACKET).read_bytes()))


def _content(packet: bytes) -> dict[str, Any]:
    document = read(packet)
    return {} if document is None else _facts(document)


def _facts(document: Document) -> dict[str, Any]:
    return {
        "sender": document.sender.organ_id,
        "to": [each.organ_id for each in document.recipients],
        "document_id": document.document_id,
        "number": f"{document.number}/{document.symbol}",
        "date": document.promulgation_date,
        "type": document.type_name,
        "kind": document.kind.word,
        "subject": document.subject,
        "signer": document.signer,
        "files": [
            {"name": each.name, "size": len(each.content), "sha256": each.sha256} for each in document.attachments
        ],
    }


def _tell(voice: Voice, record: dict[str, Any]) -> None:
    if voice.as_json:
        voice.tell(record)
    else:
        voice.out.print_json(data=record, default=str)


def _number(about: dict[str, Any]) -> str:
    return f"{about['number']}/{about['symbol']}"


def _list(voice: Voice, heads: dict[str, str], rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    if voice.as_json:
        for row in rows:
            voice.tell(row)
    elif rows:
        voice.table(heads, rows)
    else:
        voice.say("nothing")
