"""Sending so that a document is sent once: the packet is stored, then sent, then its answer is stored, then it moves.

Each packet has a folder in ``sending/`` until the hub has answered: ``packet.edxml`` with the very bytes that are sent
however often, then ``receipt.json``. It moves to ``sent/YYYY/MM/``, or is refused. Whoever works there holds
``sending/``, so that a command and a daemon do not take each other's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from clients.agency import checking, durable
from clients.agency.drafting import Order, as_json, draft
from clients.agency.durable import Step, no_step
from clients.agency.home import Config, Home
from clients.agency.texts import CannotError
from clients.hub_client import Accepted, HubClient, Refused
from hub.domain import edxml
from hub.domain.document import VIETNAM, Document, content_digest
from hub.domain.filenames import safe_name
from hub.errors import Refusal

PACKET, RECEIPT, ORIGINALS = "packet.edxml", "receipt.json", "originals.json"
HUB_ID = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The sending side of a folder. ``at`` is called at named places, see docs/agency.md."""

    home: Home
    config: Config
    at: Step = no_step

    @contextmanager
    def alone(self, *, wait: bool) -> Iterator[bool]:
        """Whether ``sending/`` is this process's until the end of the block."""
        durable.make_folder(self.home.sending)
        with durable.held(self.home.sending, wait=wait) as mine:
            yield mine

    def build(self, order: Order, contents: Sequence[tuple[str, bytes]], client: HubClient, now: datetime) -> bytes:
        """The signed packet of an order. Raises ``CannotError``, ``hub.errors.Refusal``, ``HubFailure``."""
        if HUB_ID.fullmatch(order.target):
            named = self.document_id(order.target, client)
            order = order.towards(named)
        try:
            return client.sign(draft(order, contents, self.config, self._names(), now))
        except ValueError as fault:
            raise CannotError("character", why=str(fault)) from None

    def _names(self) -> Any:
        try:
            return checking.read_directory(self.home)[0].name_of
        except CannotError:
            return lambda code: ""

    def document_id(self, key: str, client: HubClient) -> str:
        """The sender's id of a document sent from here, or known to the hub, by the hub's id."""
        folder = self.find(key)
        if folder is not None:
            return str(read_receipt(folder)["document_id"])
        return str(client.document(key)["document_id"])

    def put(self, packet: bytes) -> Path:
        """The folder of a packet in ``sending/``: that of an equal one which waits there, or a new one.

        One with originals is the outbox's: it is left alone, and the hub tells the two are one document.
        """
        document = read(packet)
        for folder in self.waiting():
            waiting = None if (folder / ORIGINALS).exists() else read((folder / PACKET).read_bytes())
            if document and waiting and _identity(waiting) == _identity(document):
                return folder
        name = safe_name(f"{document.number}-{document.symbol}") if document else "packet"
        target = durable.free(self.home.sending / name)
        durable.write_folder(target, {PACKET: packet}, self.home.sending / ".part", self.at)
        self.at("packet-stored")
        return target

    def waiting(self) -> list[Path]:
        """The folders in ``sending/`` that hold a packet, or the list of what it is made of; by name."""
        found = (each for each in self.home.sending.iterdir() if not each.name.startswith("."))
        return sorted(each for each in found if (each / PACKET).exists() or (each / ORIGINALS).exists())

    def pass_on(self, folder: Path, client: HubClient, now: datetime) -> dict[str, Any]:
        """Send what a folder holds, and move it to ``sent/``; gives its receipt, with the ``path``.

        Raises ``HubFailure`` and leaves the folder where it is.
        """
        if not (folder / RECEIPT).exists():
            packet = (folder / PACKET).read_bytes()
            accepted = client.send(packet)
            self.at("answered")
            durable.write(folder / RECEIPT, as_json(_receipt(accepted, read(packet), now)))
            self.at("receipt-stored")
        receipt = read_receipt(folder)
        kept = self._index(receipt["id"])
        target = self.home.root / kept.read_text("utf-8") if kept.exists() else None
        if target is not None and target.exists():  # it was sent before, and lies there
            if {each.name for each in folder.iterdir()} == {PACKET, RECEIPT}:
                durable.discard(folder)
                return receipt | {"path": self.shown(target)}
            target = None
        if target is None:
            here = now.astimezone(VIETNAM)
            target = durable.free(self.home.sent / f"{here:%Y}" / f"{here:%m}" / folder.name)
            if not kept.exists():
                durable.make_folder(kept.parent)
                durable.write(kept, self.shown(target).encode())
                self.at("sent-indexed")
        durable.make_folder(target.parent)
        durable.move(folder, target)
        self.at("sent-moved")
        return receipt | {"path": self.shown(target)}

    def shown(self, path: Path) -> str:
        return path.relative_to(self.home.root).as_posix()

    def find(self, key: str) -> Path | None:
        """The folder of a document that was sent from here, by the hub's id or its DocumentId."""
        if HUB_ID.fullmatch(key):
            kept = self._index(key)
            found = self.home.root / kept.read_text("utf-8") if kept.exists() else None
            return found if found is not None and found.exists() else None
        return next((each for each in sent_folders(self.home) if read_receipt(each)["document_id"] == key), None)

    def _index(self, hub_id: str) -> Path:
        return self.home.sent / ".by-id" / hub_id[-2:] / hub_id


def of_the_system(refused: Refused) -> bool:
    """Whether a refusal is not of what was sent: this system may do nothing, or somebody on the way answered."""
    on_the_way = refused.code.startswith("http-") and refused.status != 413  # a proxy's 413 is of the packet
    return on_the_way or refused.code in {"not-authenticated", "system-locked"}


def sent_folders(home: Home) -> Iterator[Path]:
    """Newest month first, and in a month the one sent last first."""
    for month in sorted(home.sent.glob("[0-9]*/[0-9]*"), reverse=True):
        folders = [each.parent for each in month.glob(f"*/{RECEIPT}")]
        yield from sorted(folders, key=lambda folder: read_receipt(folder)["sent_at"], reverse=True)


def read_receipt(folder: Path) -> dict[str, Any]:
    receipt: dict[str, Any] = json.loads((folder / RECEIPT).read_text("utf-8"))
    return receipt


def read(packet: bytes) -> Document | None:
    """The document of a packet, or None for bytes that are none: the hub will say why."""
    try:
        tree = edxml.parse(packet)
        return None if edxml.is_status(tree) else edxml.read_document(tree)
    except Refusal:
        return None


def _identity(document: Document) -> tuple[object, ...]:
    """What makes two packets one sending: content, and recipients."""
    return content_digest(document), sorted(each.organ_id for each in document.recipients)


def _receipt(accepted: Accepted, document: Document | None, now: datetime) -> dict[str, Any]:
    assert document is not None, "the hub accepted it"
    return {
        "id": accepted.id,
        "document_id": accepted.document_id,
        "number": f"{document.number}/{document.symbol}",
        "kind": document.kind.word,
        "subject": document.subject,
        "to": [delivery["to"] for delivery in accepted.deliveries],
        "deliveries": list(accepted.deliveries),
        "sha256": accepted.sha256,
        "signature": accepted.signature,
        "accepted_at": accepted.accepted_at,
        "sent_at": now.astimezone(VIETNAM).isoformat(timespec="seconds"),
        "new": accepted.new,
        "warnings": [asdict(each) for each in accepted.warnings],
    }
