"""Receiving: poll, claim, fetch, verify, store, report 01, confirm; from wherever it was interrupted.

What a crash leaves at each named step, and what follows, stands in docs/agency.md. Nothing is confirmed to the hub
before it is on the disk here (``shelf``); a delivery that is on the disk is not fetched again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from clients.agency.drafting import a_report, reference
from clients.agency.durable import Step, no_step
from clients.agency.home import Config
from clients.agency.rest import EndedError, Rest
from clients.agency.sending import of_the_system
from clients.agency.shelf import Note, Shelf
from clients.agency.voice import Voice, refusal_text
from clients.hub_client import HubClient, Refused, Unavailable
from clients.hub_client.proofs import examine
from hub.errors import Refusal

_WAIT = 60.0  # seconds a poll waits at most
_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds after the first, second … failure on end
_AT_ONCE = 0.5  # seconds after an empty poll: one too many of a system is answered at once (exchange rules 10)


@dataclass
class Listener:
    """The receiving side of a folder. ``client`` pauses by ``rest`` too."""

    client: HubClient
    config: Config
    shelf: Shelf
    voice: Voice
    clock: Callable[[], datetime]
    rest: Rest
    at: Step = no_step

    def run(self) -> None:
        """Listen until told to end. Raises ``Refused`` when the system itself is refused."""
        failures = 0
        with suppress(EndedError):
            while not self.rest.ending:
                try:
                    for note in self.shelf.opened():
                        self._go_on(note)
                    after: str | None = None
                    while not self.rest.ending:
                        page = self.rest.during(partial(self.client.inbox, after, 100, _WAIT))
                        failures = 0
                        self._take_in(page.items)
                        after = page.next
                        if not page.items:
                            self.rest.pause(_AT_ONCE)
                except Unavailable as failure:
                    self.voice.say("hub-away", why=failure.why)
                except OSError as fault:
                    self.voice.say("disk", why=f"{fault.strerror or fault} {fault.filename or ''}".rstrip())
                self.rest.pause(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1

    def once(self) -> int:
        """Take in what was begun and what waits now; gives how much that was. Raises ``HubFailure``, ``OSError``."""
        count = 0
        for note in self.shelf.opened():
            self._go_on(note)
            count += 1
        after: str | None = None
        while (page := self.client.inbox(after)).items:
            self._take_in(page.items)
            count += len(page.items)
            after = page.next
        return count

    def _take_in(self, items: tuple[dict[str, Any], ...]) -> None:
        for item in items:
            if self.rest.ending:
                return
            if self.shelf.done(item["id"]):
                self._confirm(item["id"])
                self.voice.say("confirmed-again", delivery=item["id"])
                continue
            note = self.shelf.note(item, self.clock())
            self.at("noted")
            self._go_on(note)

    def _go_on(self, note: Note) -> None:
        """From the note to the confirmation. A delivery that the hub no longer lets us have is passed over."""
        item = note["item"]
        try:
            stored = self.shelf.folder(note).exists() or self._store(note)
            if not stored:
                return
            if item["type"] == "document":
                self._report_arrival(note)
                self.at("reported")
            self._confirm(item["id"])
            self.at("confirmed")
        except Refused as refused:
            if of_the_system(refused):
                raise
            self.voice.say("passed-over", delivery=item["id"], why=str(refused).splitlines()[0])
            if not self.shelf.folder(note).exists():
                self.shelf.drop(note)
                return
        self.shelf.close(note)
        self.at("closed")

    def _store(self, note: Note) -> bool:
        """Fetch, verify and store; False for a packet that is not taken, which the hub then knows."""
        item = note["item"]
        try:
            self.client.take(item["id"], note["lease"])
        except Refused as refused:
            if refused.code != "delivery-final":  # failed or expired: its packet may be had all the same
                raise
        self.at("claimed")
        received = self.client.packet(item["id"])
        self.at("fetched")
        try:
            content, facts = self._verified(item, received.packet)
        except Refusal as refusal:
            apart = self.shelf.keep_apart(note, received.packet, refusal_text(refusal).encode())
            self.client.failed(item["id"], str(refusal)[:1000])
            self.shelf.drop(note)
            self.voice.say("unverified", **_about(item), why=f"{refusal.vi} / {refusal.en}", path=str(apart))
            return False
        self.shelf.store(note, received.packet, content, {"sha256": received.sha256, **facts}, self.at)
        self.at("stored")
        path = str(self.shelf.folder(note))
        if item["type"] == "status":
            told = _about(item) | {"sender": item["status"]["from"], "status": item["status"]["code"]}
            self.voice.say("status-received", **told, path=path)
        else:
            self.voice.say("received", **_about(item), path=path, standing=facts["signature"]["standing"])
        return True

    def _verified(self, item: dict[str, Any], packet: bytes) -> tuple[Any, dict[str, Any]]:
        """The content, read from the bytes that the signature covers, and who signed, by our own verification.

        Only where the hub itself says ``unsigned`` may the signature be missing, and then the record says so. SHA-1
        passes with its warning: the hub refuses it to all that are not allowed to use it. Raises ``Refusal``.
        """
        if item["signature"]["standing"] == "unsigned":
            examined = examine(packet, sha1=True)
            return examined.content, {"signature": {"standing": "unsigned", "signer": ""}, "warnings": []}
        verified = self.client.verify(packet, at=datetime.fromisoformat(item["available_at"]), sha1=True)
        verdict = verified.verdict
        signature = {"standing": verdict.standing.value, "signer": verdict.owner, "certificate": verdict.fingerprint}
        return verified.content, {"signature": signature, "warnings": [each.rule for each in verdict.warnings]}

    def _report_arrival(self, note: Note) -> None:
        """01, the same bytes' worth every time: its moment is the note's."""
        item = note["item"]
        name = self.config.name if item["to"] == self.config.code else ""
        about = reference(item["document"], item["document"]["sender"])
        said = a_report(item["to"], name, about, "01", "", datetime.fromisoformat(note["noted_at"]))
        try:
            self.client.report(said)
        except Refused as refused:
            if of_the_system(refused):
                raise
            self.voice.say("not-reported", **_about(item), why=str(refused).splitlines()[0])

    def _confirm(self, delivery: str) -> None:
        try:
            self.client.done(delivery)
        except Refused as refused:
            if refused.code != "delivery-not-fetched":
                raise
            self.client.packet(delivery)  # a hub restored from before the fetch; what it hands out lies here already
            self.client.done(delivery)


def _about(item: dict[str, Any]) -> dict[str, Any]:
    about = item["document"]
    return {
        "delivery": item["id"],
        "sender": about["sender"],
        "number": f"{about['number']}/{about['symbol']}",
        "subject": about["subject"],
    }
