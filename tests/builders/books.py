"""Books of runs that never were: what an agency's side would have written down, line by line."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from clients.replay.ledger.book import Book
from clients.replay.ledger.findings import Verdict
from clients.replay.ledger.judge import judge
from clients.replay.planned import Party, Post, Reply
from hub.domain.document import Kind

OFFICE, HAIPHONG, ANGIANG, PLATFORM = "G22", "H24", "H01", "H41"
NORTH, SOUTH = "H41.01", "H41.02"  # below the platform, without systems of their own
SILENT, READER = "H57", "G14"
CAST = (
    Party(OFFICE, "Văn phòng Chính phủ", OFFICE),
    Party(HAIPHONG, "UBND thành phố Hải Phòng", HAIPHONG),
    Party(ANGIANG, "UBND tỉnh An Giang", ANGIANG, dialect="gateway"),
    Party(PLATFORM, "UBND tỉnh Lai Châu", PLATFORM),
    Party(NORTH, "Sở Nội vụ tỉnh Lai Châu", PLATFORM),
    Party(SOUTH, "Sở Tài chính tỉnh Lai Châu", PLATFORM),
    Party(SILENT, "UBND tỉnh Vĩnh Long", SILENT, silent=True),
    Party(READER, "Bộ Nội vụ", READER, reads="outbox"),
)
SYSTEM = {party.code: party.system for party in CAST}
ENDED = {"ended": 2.0, "stopped": False, "answer_within": 10.0, "deliver_within": 600.0}


def a_post(n: int, *recipients: str, **values: Any) -> Post:
    """A letter of the Government Office; its id and number follow from ``n``."""
    given = {
        "at": float(n), "sender": OFFICE, "document_id": f"G22,2019/03/12,{n}/VPCP-TH", "number": str(n),
        "symbol": "VPCP-TH", "day": date(2019, 3, 12),
    }  # fmt: skip
    return Post(n, recipients=recipients or (HAIPHONG,), **{**given, **values})


def digest(*parts: object) -> str:
    """The SHA-256 of a packet that these describe."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def sha_of(about: Post | Reply) -> str:
    if isinstance(about, Post):
        return digest("post", about.repeats or about.n)
    return digest("reply", about.n, about.recipient, about.k)


