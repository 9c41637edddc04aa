"""Rows of a delivery log by chance, put into the tables directly: for what searches find among many."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from hub.domain.document import VIETNAM
from hub.domain.search import fold
from hub.store import tables as t

SUBJECTS = (
    "V/v điều chỉnh tiền lương cơ sở", "Về việc phòng, chống dịch bệnh", "V/v báo cáo kết quả cải cách hành chính",
    "Kế hoạch tiêm chủng mở rộng", "V/v chi trả tiền thưởng cho người lao động", "Về lương thực dự trữ quốc gia",
)  # fmt: skip
SENDERS = ("G22", "G09", "H41", "H27", "G24")
RECIPIENTS = ("H41", "H27", "H17", "G22", "H41.15")
STATES = ("waiting", "taken", "delivered", "delivered", "delivered", "failed", "expired", "withdrawn")
STATUSES = ("none", "none", "01", "03", "06", "06", "02", "cancelled", "replaced")
STANDINGS = ("signed", "signed", "signed", "signed-by-platform", "unsigned")
Row = dict[str, Any]


@dataclass
class Rows:
    """Makes documents with their packets, reports and deliveries, later ones accepted later."""

    chance: random.Random
    start: datetime
    seq: int = 0

    def documents(self, count: int, apart: float = 3600.0) -> Iterator[dict[str, list[Row]]]:
        """For each document its rows by table; accepted ``apart`` seconds after the one before."""
        for n in range(count):
            at = self.start + timedelta(seconds=n * apart)
            yield self._document(at)
        self.start += timedelta(seconds=count * apart)

    def _next(self) -> int:
        self.seq += 1
        return self.seq

    def _id(self) -> str:
        return f"{self.chance.getrandbits(96):024x}"

    def _document(self, at: datetime) -> dict[str, list[Row]]:
        chance, document, sender = self.chance, self._id(), self.chance.choice(SENDERS)
        subject = chance.choice(SUBJECTS)
        number, symbol = str(chance.randint(1, 30)), chance.choice(("VPCP-TH", "VPCP-KTTH", "UBND", "BYT-DP"))
        day = at.astimezone(VIETNAM).date()
        row = {
            "seq": self._next(), "id": document, "sender": sender, "system_id": f"system-{sender}",
            "issuer": chance.choice((sender, sender, "TTg")), "issuer_basis": "from",
            "document_id": f"{sender},{day:%Y/%m/%d},{number}/{symbol}", "kind": chance.choice((0, 0, 0, 0, 1, 2, 3)),
            "year": day.year, "number": number, "symbol": symbol, "promulgated_on": day,
            "due_on": chance.choice((None, None, day + timedelta(days=chance.randint(0, 9)))), "type_name": "Công văn",
            "subject": subject, "urgent": chance.random() < 0.1, "content_digest": "0" * 64, "identity": document,
            "business": None, "number_claim": None, "warnings": [], "flags": [], "accepted_at": at,
            "trace_id": chance.choice((f"trace-{chance.randint(1, 9)}", document)),
            "search": fold(f"{subject} {number}/{symbol}"), "pared": 0,
        }  # fmt: skip
        rows: dict[str, list[Row]] = {"document": [row], "packet": [], "report": [], "delivery": []}
        packet = self._packet(rows, document, at)
        for recipient in chance.sample(RECIPIENTS, chance.randint(1, 3)):
            self._delivery(rows, document, packet, None, recipient, at)
            if chance.random() < 0.3:
                self._report(rows, document, recipient, sender, at)
        return rows

    def _packet(self, rows: dict[str, list[Row]], document: str | None, at: datetime) -> str:
        packet = self._id()
        rows["packet"].append(
            {
                "id": packet, "seq": self._next(), "document_id": document, "sha256": "0" * 64, "size": 1, "body": b"x",
                "place": None, "standing": self.chance.choice(STANDINGS), "signer": "", "fingerprint": "",
                "received_at": at,
            }
        )  # fmt: skip
        return packet

    def _report(self, rows: dict[str, list[Row]], document: str, sender: str, addressee: str, at: datetime) -> None:
        report, packet = self._id(), self._packet(rows, None, at)
        rows["report"].append(
            {
                "id": report, "packet_id": packet, "system_id": "system-H41", "document_id": document,
                "sender": sender, "addressee": addressee, "code": "03", "description": "", "stated_at": at,
                "repeat_key": report, "answer": {}, "received_at": at, "trace_id": "",
            }
        )  # fmt: skip
        self._delivery(rows, document, packet, report, addressee, at)

    def _delivery(
        self, rows: dict[str, list[Row]], document: str, packet: str, report: str | None, recipient: str, at: datetime
    ) -> None:
        state = self.chance.choice(STATES)
        rows["delivery"].append(
            {
                "id": self._id(), "seq": self._next(), "document_id": document, "packet_id": packet,
                "report_id": report, "recipient": recipient, "addressed": recipient, "system_id": None, "state": state,
                "status": self.chance.choice(STATUSES), "fetched_at": None,
                "lease": "0" * 24 if state == "taken" else None, "lease_until": None, "attempts": 0, "reason": "",
                "urgent": False, "created_at": at, "expires_at": at + timedelta(days=30), "turn": 1, "again_at": None,
            }
        )  # fmt: skip


def enrolled(connection: Connection) -> None:
    """The systems that such rows name."""
    known = set(connection.execute(select(t.system.c.id)).scalars())
    connection.execute(
        insert(t.system),
        [
            {
                "id": f"system-{code}", "code": code, "state": "active", "profile": "required", "algorithms": "2025",
                "token_hash": f"{code:0<64}", "secret": b"", "enrolled_at": datetime(2020, 1, 1, tzinfo=VIETNAM),
            }
            for code in SENDERS
            if f"system-{code}" not in known
        ],
    )  # fmt: skip


def put(connection: Connection, documents: Iterator[dict[str, list[Row]]]) -> list[dict[str, list[Row]]]:
    """Write them; gives them back."""
    kept = list(documents)
    for name in ("document", "packet", "report", "delivery"):
        rows = [row for one in kept for row in one[name]]
        if rows:
            connection.execute(insert(t.metadata.tables[name]), rows)
    return kept


def day_of(row: Row) -> date:
    """The day a document was accepted on."""
    at: datetime = row["accepted_at"]
    return at.astimezone(VIETNAM).date()
