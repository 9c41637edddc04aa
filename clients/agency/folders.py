"""The outbox as a folder: files are dropped there, a small TOML last, and what becomes of them shows where they lie.

1. The files an order names move into a folder of their own in ``sending/``, the TOML too: what is dropped under the
   same names later is another order.
2. The packet is built from there, signed and stored; from now on only these bytes are sent.
3. It is sent; the folder moves to ``sent/YYYY/MM/``, or with ``reason.txt`` to ``refused/``.

Each step begins where a crash left the one before it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path

from clients.agency import durable
from clients.agency.drafting import as_json, files_beside, read_order
from clients.agency.rest import EndedError, Rest
from clients.agency.sending import ORIGINALS, PACKET, RECEIPT, Outgoing, of_the_system
from clients.agency.texts import CannotError
from clients.agency.voice import Voice, refusal_body, refusal_text
from clients.hub_client import HubClient, Refused, Unavailable
from hub.errors import Refusal

SETTLED = 2.0  # seconds for which an order must not have changed: a copy under way is not read
_LOOK, _AWAY = 2.0, 5.0  # seconds between looks; after one that failed
_OWN = {PACKET, RECEIPT, ORIGINALS, "refusal.json", "reason.txt"}


@dataclass(frozen=True, slots=True)
class Outbox:
    """``outbox/`` of a folder and what goes on from it."""

    outgoing: Outgoing
    voice: Voice
    clock: Callable[[], datetime]

    def pass_all(self, client: HubClient) -> int:
        """One look: go on with what was begun, then begin what is new. Gives how many were sent or refused.

        Raises ``HubFailure`` other than a refusal of a packet, ``OSError``; then what was begun waits.
        """
        durable.make_folder(self.outgoing.home.outbox)
        with self.outgoing.alone(wait=False) as mine:
            if not mine:
                return 0
            self._clear()
            away: Unavailable | None = None
            count = 0
            # One after the other: what was begun may still own files that lie in the outbox.
            for folder in chain(self.outgoing.waiting(), (self._begin(*each) for each in self._orders())):
                try:
                    self._go_on(folder, client)
                    count += 1
                except Unavailable as failure:
                    if not isinstance(failure.__cause__, Refused):
                        raise  # no hub, for the others neither
                    away = failure
            if away:
                raise away
            return count

    def watch(self, client: HubClient, rest: Rest) -> None:
        """Look again and again until told to end. Raises ``Refused`` when the system itself is refused."""
        with suppress(EndedError):
            while not rest.ending:
                pause = _LOOK
                try:
                    self.pass_all(client)
                except Unavailable as failure:
                    self.voice.say("hub-away", why=failure.why)
                    pause = _AWAY
                except OSError as fault:
                    self.voice.say("disk", why=f"{fault.strerror or fault} {fault.filename or ''}".rstrip())
                    pause = _AWAY
                rest.pause(pause)

    def _clear(self) -> None:
        """What ended before it was noted what belongs to it: nothing lies there yet."""
        for folder in self.outgoing.home.sending.iterdir():
            if folder.is_dir() and all(each.name == f".part-{ORIGINALS}" for each in folder.iterdir()):
                durable.discard(folder)

    def _orders(self) -> Iterator[tuple[Path, list[str]]]:
        """The orders that are whole, each with the names of its files."""
        for order in sorted(self.outgoing.home.outbox.glob("*.toml")):
            if order.name.startswith(".") or not self._settled(order):
                continue
            try:
                names = list(read_order(order).files)
            except CannotError:
                names = [each.name for each in files_beside(order)]
            if all(self._settled(order.parent / name) for name in names):
                yield order, names

    def _settled(self, path: Path) -> bool:
        return not path.exists() or abs(self.clock().timestamp() - path.stat().st_mtime) >= SETTLED

    def _begin(self, order: Path, names: list[str]) -> Path:
        """A folder in ``sending/`` that says what belongs to the order."""
        folder = durable.free(self.outgoing.home.sending / order.stem)
        folder.mkdir()
        durable.sync_folder(folder.parent)
        self.outgoing.at("order-begun")
        durable.write(folder / ORIGINALS, as_json({"order": order.name, "files": names}))
        self.outgoing.at("order-noted")
        return folder

    def _go_on(self, folder: Path, client: HubClient) -> None:
        try:
            if not (folder / PACKET).exists():
                self._take_files(folder)
                self.outgoing.at("files-taken")
                durable.write(folder / PACKET, self._packet(folder, client))
                self.outgoing.at("packet-stored")
            receipt = self.outgoing.pass_on(folder, client, self.clock())
        except (Refusal, Refused, CannotError) as refusal:
            if isinstance(refusal, Refused) and of_the_system(refusal):
                raise
            self._refuse(folder, refusal)
            return
        key = "sent" if receipt["new"] else "sent-before"
        self.voice.say(key, **receipt | {"to": ", ".join(receipt["to"])})

    def _take_files(self, folder: Path) -> None:
        """Move the order and its files here, as far as that was not done yet."""
        named = json.loads((folder / ORIGINALS).read_text("utf-8"))
        outbox = self.outgoing.home.outbox
        for name in [*named["files"], named["order"]]:
            source, target = outbox / name, folder / _kept(name)
            if source.exists() and not target.exists():
                durable.move(source, target)
                self.outgoing.at("file-taken")

    def _packet(self, folder: Path, client: HubClient) -> bytes:
        named = json.loads((folder / ORIGINALS).read_text("utf-8"))
        order = replace(read_order(folder / _kept(named["order"])), files=tuple(named["files"])).checked()
        contents = []
        for name in order.files:
            try:
                contents.append((name, (folder / _kept(name)).read_bytes()))
            except FileNotFoundError:
                raise CannotError("order-file", name=name, order=named["order"]) from None
            except OSError as fault:
                raise CannotError("file-bad", path=name, why=fault.strerror) from None
        return contents[0][1] if order.is_packet else self.outgoing.build(order, contents, client, self.clock())

    def _refuse(self, folder: Path, refusal: Refusal | Refused | CannotError) -> None:
        body = refusal.facts if isinstance(refusal, CannotError) else refusal_body(refusal)
        durable.write(folder / "refusal.json", as_json({"at": self.clock(), **body}))
        durable.write(folder / "reason.txt", refusal_text(refusal).encode())
        self.outgoing.at("refusal-stored")
        target = durable.free(self.outgoing.home.refused / folder.name)
        durable.make_folder(target.parent)
        durable.move(folder, target)
        self.voice.say("refused-to", path=self.outgoing.shown(target / "reason.txt"))


def _kept(name: str) -> str:
    """A dropped file's name where our own files lie too."""
    return f"_{name}" if name in _OWN else name
