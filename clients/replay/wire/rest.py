"""The REST dialect for one system (exchange rules 8)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from clients.replay.planned import Post
from clients.replay.wire.connection import Answer, NoAnswer
from clients.replay.wire.dialects import Credentials, Entry, Listed, Listing, Taken, Told
from clients.replay.wire.faults import NetworkFaults
from clients.replay.wire.lines import Lines
from clients.replay.wire.reading import Object, inner, needed, object_of, objects, rest_accepted, text

_MOST = 500  # items of a list: the most that may be asked for


class Rest:
    """``patience``: seconds that one answer may take."""

    def __init__(
        self, lines: Lines, credentials: Credentials, *, faults: NetworkFaults | None = None, patience: float = 60.0
    ) -> None:
        self._lines, self._faults, self._patience = lines, faults, patience
        self._always = f"Host: {lines.host}\r\nAuthorization: Bearer {credentials.token}\r\n"

    async def send(self, packet: bytes, post: Post, mark: str) -> Taken:
        answer = await self._post("documents", mark, packet, "application/xml")
        body = object_of(answer)
        reached = objects(body, "deliveries")
        deliveries = tuple((text(each, "id"), text(each, "to")) for each in reached)
        return Taken(answer.status == 200, needed(body, "id"), deliveries, _withdrawn(reached), answer.seconds)

    async def report(self, packet: bytes, sender: str, mark: str) -> Taken:
        answer = await self._post("statuses", mark, packet, "application/xml")
        body = object_of(answer)
        own = text(body, "delivery")
        withdrawn = _withdrawn(objects(body, "deliveries"))
        return Taken(answer.status == 200, needed(body, "id"), ((own, ""),) if own else (), withdrawn, answer.seconds)

    async def look(self, after: str, mark: str) -> Listing:
        body = object_of(await self._get("inbox", mark, after))
        return Listing(tuple(map(_listed, objects(body, "items"))), text(body, "next"))

    async def fetch(self, item: Listed, mark: str) -> bytes:
        answer = await self._get(f"deliveries/{quote(item.id, safe='')}/packet", mark)
        if not answer.body:
            raise NoAnswer("garbage: an empty packet")
        return answer.body

    async def done(self, item: Listed, mark: str) -> None:
        await self._post(f"deliveries/{quote(item.id, safe='')}/done", mark, b"{}", "application/json")

    async def failed(self, item: Listed, mark: str) -> None:
        await self._post(f"deliveries/{quote(item.id, safe='')}/failed", mark, b"{}", "application/json")

    async def told(self, after: str, mark: str) -> Told:
        body = object_of(await self._get("outbox", mark, after))
        return Told(tuple(map(_entry, objects(body, "items"))), text(body, "next"))

    async def _get(self, path: str, mark: str, after: str | None = None) -> Answer:
        query = "" if after is None else f"?limit={_MOST}" + (f"&after={quote(after, safe='')}" if after else "")
        return await self._ask(f"GET {self._lines.path}/v1/{path}{query} HTTP/1.1\r\n", mark)

    async def _post(self, path: str, mark: str, body: bytes, form: str) -> Answer:
        first = f"POST {self._lines.path}/v1/{path} HTTP/1.1\r\n"
        return await self._ask(f"{first}Content-Type: {form}\r\nContent-Length: {len(body)}\r\n", mark, body)

    async def _ask(self, begin: str, mark: str, body: bytes = b"") -> Answer:
        request = f"{begin}{self._always}X-Request-Id: {mark}\r\n\r\n".encode() + body
        return rest_accepted(await self._lines.ask(request, mark=mark, faults=self._faults, patience=self._patience))


def _withdrawn(reached: Iterable[Object]) -> tuple[str, ...]:
    return tuple(text(each, "to") for each in reached if text(each, "state") == "withdrawn")


def _listed(item: Object) -> Listed:
    document, status = inner(item, "document"), inner(item, "status")
    return Listed(
        needed(item, "id"),
        text(item, "type") or ("status" if status else "document"),
        text(item, "to"),
        text(status, "from") if status else text(document, "sender"),
        text(document, "document_id"),
        text(item, "sha256"),
        text(status, "code"),
    )


def _entry(item: Object) -> Entry:
    document, status = inner(item, "document"), text(item, "status")
    return Entry(
        needed(item, "what"),
        text(item, "delivery"),
        text(document, "document_id"),
        text(item, "to"),
        "" if status == "none" else status,
        text(document, "id"),
    )
