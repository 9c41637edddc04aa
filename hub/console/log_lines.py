"""A line of the delivery log as people see it: the same in the page and in its CSV."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from hub.console import frame
from hub.domain.agency import Directory
from hub.domain.document import local
from hub.reports.harmless import MARK, written

_HOLDERS = {"TTg": "log.ttg", "CP": "log.cp"}


@dataclass(frozen=True, slots=True)
class Party:
    """An agency; ``key`` names those that are in no directory."""

    code: str
    name: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One packet towards one recipient."""

    document: str
    delivery: str
    at: datetime
    code: str
    about: str  # of a status packet: its code
    subject: str
    issuer: Party
    sender: Party
    recipient: Party
    state: str
    status: str
    standing: str


def lines_of(rows: Iterable[RowMapping], directory: Directory) -> list[Line]:
    def party(code: str) -> Party:
        return Party(code, directory.name_of(code), _HOLDERS.get(code, ""))

    return [
        Line(
            row["document"], row["delivery"], row["created_at"], f"{row['number']}/{row['symbol']}",
            row["status_code"] or "", row["subject"], party(row["issuer"]), party(row["status_from"] or row["sender"]),
            party(row["recipient"]), row["state"], row["status"], row["standing"],
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns in a language: what stands in each cell, for the page and the CSV."""

    lang: str

    NAMES = ("at", "code", "subject", "issuer", "sender", "recipient", "state", "status", "signed")

    @classmethod
    def of(cls, lang: str) -> Columns:
        return cls(lang)

    def text(self, key: str, **facts: object) -> str:
        return frame.TEXTS[key][frame.LANGUAGES.index(self.lang)].format_map(facts)

    def title(self, name: str) -> str:
        return self.text(f"log.column.{name}")

    def cells(self, line: Line) -> tuple[str, ...]:
        """By :data:`NAMES`."""
        return (
            f"{local(line.at):%d/%m/%Y %H:%M}", self.number(line), line.subject,
            self.party(line.issuer), self.party(line.sender), self.party(line.recipient),
            self.text(f"frame.state.{line.state}"), self.text(f"frame.status.{line.status}"),
            self.text(f"log.signed.{line.standing}"),
        )  # fmt: skip

    def number(self, line: Line) -> str:
        return self.text("log.about", status=line.about, code=line.code) if line.about else line.code

    def name(self, party: Party) -> str:
        return self.text(party.key) if party.key else party.name

    def party(self, party: Party) -> str:
        name = self.name(party)
        return f"{name} ({party.code})" if name else party.code

    def head(self) -> bytes:
        """The first line of the CSV, after the mark by which Excel knows UTF-8."""
        return MARK + written([[self.title(name) for name in self.NAMES]])

    def rows(self, lines: Iterable[Line]) -> bytes:
        return written(self.cells(line) for line in lines)
