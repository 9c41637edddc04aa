"""A traffic file as a plan: who took part, what they sent in which order, and what the recipients did with it.

Two readings of the file. The first takes in what was sent, the second what became of it; of packets only places in the
file are remembered; a document with three deliveries takes about 3 KB.

Left out, and counted: what got no final answer (its repeat did, or nobody knows what the hub would have said), what was
refused for something beside the packet, because of a document from before the recording, or for a recipient that has a
system in the play; what came from a system that never said for whom it speaks or went to a code that no agency has,
statuses about documents from before the recording, those refused since another agency's system reported them (in the
play the right one does) or for when they came, before their document was fetched or as the other party had done or not
(of which the play keeps no order), and what is torn at the end.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from clients.replay.planned import Post, Reply
from clients.replay.traffic.file import Exchange, TrafficFile
from clients.replay.traffic.outcome import outcome, said
from clients.replay.traffic.packets import digest, examined, handed_out, is_signed, known, number_of, read, sent_packet
from clients.replay.traffic.systems import Cast, Seen, cast_of, is_code
from hub.domain.agency import ancestors, canonical
from hub.domain.document import Document, Kind, StatusReport, read_date
from hub.domain.duplicates import targets
from hub.domain.numbering import canonical_document_id

Step = Callable[[int, int], None]  # done, of how many

_WITHDRAWAL, _ANSWERS = "13", {"15", "16"}
_NOT_ITS_OWN = "not-your-agency"  # the sender named is somebody else
# Refused for who asked, or for how the request was put: a packet alone does not bring that about again.
_BESIDE_THE_PACKET = {
    "not-authenticated", "system-locked", "address-not-allowed", "not-found", "method-not-allowed", "request-malformed",
    "head-too-large", "length-required", "content-encoding", "body-incomplete", "gateway-signature", "gateway-body",
    "gateway-method", "gateway-argument", "from-differs", "to-differs",
    *(f"http-{status}" for status in (400, 401, 403, 404, 405, 407, 411, 426, 431)),
}  # fmt: skip
_NOT_CONNECTED = {"recipient-unknown", "recipient-closed", "recipient-not-connected"}
_LOCKED = "recipient-locked"
_FOR_WHEN = {"status-not-allowed", "status-document-unknown", "delivery-final"}  # with another past they are taken
_NO_DAY = date(2000, 1, 1)


@dataclass(slots=True)
class Handled:
    """What a recipient did with its delivery, in seconds since the recording began; None: it did not. ``failed``: its
    last word was that it cannot take it."""

    fetched: float | None = None
    done: float | None = None
    failed: bool = False


@dataclass(slots=True)
class Sent:
    """A document with where its packet lies, and what each recipient did, by canonical code."""

    post: Post
    system: str
    packet: Exchange
    sha256: bytes
    recipients: dict[str, Handled] = field(default_factory=dict)
    replies: dict[str, list[tuple[Reply, Exchange]]] = field(default_factory=dict)


class TrafficPlan:
    """``cast``; :meth:`posts` as they were sent; ``left_out``: how many of what were not taken in; ``duration`` of the
    recording in seconds."""

    def __init__(self, file: TrafficFile, step: Step = lambda done, of: None) -> None:
        """``step`` is told how much is done, of how much. Raises ``TrafficProblem``."""
        self.begun, self.duration, self.left_out = file.begun, 0.0, Counter[str]()
        self._file = file
        self._seen: dict[str, Seen] = {}
        self._names: dict[str, str] = {}
        self._sent: list[Sent] = []
        self._by_id: dict[tuple[str, str], list[Sent]] = {}
        self._senders: dict[str, dict[str, None]] = {}  # by the id of their documents, in the order of these
        self._by_digest: dict[bytes, Sent] = {}
        self._numbers: set[tuple[str, str, str, int | None]] = set()  # that documents of the recording took
        self._deliveries: dict[str, tuple[Sent, str]] = {}
        exchanges = self._take_in_sent(step)
        self._take_in_received(lambda done: step(len(self._sent) + done, len(self._sent) + exchanges))
        self.cast: Cast = cast_of(self._seen, self._names, self._addressed())
        self._connected = frozenset(party.system for party in self.cast.parties)
        self.left_out += Counter(filter(None, map(self._why_left_out, self._sent)))
        self.left_out += Counter({"exchange at the end, which is torn": int(file.torn)})

    def posts(self) -> Iterator[Post]:
        """In the order of their times; the sender is the agency of the cast whose system sent it."""
        parties = {party.code: party for party in self.cast.parties}
        for sent in self._sent:
            if self._why_left_out(sent):
                continue
            home = self.cast.homes[sent.system]
            party = parties.get(canonical(sent.post.sender))
            yield replace(sent.post, sender=party.code if party is not None and party.system == home else home)

    def sent(self, n: int) -> Sent:
        return self._sent[n - 1]

    def replies(self, n: int, recipient: str) -> tuple[Reply, ...]:
        return tuple(reply for reply, _ in self._sent[n - 1].replies.get(canonical(recipient), ()))

    def failed(self, n: int, recipient: str) -> bool:
        """Whether the recipient's last word on its delivery was that it cannot take it."""
        handled = self._sent[n - 1].recipients.get(canonical(recipient))
        return handled is not None and handled.failed

    def secret(self) -> bytes:
        """What nobody can know without the recording: all documents of it went in."""
        return hashlib.sha256(b"".join(sent.sha256 for sent in self._sent)).digest()

    def packet(self, n: int) -> bytes:
        """As it was sent."""
        return sent_packet(self._file, self._sent[n - 1].packet)

    def status(self, n: int, recipient: str, k: int) -> bytes:
        """As it was reported."""
        return sent_packet(self._file, self._sent[n - 1].replies[canonical(recipient)][k][1])

    def _addressed(self) -> Iterator[str]:
        return (code for sent in self._sent if not sent.post.expect for code in sent.post.recipients)

    def _why_left_out(self, sent: Sent) -> str:
        """What can be told only when the cast is known; "" for what is played."""
        if sent.system not in self.cast.homes:
            return "documents of systems that spoke for no agency"
        rule = sent.post.expect.rpartition("/")[2]
        if rule == _LOCKED or (rule in _NOT_CONNECTED and all(map(self._is_connected, sent.post.recipients))):
            return "documents refused for recipients that can be reached in the play"
        return ""

    def _is_connected(self, code: str) -> bool:
        return not self._connected.isdisjoint((code, *ancestors(code)))

    # What was sent

    def _take_in_sent(self, step: Step) -> int:
        """The number of exchanges in the file."""
        found, exchanges = [], 0
        for exchange in self._file:
            exchanges += 1
            self.duration = max(self.duration, exchange.at + exchange.took)
            if exchange.system:
                self._seen.setdefault(exchange.system, Seen()).note(exchange)
            if exchange.operation == "send":
                found.append(exchange)
        for done, exchange in enumerate(sorted(found, key=lambda each: each.at), start=1):
            self._take_in_document(exchange)
            step(done, len(found) + exchanges)
        return exchanges

    def _take_in_document(self, exchange: Exchange) -> None:
        got = outcome(exchange, self._file.answer(exchange))
        if not got.final:
            self.left_out["documents without a final answer"] += 1
            return
        if not exchange.system or got.code in _BESIDE_THE_PACKET:
            self.left_out["documents refused for something beside the packet"] += 1
            return
        packet = sent_packet(self._file, exchange)
        content, signed = examined(packet, is_signed)
        document = content if isinstance(content, Document) else None
        if document is not None and not got.code and not all(map(is_code, _codes_of(document))):
            self.left_out["documents of or for codes that no agency can have"] += 1
            return
        if document is not None and self._is_about_earlier(document, got.code):
            self.left_out["documents refused because of one from before the recording"] += 1
            return
        system = self._seen[exchange.system]
        sent = self._entered(exchange, packet, document, got.code, signed)
        if document is not None and not got.code:
            system.spoke(document.sender.organ_id)
            system.legacy |= not sent.post.signed
            for organization in (document.sender, *document.recipients):
                if organization.name:
                    self._names.setdefault(canonical(organization.organ_id), organization.name)
        elif document is not None and got.code != _NOT_ITS_OWN and not system.codes:
            system.spoke(document.sender.organ_id)
        for delivery, to in got.deliveries:
            self._deliveries.setdefault(delivery, (sent, canonical(to)))

    def _entered(self, exchange: Exchange, packet: bytes, document: Document | None, code: str, signed: bool) -> Sent:
        first = self._by_digest.get(digest(packet)) if not code else None
        post = Post(
            n=len(self._sent) + 1,
            at=exchange.at,
            sender=document.sender.organ_id if document else exchange.said.get("from", ""),
            recipients=tuple(dict.fromkeys(canonical(to.organ_id) for to in document.recipients)) if document else (),
            document_id=document.document_id if document else "",
            number=document.number if document else "",
            symbol=document.symbol if document else "",
            day=(read_date(document.promulgation_date) if document else None) or _NO_DAY,
            kind=document.kind if document else Kind.NEW,
            target=self._target(document),
            repeats=first.post.n if first is not None and first.system == exchange.system else 0,
            signed=signed,
            size=len(packet),
            defect="recorded" if code else "",
            expect=code,
        )
        sent = Sent(post, exchange.system, exchange, digest(packet))
        self._sent.append(sent)
        if not code and not post.repeats:
            self._by_digest[sent.sha256] = sent
            if document is not None:
                sender, named = known(document.sender.organ_id, document.document_id)
                self._by_id.setdefault((sender, named), []).append(sent)
                self._senders.setdefault(named, {})[sender] = None
                self._numbers.add(number_of(document))
            sent.recipients = {to: Handled() for to in post.recipients}
        return self._sent[post.repeats - 1] if post.repeats else sent

    def _is_about_earlier(self, document: Document, code: str) -> bool:
        if code == "number-taken":
            return number_of(document) not in self._numbers
        if code == "document-conflict":
            return known(document.sender.organ_id, document.document_id) not in self._by_id
        if code == "not-your-document":
            named = (canonical_document_id(target.document_id) for group in targets(document) for target in group)
            senders = {sender for each in named for sender in self._senders.get(each, ())}
            return senders <= {canonical(document.sender.organ_id)}
        return code == "already-revoked" and not self._target(document)

    def _target(self, document: Document | None) -> int:
        for group in targets(document) if document else ():
            for target in group:
                assert document is not None, "only a document has targets"
                found = self._by_id.get(known(document.sender.organ_id, target.document_id))
                if found:
                    return found[-1].post.n
        return 0

    # What became of it

    def _take_in_received(self, step: Callable[[int], None]) -> None:
        reports = []
        addressed: dict[str, str] = {}  # whom a delivery is for, as a list said
        for done, exchange in enumerate(self._file, start=1):
            step(done)
            if exchange.operation == "report":
                reports.append(exchange)  # those refused are played too
            elif exchange.lost or not 200 <= exchange.status < 300:
                continue
            elif exchange.operation == "list":
                addressed |= self._listed(exchange)
            elif exchange.operation == "fetch":
                self._take_in_fetch(exchange, addressed)
            elif exchange.operation in {"done", "failed"}:
                self._take_in_end(exchange)
        for exchange in sorted(reports, key=lambda each: each.at):
            self._take_in_report(exchange)

    def _listed(self, exchange: Exchange) -> dict[str, str]:
        listed = said(exchange, self._file.answer(exchange))
        rows = listed.get("items") if exchange.dialect == "rest" else listed.get("data")
        found = {}
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and isinstance(to := row.get("to"), str) and to:
                found[str(row.get("id") or row.get("docId") or "")] = canonical(to)
                if exchange.system:
                    self._seen[exchange.system].spoke(to)
        return found

    def _take_in_fetch(self, exchange: Exchange, addressed: Mapping[str, str]) -> None:
        delivery = exchange.said.get("id", "")
        if delivery not in self._deliveries:
            packet = handed_out(exchange, self._file.answer(exchange))
            sent = self._by_digest.get(digest(packet)) or self._rebuilt(packet, exchange)
            if sent is None:
                return
            own = self._seen[exchange.system].codes if exchange.system else {}
            to = addressed.get(delivery) or next((code for code in sent.recipients if code in own), "")
            self._deliveries[delivery] = (sent, to)
        sent, to = self._deliveries[delivery]
        handled = sent.recipients.get(to)
        if handled is not None and handled.fetched is None:
            handled.fetched = exchange.at + exchange.took

    def _rebuilt(self, packet: bytes, exchange: Exchange) -> Sent | None:
        """The document of a packet that a hub changed on the way; None for a status, which its fetcher so reads."""
        content = read(packet)
        if isinstance(content, StatusReport) and exchange.system:
            self._seen[exchange.system].statuses = True
        if not isinstance(content, Document):
            return None
        found = self._by_id.get(known(content.sender.organ_id, content.document_id), [])
        return next((sent for sent in reversed(found) if sent.post.at <= exchange.at + exchange.took), None)

    def _take_in_end(self, exchange: Exchange) -> None:
        sent, to = self._deliveries.get(exchange.said.get("id", ""), (None, ""))
        handled = sent.recipients.get(to) if sent is not None else None
        got = outcome(exchange, self._file.answer(exchange))
        if handled is None or not got.final or got.code:  # a refusal of the gateway's is 200 too
            return
        handled.failed = exchange.operation == "failed"
        if exchange.operation == "done" and handled.done is None:
            handled.done = exchange.at + exchange.took
            if exchange.system and handled.fetched is not None:
                self._seen[exchange.system].keeping.append(max(0.0, exchange.at - handled.fetched))

    def _take_in_report(self, exchange: Exchange) -> None:
        got = outcome(exchange, self._file.answer(exchange))
        if not got.final or got.code in _BESIDE_THE_PACKET:
            self.left_out["statuses without a final answer to the packet"] += 1
            return
        if got.code == _NOT_ITS_OWN:
            self.left_out["statuses refused since another agency's system reported them"] += 1
            return
        report, signed = examined(sent_packet(self._file, exchange), is_signed)
        sent, recipient = self._about(report, exchange) if isinstance(report, StatusReport) else (None, "")
        if sent is None or not isinstance(report, StatusReport):
            self.left_out["statuses about no document of the recording"] += 1
            return
        if not got.code and exchange.system:
            self._seen[exchange.system].spoke(report.sender.organ_id)
            self._seen[exchange.system].legacy |= not signed
        handled = sent.recipients[recipient]
        by_sender = report.status == _WITHDRAWAL
        fetched = handled.fetched is not None and handled.fetched <= exchange.at
        if got.code in _FOR_WHEN and (by_sender or report.status in _ANSWERS or not fetched):
            self.left_out["statuses refused for when they came"] += 1
            return
        since = sent.packet.at + sent.packet.took
        if not by_sender:
            ends = (handled.done, handled.fetched)
            since = next((each for each in ends if each is not None and each <= exchange.at), since)
        listed = sent.replies.setdefault(recipient, [])
        after = max(0.0, exchange.at - since)
        listed.append(
            (
                Reply(sent.post.n, recipient, len(listed), after, report.status, by_sender=by_sender, expect=got.code),
                exchange,
            )
        )

    def _about(self, report: StatusReport, exchange: Exchange) -> tuple[Sent | None, str]:
        """The document and the addressed agency that a status is about."""
        own, other = canonical(report.sender.organ_id), canonical(report.response_for.organ_id)
        named = canonical_document_id(report.response_for.document_id)
        if report.status == _WITHDRAWAL:
            found = self._by_id.get((own, named), [])
            recipients = [other] if other else [code for sent in found[-1:] for code in sent.recipients][:1]
        else:
            senders = [other] if other else self._senders.get(named, ())
            found = [sent for sender in senders for sent in self._by_id.get((sender, named), [])]
            recipients = [own]
        for sent in reversed(found):
            for recipient in recipients:
                if recipient in sent.recipients and sent.post.at <= exchange.at:
                    return sent, recipient
        return None, ""


def _codes_of(document: Document) -> Iterator[str]:
    return (each.organ_id for each in (document.sender, *document.recipients))


def open_plan(path: Path, step: Step = lambda done, of: None) -> tuple[TrafficFile, TrafficPlan]:
    """The file stays open, since packets are read from it; it is the caller's to close. Raises ``TrafficProblem``."""
    file = TrafficFile(path)
    try:
        return file, TrafficPlan(file, step)
    except BaseException:
        file.__exit__(None, None, None)
        raise