@dataclass
class Pages:
    """The lines of a book in their order; ``at`` is the moment of the next one."""

    lines: list[Callable[[Book], object]] = field(default_factory=list)
    at: float = 0.0
    facts: dict[str, object] = field(default_factory=lambda: dict(ENDED))
    _attempts: dict[str, int] = field(default_factory=dict)
    _passed: list[float] = field(default_factory=list)

    def write(self, name: str, *args: Any, **values: Any) -> None:
        """A call of the book; a value that can be called is asked for when its line is written."""
        self.lines.append(
            lambda book: getattr(book, name)(*args, **{key: v() if callable(v) else v for key, v in values.items()})
        )

    def pause(self, seconds: float) -> None:
        """So many real seconds pass."""
        self.lines.append(lambda book: self._passed.append(seconds))

    def look(self) -> Callable[[int], Callable[[], int]]:
        """A listing is asked for; gives ``listed`` of its items by their place."""
        found: list[int] = []
        self.lines.append(lambda book: found.append(book.look()))
        return lambda place: lambda: found[0] + place

    def begin(self, about: Post | Reply) -> str:
        """An attempt to send, planned before the first; its mark."""
        if isinstance(about, Post):
            base, what, more = f"d{about.n}", "document", {}
        else:
            base, what = f"s{about.n}.{about.recipient}.{about.k}", "status"
            more = {"recipient": about.recipient, "k": about.k}
        if base not in self._attempts and isinstance(about, Post):
            self.write("planned", about, sha_of(about), about.size)
        elif base not in self._attempts:
            self.write("stated", about, sha_of(about))
        mark = self._mark(base)
        self.write("sending", mark, n=about.n, what=what, at=self.at, **more)
        return mark

    def answer(self, mark: str, outcome: str, *, seconds: float = 0.1, **answer: Any) -> None:
        self.write("answered", mark, outcome=outcome, seconds=seconds, at=self.at, **answer)

    def send(self, about: Post | Reply, outcome: str = "accepted", **answer: Any) -> str:
        """An attempt and its answer."""
        mark = self.begin(about)
        self.answer(mark, outcome, **answer)
        return mark

    def _mark(self, base: str) -> str:
        self._attempts[base] = self._attempts.get(base, 0) + 1
        return f"{base}.{self._attempts[base]}"

    def keep(self, post: Post, agency: str, delivery: str = "", *, done: bool = True, **values: Any) -> None:
        """A recipient keeps a document, and confirms it."""
        delivery = delivery or f"{post.n}-{agency}"
        kept = {
            "system": SYSTEM[agency], "delivery": delivery, "what": "document", "to": agency, "sender": post.sender,
            "document_id": post.document_id, "sha256": sha_of(post), "listed_sha256": sha_of(post), "at": self.at,
        }  # fmt: skip
        kept.update(values)
        self.write("kept", **kept)
        if done:
            self.write("confirmed", system=kept["system"], delivery=delivery, at=self.at)

    def keep_status(self, post: Post, reply: Reply, delivery: str = "", *, done: bool = True, **values: Any) -> None:
        author, party = (post.sender, reply.recipient) if reply.by_sender else (reply.recipient, post.sender)
        delivery = delivery or f"{reply.n}-{reply.recipient}-{reply.k}"
        kept = {
            "system": SYSTEM[party], "delivery": delivery, "what": "status", "to": party, "sender": author,
            "document_id": post.document_id, "sha256": sha_of(reply), "code": reply.code, "at": self.at,
        }  # fmt: skip
        kept.update(values)
        self.write("kept", **kept)
        if done:
            self.write("confirmed", system=kept["system"], delivery=delivery, at=self.at)

    def tell(self, post: Post, agency: str, what: str, **values: Any) -> None:
        """The sender is told what became of a delivery."""
        told = {
            "system": SYSTEM[post.sender], "what": what, "delivery": f"{post.n}-{agency}", "to": agency,
            "document_id": post.document_id, "status": "", "at": self.at,
        }  # fmt: skip
        self.write("told", **{**told, **values})

    def fetch_in_vain(self) -> None:
        """Somebody asks for a packet, and the answer is lost."""
        self.write("timed", "fetch", 0.0, 0.1, False)

    def judged(self, path: Path) -> Verdict:
        """The verdict on these pages."""
        asyncio.run(_written(path, self.lines, self.facts, lambda: sum(self._passed)))
        return judge(path)


async def _written(
    path: Path, lines: Iterable[Callable[[Book], object]], facts: dict[str, object], clock: Callable[[], float]
) -> None:
    async with Book(path, clock=clock) as book:
        book.cast(CAST)
        book.facts(**facts)
        for line in lines:
            line(book)


def promised(post: Post) -> dict[str, Any]:
    """What a hub's answer names of an accepted document."""
    return {
        "hub_id": f"doc-{post.repeats or post.n}",
        "deliveries": [(f"{post.repeats or post.n}-{to}", to) for to in post.recipients],
    }


def blamed(verdict: Verdict) -> dict[str, int]:
    """The findings that there are, by kind."""
    return {finding.kind.code: finding.count for finding in verdict.findings if finding.count}


POST = a_post(1, HAIPHONG)
WIDE = a_post(1, HAIPHONG, NORTH, SOUTH)


def a_reply(k: int, code: str, n: int = 1, recipient: str = HAIPHONG, **values: Any) -> Reply:
    return Reply(n, recipient, k, 0.0, code, **values)


def asking(n: int, kind: Kind = Kind.REPLACEMENT, *recipients: str, **values: Any) -> Post:
    """A document that asks something about the first letter."""
    return a_post(n, *recipients, kind=kind, target=1, **values)


def sent(pages: Pages, *posts: Post) -> None:
    """Accepted at once; the first letter without others."""
    for post in posts or (POST,):
        pages.send(post, **promised(post))


def cut(pages: Pages, mark: str) -> None:
    """The answer to this attempt was lost on purpose."""
    pages.write("injected", "cut-answer", mark, where="network", at=pages.at)


def arrived(pages: Pages) -> None:
    sent(pages)
    pages.keep(POST, HAIPHONG)
