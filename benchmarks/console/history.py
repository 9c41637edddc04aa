"""What a hub's tables hold after sixteen months, hour by hour: rows in the order in which a hub would write them.

Less often than a hub keeps it, for the room it takes: entries of the outbox and of hand-overs only for the last months,
and of ten status reports one with its packet, its own delivery and its entry (the status itself and its event always).
Entries of evidence have no receipt. The same seed and end give the same rows.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from benchmarks.console.cast import BROADCAST, Cast, Party
from benchmarks.console.columns import COLUMNS, DOCUMENT_SEQ, Rows
from benchmarks.console.refused import refusals
from benchmarks.console.words import TYPES, Subjects, Urn
from hub.domain.search import fold

DAYS = 487  # sixteen months
FAN_OUT = 10 / 3  # deliveries of a document
_BROADCASTS = 50_000  # of so many documents one goes to everybody
_OUTBOX, _HANDED_OVER, _EXAMINED = 0.2, 0.2, 0.2  # the last part of the time that has these rows
_ANSWERS = 0.05  # of the documents of those that were written to
_WITH_PACKET = 0.1  # of status reports
_BYTES = 31 * 24  # hours that the bytes of packets are kept
_EXPIRY, _EXPIRY_URGENT = 30 * 24, 3 * 24  # hours

# How many recipients, how many documents of a hundred; what is left to FAN_OUT is one recipient.
_FANS = ((2, 15), (3, 12), (6, 10), (12, 6), (34, 1.2), (107, 0.2), (600, 0.02))
# Hours until a packet is fetched, and the statuses that follow, each of a hundred.
_FETCHED = Urn((0, 1, 2, 4, 12, 18, 24, 48, 72, 140), (58, 14, 8, 5, 4, 4, 3, 2, 1, 1))
_PATHS = Urn(
    ((), ("01",), ("01", "03"), ("03",), ("06",), ("01", "06"), ("01", "03", "06"), ("01", "03", "05"), ("02",)),
    (24, 20, 17, 11, 9, 9, 6, 3, 1),
)
_SAID = {"01": "Đã đến", "02": "Gửi nhầm nơi nhận", "03": "Đã tiếp nhận", "05": "Đang xử lý", "06": "Hoàn thành"}
_STANDINGS = Urn(("signed", "signed-by-platform", "unsigned"), (72, 18, 10))
_VERDICTS = Urn(
    ("VALID", "VALID_NO_TIMESTAMP", "INDETERMINATE_REVOCATION", "UNTRUSTED_CHAIN", "EXPIRED_AT_SIGNING", "MODIFIED"),
    (70, 15, 8, 4, 2, 1),
)
# Of a packet's own signature and of its PDF file's, as hub.domain.tally reads them.
_DETAILS = (
    '{"steps": []}',
    Urn(('{"missing": []}', '{"missing": ["leader"]}', '{"reason": "not a PDF"}'), (70, 15, 15)),
)
_SIGNERS = ("Nguyễn Thị Ví Dụ", "Trần Văn Mẫu", "Lê Hồng Thử", "Phạm Thị Thí Nghiệm", "Hoàng Văn Tỉ Dụ", "Vũ Minh Mẫu")
_HOURS = (.1, .1, .1, .1, .1, .2, .6, 4, 12, 14, 13, 8, 4, 9, 13, 13, 9, 4, 1.5, .8, .6, .4, .2, .1)  # fmt: skip
_DAYS = (1.1, 1, 1, 1, 1, 0.12, 0.05)  # of the week
_ASKS = {1: "revocation", 2: "update", 3: "replacement"}
_CLOCK = [f"{second // 60:02}:{second % 60:02}" for second in range(3600)]


@dataclass(frozen=True, slots=True)
class _Sent:
    """What deliveries need of their document."""

    id: str
    packet: str
    sha256: str
    sender: Party
    at: str
    seq: int
    urgent: bool


@lru_cache(maxsize=4096)
def _hour(hour: int) -> str:
    return f"{datetime.fromtimestamp(hour * 3600, UTC):%Y-%m-%d %H:}"


class History:
    """``end``: the last moment; ``seq`` and ``entries``: what the counter has given out; ``systems``: ids by code."""

    def __init__(
        self, cast: Cast, systems: dict[str, str], deliveries: int, seed: int, end: datetime, seq: int, entries: int,
        body: bytes,
    ) -> None:  # fmt: skip
        self._random = random.Random(f"{seed}/history")
        self._chance, self._bits = self._random.random, self._random.getrandbits
        self._cast, self._systems, self.deliveries = cast, systems, deliveries
        self._senders, self._recipients = cast.senders(), cast.recipients()
        self._subjects = Subjects(cast.places, self._chance)
        self.seq, self.entries = seq, entries
        self._body, self._body_sha256 = body, hashlib.sha256(body).hexdigest()
        self._end = int(end.timestamp()) // 3600
        self._begin = self._end - DAYS * 24
        self._later: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
        self._numbers: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._earlier: dict[str, tuple[str, str, Party]] = {}  # by sender: a document, its first delivery, whose it is
        # By recipient: the sender of the last letter, and how an answer names it.
        self._letters: dict[str, tuple[Party, tuple[Any, ...]]] = {}
        self._silent = self._silences()
        self._fingerprints = {code: f"{self._bits(256):064x}" for code in systems}
        weights = [weight for _, weight in _FANS]
        one = 100 - sum(weights)
        self._fans = Urn((1, *(count for count, _ in _FANS)), (one, *weights))
        mean = (one + sum(count * weight for count, weight in _FANS)) / 100 * 0.955 + BROADCAST / _BROADCASTS
        self._documents = round(deliveries / mean)
        self._types = Urn([each[:2] for each in TYPES], [each[2] for each in TYPES])
        self._rows: Rows = {}
        self._n = 0

    def hours(self) -> Iterator[Rows]:
        """Rows by table, hour by hour."""
        weights = [self._weight(hour) for hour in range(self._begin, self._end)]
        refused = refusals(self._cast, self._systems, self._random, round(self.deliveries * 0.03), weights)
        due, whole = 0.0, sum(weights)
        for hour, weight in zip(range(self._begin, self._end), weights, strict=True):
            self._rows = {name: [] for name in COLUMNS}
            due += self._documents * weight / whole
            moments = sorted(self._chance() for _ in range(int(due) - self._n))
            for moment in moments:
                self._document(hour, moment)
            for what in self._later.pop(hour, ()):
                self._happens(hour, what)
            self._rows["refusal"] += [
                (self._id(hour * 3600), f"{_hour(hour)}{self._clock()}", *row) for row in next(refused)
            ]
            yield self._rows

    def _weight(self, hour: int) -> float:
        there = datetime.fromtimestamp((hour + 7) * 3600, UTC)
        growth = 1 + 0.4 * (hour - self._begin) / (self._end - self._begin)
        return _HOURS[there.hour] * _DAYS[there.weekday()] * growth

    def _silences(self) -> dict[str, int]:
        """Systems that stopped asking, and in which hour: a few platforms and one of ten of the small ones."""
        big = {code: self._end - days * 24 for code, days in {"H42": 6, "G20": 15, "H35": 40, "G03": 2}.items()}
        small = [code for code in self._systems if "." in code]
        silent = self._random.sample(sorted(small), len(small) // 10)
        return big | {code: self._end - int(24 * (1 + 60 * self._chance())) for code in silent}

    def _id(self, second: int) -> str:
        return f"{second:08x}{self._bits(64):016x}"

    def _clock(self, first: int = 0) -> str:
        return f"{_CLOCK[first + int(self._chance() * (3600 - first))]}.{self._bits(19):06}"

    # Documents

    def _document(self, hour: int, moment: float) -> None:
        chance = self._chance
        self._n += 1
        second = int(moment * 3600)
        at = f"{_hour(hour)}{_CLOCK[second]}.{int(moment * 3.6e9) % 1_000_000:06}"
        sender = self._senders.draw(chance())
        kind = 1 + int(chance() * 3) if sender.code in self._earlier and chance() < 0.006 else 0
        target, delivery, party = self._earlier.pop(sender.code) if kind else ("", "", sender)
        to = [party] if kind else self._addressees(sender)
        answered = self._letters.pop(sender.code, None) if not kind and chance() < _ANSWERS else None
        if answered is not None:
            to = list(dict.fromkeys((answered[0], *to[1:])))
        self.seq += len(to) + 2  # a document's own number is above those of its deliveries, as a hub has it
        sent, row = self._written(hour, second, at, sender, kind)
        if kind:
            self._rows["link"].append((sent.id, target, kind))
        if answered is not None:
            self._rows["reference"].append((sent.seq, 1, *answered[1]))
        letter = sender, (sender.code, row[5], f"{row[8]}/{row[9]}", row[10], row[17])
        young = self._end - hour < _BYTES
        first = sent.seq - len(to)
        over = True
        for n, party in enumerate(to):
            delivery_id, state = self._delivery(sent, party, hour, second, first + n)
            if not kind:
                self._letters[party.code] = letter
            over = over and state in ("delivered", "withdrawn")
            if n == 0 and not kind:
                self._earlier[sender.code] = sent.id, delivery_id, party
            elif n == 0 and kind:
                outcome = "open" if chance() < 0.1 else "refused"
                self._rows["request"].append(
                    (self._id(hour * 3600), delivery, _ASKS[kind], delivery_id, sent.id, self.seq, at,
                     None if outcome == "open" else at, outcome)
                )  # fmt: skip
        bytes_gone = over and not young
        self._rows["document"].append((sent.seq, *row, int(bytes_gone)))
        self._packet(sent, self.seq, self._body if not bytes_gone else None)
        self._examined(sent, hour)
        self._accepted(sent, row, [party.code for party in to])

    def _written(self, hour: int, second: int, at: str, sender: Party, kind: int) -> tuple[_Sent, tuple[Any, ...]]:
        """A document as its deliveries need it, and its row behind ``seq`` and without ``pared``."""
        chance, bits = self._chance, self._bits
        day = _day((hour + 7) // 24)
        issuer, basis = sender.code, "from"
        if sender.code == "G22" and chance() < 0.2:
            issuer, basis = "TTg", "symbol-TTg"
        elif chance() < 0.04:
            issuer, basis = self._senders.draw(chance()).code, "in-charge"
        type_name, mark = self._types.draw(chance())
        symbol = f"{mark}-{sender.symbol}" if mark else f"{sender.symbol}-VP"
        number = self._numbers[sender.code, day.year] = self._numbers[sender.code, day.year] + 1
        document_id = f"{sender.code},{day:%Y/%m/%d},{number}/{symbol}"
        subject, folded = self._subjects.draw()
        business = f"{bits(256):064x}" if not kind else None
        urgent = chance() < 0.03
        sent = _Sent(
            self._id(hour * 3600 + second), self._id(hour * 3600 + second),
            self._body_sha256, sender, at, self.seq - 1, urgent,
        )  # fmt: skip
        signer = _SIGNERS[int(chance() * len(_SIGNERS))]
        search = (
            f"{folded}\n{fold(type_name)}\n{number}/{fold(symbol)}\n{document_id.lower()}\n{sender.folded}\n{fold(signer)}"
            f"\n{number}-{fold(symbol)}.pdf"
        )
        row = (
            sent.id, sender.code, self._systems[sender.serves], issuer, basis, document_id, kind, day.year,
            str(number), symbol, day.isoformat(), (day + _TWO_WEEKS).isoformat() if chance() < 0.1 else None, type_name,
            subject, int(urgent), f"{bits(256):064x}", f"{bits(256):064x}", business,
            business if issuer == sender.code else None, "[]", "[]", at, f"{bits(128):032x}", search,
        )  # fmt: skip
        return sent, row

    def _addressees(self, sender: Party) -> list[Party]:
        if self._n % _BROADCASTS == 777:
            return [party for party in self._cast.everybody if party is not sender]
        fan = self._fans.draw(self._chance())
        found = dict.fromkeys(self._recipients.draw(self._chance()) for _ in range(fan))
        found.pop(sender, None)
        return list(found) or [self._cast.tops[0 if sender is not self._cast.tops[0] else 1]]

    def _packet(self, sent: _Sent, seq: int, body: bytes | None) -> None:
        standing = _STANDINGS.draw(self._chance())
        code = sent.sender.code if standing == "signed" else sent.sender.serves
        signer, fingerprint = ("", "") if standing == "unsigned" else (code, self._fingerprints[sent.sender.serves])
        self._rows["packet"].append(
            (sent.packet, seq, sent.id, sent.sha256, 9000 + self._bits(18), body, None if body else "", standing,
             signer, fingerprint, sent.at)
        )  # fmt: skip

    def _examined(self, sent: _Sent, hour: int) -> None:
        if self._end - hour > _EXAMINED * DAYS * 24:
            return
        for part, detail in enumerate((_DETAILS[0], _DETAILS[1].draw(self._chance()))):
            verdict = _VERDICTS.draw(self._chance())
            self._rows["examination"].append(
                (sent.packet, part, sent.id, "", f"{self._bits(256):064x}", verdict, detail, sent.at)
            )

    def _accepted(self, sent: _Sent, row: tuple[Any, ...], to: list[str]) -> None:
        body = {
            "document": sent.id, "document_id": row[5], "sha256": sent.sha256, "sender": sent.sender.code,
            "issuer": row[3], "recipients": to, "at": _iso(sent.at),
        }  # fmt: skip
        self._evidence("accept", sent.id, None, None, sent.at, body)

    def _evidence(
        self, kind: str, document: str, delivery: str | None, report: str | None, at: str, body: dict[str, Any]
    ) -> None:
        own, nonce = f"{self._bits(96):024x}", self._bits(128).to_bytes(16, "big")
        statement = _CANONICAL({"entry": own, "kind": kind, **body})  # as hub.domain.receipt has it
        entry = hashlib.sha256(nonce + statement.encode()).digest()
        self.seq += 1
        self._rows["evidence"].append(
            (own, self.seq, kind, document, delivery, report, at, nonce.hex(), _PLAIN(body), self.entries, entry)
        )
        self.entries += 1

    # Deliveries

    def _delivery(self, sent: _Sent, party: Party, hour: int, second: int, seq: int) -> tuple[str, str]:
        """One with its whole life; gives its id and the state it has at the end."""
        chance = self._chance
        own, system = self._id(hour * 3600 + second), party.serves
        fetched = hour + _FETCHED.draw(chance())
        expires = hour + (_EXPIRY_URGENT if sent.urgent else _EXPIRY)
        silent = fetched >= self._silent.get(system, fetched + 1)
        state, status, fetched_at, lease, reason, until = "waiting", "none", None, None, "", None
        luck = chance()
        if luck < 0.0004 and hour < self._end - 24:
            state, reason = "failed", "Không kết nối được với phần mềm quản lý văn bản"
            self._after(hour + 2, "fail", sent, own, party, "failed", "none", reason)
        elif luck < 0.0010 and hour < self._end - 24:
            state = "withdrawn"
            self._after(hour + 1, "withdraw", sent, own, party, state, "none", "")
        elif silent or fetched >= self._end:
            if expires < self._end:
                state = "expired"
                self._after(expires, "expire", sent, own, party, state, "none", "")
        else:
            fetched_at = f"{_hour(fetched)}{self._clock(second if fetched == hour else 0)}"
            if fetched == self._end - 1 and chance() < 0.4:
                state, lease, until = "taken", f"{self._bits(96):024x}", f"{_hour(self._end)}05:00.000000"
            else:
                state = "delivered"
                status = self._processed(sent, own, party, fetched, fetched_at)
        self._rows["delivery"].append(
            (own, seq, sent.id, sent.packet, None, party.code, party.code, self._systems[system], state, status,
             fetched_at, lease, until, 0 if fetched_at is None else 1, reason, int(sent.urgent), sent.at,
             f"{_hour(expires)}{sent.at[14:]}", *(sent.seq for _ in DOCUMENT_SEQ))
        )  # fmt: skip
        return own, state

    def _after(self, hour: int, what: str, *rest: Any) -> None:
        self._later[hour].append((what, *rest))

    def _processed(self, sent: _Sent, own: str, party: Party, hour: int, at: str) -> str:
        """What follows a fetch, as far as its hour has come; gives the status at the end."""
        chance, status = self._chance, "none"
        self._later[hour].append(("done", sent, own, party, at))
        for code in _PATHS.draw(chance()):
            hour += 1 + int(chance() ** 3 * 90)
            if hour >= self._end:
                break
            self._later[hour].append(("status", sent, own, party, status, code))
            status = code
        return status

    def _happens(self, hour: int, what: tuple[Any, ...]) -> None:
        kind, sent, own, party = what[:4]
        if kind == "done":
            self._done(hour, sent, own, party, what[4])
        elif kind == "status":
            self._status(hour, sent, own, party, *what[4:])
        else:
            state, status, detail = what[4:]
            at = f"{_hour(hour)}{self._clock()}"
            self._rows["event"].append((own, at, kind, "waiting", state, status, status, None, None, detail))
            self._tell(hour, sent, own, state, status, at, None)

    def _done(self, hour: int, sent: _Sent, own: str, party: Party, at: str) -> None:
        system, events = self._systems[party.serves], self._rows["event"]
        before = "waiting"
        if self._bits(2) == 0:  # who leases a packet first
            events.append((own, at, "take", "waiting", "taken", "none", "none", system, None, ""))
            before = "taken"
        events.append((own, at, "done", before, "delivered", "none", "none", system, None, ""))
        self._tell(hour, sent, own, "delivered", "none", at, None)
        if self._end - hour < _HANDED_OVER * DAYS * 24:
            body = {
                "delivery": own, "document": sent.id, "recipient": party.code, "system": system, "sha256": sent.sha256,
                "at": _iso(at),
            }  # fmt: skip
            self._evidence("handover", sent.id, own, None, at, body)

    def _status(self, hour: int, sent: _Sent, own: str, party: Party, before: str, code: str) -> None:
        at = f"{_hour(hour)}{self._clock()}"
        report = self._report(hour, sent, own, party, code, at) if self._chance() < _WITH_PACKET else None
        system = self._systems[party.serves]
        self._rows["event"].append((own, at, "status", "delivered", "delivered", before, code, system, report, ""))
        self._tell(hour, sent, own, "status", code, at, report)

    def _report(self, hour: int, sent: _Sent, own: str, party: Party, code: str, at: str) -> str:
        """The packet of a status, delivered to whoever sent the document; ``own``: the delivery it moved."""
        report, packet, sha256 = self._id(hour * 3600), self._id(hour * 3600), f"{self._bits(256):064x}"
        by, to = self._systems[party.serves], sent.sender
        self.seq += 2
        self._rows["packet"].append(
            (packet, self.seq, None, sha256, 3000 + self._bits(10), None, "", "signed", party.code,
             self._fingerprints[party.serves], at)
        )  # fmt: skip
        self._rows["report"].append(
            (report, packet, by, sent.id, party.code, to.code, code, _SAID[code], at, f"{self._bits(256):064x}",
             f'{{"deliveries": [{{"id": "{own}", "effect": "moves"}}]}}', at, f"{self._bits(128):032x}")
        )  # fmt: skip
        self._rows["delivery"].append(
            (self._id(hour * 3600), self.seq - 1, sent.id, packet, report, to.code, to.code, self._systems[to.serves],
             "delivered", "none", at, None, None, 1, "", 0, at, f"{_hour(hour + _EXPIRY)}{at[14:]}",
             *(sent.seq for _ in DOCUMENT_SEQ))
        )  # fmt: skip
        body = {
            "report": report,
            "document": sent.id,
            "sender": party.code,
            "code": code,
            "sha256": sha256,
            "at": _iso(at),
        }
        self._evidence("status", sent.id, None, report, at, body)
        return report

    def _tell(self, hour: int, sent: _Sent, own: str, what: str, status: str, at: str, report: str | None) -> None:
        if self._end - hour < _OUTBOX * DAYS * 24:
            self.seq += 1
            self._rows["outbox"].append((self.seq, sent.sender.serves, sent.id, own, what, status, "", report, at))


_TWO_WEEKS = timedelta(days=14)
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_PLAIN = json.JSONEncoder(ensure_ascii=False).encode


@lru_cache(maxsize=16)
def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)


def _iso(at: str) -> str:
    return f"{at[:10]}T{at[11:]}+00:00"
