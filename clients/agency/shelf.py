"""Where received packets lie, and what is known of each delivery: its id decides, whatever it is called.

A delivery is noted in ``inbox/.open/ID.json`` before anything is claimed; the note fixes the folder it will have, so
that it is stored once however often this is interrupted. The folder is there whole or not at all. When the hub knows
that it is, the note moves to ``inbox/.done/``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from clients.agency import durable
from clients.agency.drafting import as_json
from clients.agency.durable import Step
from clients.agency.sending import PACKET
from hub.domain.document import VIETNAM, Document
from hub.domain.filenames import repeats, safe_name

DELIVERY = "delivery.json"

Note: TypeAlias = dict[str, Any]  # the hub's item; path below the inbox; noted_at; lease


@dataclass(frozen=True, slots=True)
class Shelf:
    """``inbox/`` of an agency's folder."""

    root: Path

    def note(self, item: Mapping[str, Any], now: datetime) -> Note:
        """What is known of a delivery that is begun; made now if there is nothing."""
        known = self._read(self._open(item["id"]))
        if known is not None:
            return known
        here = now.astimezone(VIETNAM)
        reserved = {self.root / each["path"] for each in self.opened()}
        wanted = self.root / f"{here:%Y}" / f"{here:%m}" / _folder_name(item)
        path = durable.free(wanted, lambda each: each.exists() or each in reserved)
        note = {
            "item": dict(item),
            "path": path.relative_to(self.root).as_posix(),
            "noted_at": here.isoformat(timespec="seconds"),
            "lease": secrets.token_hex(12),
        }
        durable.make_folder(self._open(item["id"]).parent)
        durable.write(self._open(item["id"]), as_json(note))
        return note

    def opened(self) -> list[Note]:
        """The notes of what was begun and not ended, oldest first."""
        found = [self._read(path) for path in (self.root / ".open").glob("[!.]*.json")]
        return sorted((note for note in found if note), key=lambda note: note["noted_at"])

    def done(self, delivery: str) -> Note | None:
        """The note of a delivery that is stored and confirmed."""
        return self._read(self._done(delivery))

    def folder(self, note: Note) -> Path:
        return self.root / str(note["path"])

    def store(self, note: Note, packet: bytes, content: Any, facts: Mapping[str, Any], at: Step) -> None:
        """The folder with the packet, its files and ``delivery.json``, on the disk when this returns."""
        attached = content.attachments if isinstance(content, Document) else ()
        names = [PACKET, DELIVERY, *(_shown_name(each.name) for each in attached)]
        for i, name in repeats(names):
            names[i] = name
        files = {name: each.content for name, each in zip(names[2:], attached, strict=True)}
        listed = [
            {"name": name, "sent_as": each.name, "sha256": each.sha256, "size": len(each.content)}
            for name, each in zip(names[2:], attached, strict=True)
        ]
        record = as_json({**note["item"], "received_at": note["noted_at"], **facts, "files": listed})
        part = self.root / ".part" / note["item"]["id"]
        target = self.folder(note)
        durable.write_folder(target, {**files, PACKET: packet, DELIVERY: record}, part, at)
        for above in (target.parent.parent, self.root):  # made by a process, perhaps, that ended before it synced them
            durable.sync_folder(above)

    def keep_apart(self, note: Note, packet: bytes, reason: bytes) -> Path:
        """A packet that is not taken, with the reason; gives its folder."""
        target = self.root / ".unverified" / str(note["item"]["id"])
        if not target.exists():
            files = {PACKET: packet, "reason.txt": reason, DELIVERY: as_json(note["item"])}
            durable.write_folder(target, files, self.root / ".part" / note["item"]["id"])
        return target

    def close(self, note: Note) -> None:
        """The hub knows that it is stored."""
        path = self._done(note["item"]["id"])
        durable.make_folder(path.parent)
        durable.move(self._open(note["item"]["id"]), path)

    def drop(self, note: Note) -> None:
        """Nothing was begun after all."""
        self._open(note["item"]["id"]).unlink(missing_ok=True)

    def records(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """What was received, newest month first, and in a month the latest first: folder and ``delivery.json``."""
        for month in sorted(self.root.glob("[0-9]*/[0-9]*"), reverse=True):
            found = [(each.parent, json.loads(each.read_text("utf-8"))) for each in month.glob(f"*/{DELIVERY}")]
            yield from sorted(found, key=lambda pair: pair[1]["received_at"], reverse=True)

    def find(self, key: str) -> dict[str, Any] | None:
        """``delivery.json`` by the delivery's id, the document's, or its DocumentId (the latest such document)."""
        note = self.done(key) or self._read(self._open(key)) if key.isalnum() else None
        if note is not None:
            path = self.folder(note) / DELIVERY
            return json.loads(path.read_text("utf-8")) if path.exists() else None
        return next(
            (
                record
                for _, record in self.records()
                if record["type"] == "document" and key in (record["document"]["id"], record["document"]["document_id"])
            ),
            None,
        )

    def _open(self, delivery: str) -> Path:
        return self.root / ".open" / f"{safe_name(delivery)}.json"

    def _done(self, delivery: str) -> Path:
        return self.root / ".done" / safe_name(delivery[-2:]) / f"{safe_name(delivery)}.json"

    def _read(self, path: Path) -> Note | None:
        try:
            note: Note = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        return note


def _folder_name(item: Mapping[str, Any]) -> str:
    about = item["document"]
    name = f"{about['sender']} {about['number']}-{about['symbol']}"
    if item["type"] == "status":
        name = f"{about['number']}-{about['symbol']} {item['status']['code']} {item['status']['from']}"
    return _shown_name(name)


def _shown_name(name: str) -> str:
    """A safe name that no file browser hides."""
    safe = safe_name(name)
    return f"_{safe[1:]}" if safe.startswith(".") else safe
