"""The national gateway's dialect for one system (``clients.gateway_client`` has its contract: §n there)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from clients.gateway_client.headers import compact, hash_file, signed_headers, timestamp
from clients.replay.planned import Post
from clients.replay.wire.connection import Answer
from clients.replay.wire.dialects import Credentials, Entry, Listed, Listing, Taken, Told
from clients.replay.wire.faults import NetworkFaults
from clients.replay.wire.lines import Lines
from clients.replay.wire.reading import Object, gateway_accepted, gateway_data, needed, objects, text
from hub.domain.document import VIETNAM

_WITHDRAWN = re.compile(r"Đã rút khi nơi nhận chưa lấy: ([^;]+)$")  # in the ErrorDesc of what was taken
# What receiveStatusDesc says of a document's processing, after "; " and last.
_PROCESSED = {
    "đã đến": "01",
    "từ chối tiếp nhận": "02",
    "đã tiếp nhận": "03",
    "phân công xử lý": "04",
    "đang xử lý": "05",
    "hoàn thành": "06",
    "đã thu hồi": "cancelled",
    "đã thay thế": "replaced",
}
_ENDS = {"Hết hạn": "expired", "Đã rút": "withdrawn"}  # of what receiveStatus calls fail; else failed
_BEFORE = "told"  # the ``next`` of a list without cursors: what was told is not told again

_Standing = tuple[str, str]  # what became of a delivery, and its processing status


def _now() -> datetime:
    return datetime.now(VIETNAM)


class Gateway:
    """``path``: what stands before ``/`` and a method's name; ``patience``: seconds that one answer may take.

    Lists have no cursor here: :meth:`look` always shows what waits, :meth:`told` keeps the last list and tells what
    changed since. A list has 500 rows at most.
    """

    def __init__(
        self,
        lines: Lines,
        credentials: Credentials,
        *,
        path: str = "/axis",
        faults: NetworkFaults | None = None,
        patience: float = 60.0,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """``clock`` gives an aware time and is asked once (§2.1)."""
        self._lines, self._secret, self._faults, self._patience = lines, credentials.secret, faults, patience
        self._prefix = lines.path + path
        self._values = {"timestamp": timestamp(clock()), "systemid": credentials.system_id}
        self._known: dict[str, _Standing] = {}  # of the last lists of what was sent, by delivery

    async def send(self, packet: bytes, post: Post, mark: str) -> Taken:
        # What is wrong with a packet on purpose is to be found in the packet, and not by this.
        to = {} if post.defect else {"to": compact(list(post.recipients))}
        return await self._send(packet, {"from": post.sender, "servicetype": "eDoc", "messagetype": "edoc", **to}, mark)

    async def report(self, packet: bytes, sender: str, mark: str) -> Taken:
        return await self._send(packet, {"from": sender, "servicetype": "eDoc", "messagetype": "status"}, mark)

    async def look(self, after: str, mark: str) -> Listing:
        documents = await self._list("getReceivedEdocList", "edoc", mark)
        statuses = await self._list("getReceivedEdocList", "status", mark)
        items = [_listed(row, "document") for row in documents] + [_listed(row, "status") for row in statuses]
        return Listing(tuple(items), "")

    async def fetch(self, item: Listed, mark: str) -> bytes:
        return gateway_data(gateway_accepted(await self._call("getEdoc", {"docId": item.id}, b"{}", mark)))

    async def done(self, item: Listed, mark: str) -> None:
        await self._update(item, "done", mark)

    async def failed(self, item: Listed, mark: str) -> None:
        await self._update(item, "fail", mark)

    async def told(self, after: str, mark: str) -> Told:
        rows = [
            *await self._list("getSentEdocList", "edoc", mark),
            *await self._list("getSentEdocList", "status", mark),
        ]
        before = self._known if after == _BEFORE else {}
        self._known = {}
        entries: list[Entry] = []
        for row in rows:
            key = text(row, "receiverDocId") or f"{text(row, 'senderDocId')} {text(row, 'toCode')}"
            standing = self._known[key] = _standing(row)
            entries += _news(row, standing, before.get(key, ("", "")))
        return Told(tuple(entries), _BEFORE)

    async def _send(self, packet: bytes, arguments: dict[str, str], mark: str) -> Taken:
        arguments["hash-file"] = hash_file(packet)
        answer = await self._call("sendEdoc", arguments, packet + b"\r\n", mark)
        body = gateway_accepted(answer)
        withdrawn = _WITHDRAWN.search(text(body, "ErrorDesc"))
        codes = tuple(withdrawn[1].split(", ")) if withdrawn else ()
        return Taken(False, needed(body, "DocId"), (), codes, answer.seconds)

    async def _update(self, item: Listed, status: str, mark: str) -> None:
        gateway_accepted(await self._call("updateStatus", {"docId": item.id, "status": status}, b"{}", mark))

    async def _list(self, method: str, kind: str, mark: str) -> list[Object]:
        arguments = {"servicetype": "eDoc", "messagetype": kind}
        # Two questions under one mark would meet the same faults.
        return objects(gateway_accepted(await self._call(method, arguments, b"", f"{mark}.{kind}")), "data")

    async def _call(self, method: str, arguments: Mapping[str, str], body: bytes, mark: str) -> Answer:
        form = "application/octet-stream" if method == "sendEdoc" else "application/json"
        lines = signed_headers({**self._values, "Content-Type": form, **arguments}, self._secret)
        head = [f"POST {self._prefix}/{method} HTTP/1.1", *(f"{name}: {value}" for name, value in lines)]
        head += [f"Content-Length: {len(body)}", f"Host: {self._lines.host}", f"X-Request-Id: {mark}", "", ""]
        request = "\r\n".join(head).encode() + body
        return await self._lines.ask(request, mark=mark, faults=self._faults, patience=self._patience)


def _listed(row: Object, what: str) -> Listed:
    return Listed(needed(row, "docId"), what, text(row, "to"), text(row, "from"), "", "", "")


def _standing(row: Object) -> _Standing:
    said = text(row, "receiveStatusDesc")
    status = _PROCESSED.get(said.rpartition("; ")[2], "")
    match text(row, "receiveStatus"):
        case "done":
            # A status packet without a delivery was recorded, and that is all.
            recorded = text(row, "messageType") == "status" and not text(row, "receiverDocId")
            return "" if recorded else "delivered", status
        case "fail":
            return next((what for begin, what in _ENDS.items() if said.startswith(begin)), "failed"), status
        case "initial":
            return "waiting", status
        case _:
            return "", status


def _news(row: Object, now: _Standing, before: _Standing) -> list[Entry]:
    """What is told of a row that stood otherwise before; that it waits is news only where it had ended."""
    what, status = now
    changed = []
    if what and what != before[0] and (what != "waiting" or before[0] in {"failed", "expired"}):
        changed.append(what)
    if status and status != before[1]:
        changed.append("status")
    delivery, to, hub_id = text(row, "receiverDocId"), text(row, "toCode"), text(row, "senderDocId")
    return [Entry(each, delivery, "", to, status, hub_id) for each in changed]
