"""What is asked of the console: a line for each page and search, and the time it may take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import select, text

from benchmarks.console.places import Place
from hub.reports.definitions import KINDS
from hub.store import tables as t
from hub.store.engine import open_engine, reading

PAGE, SEARCH, REPORT = 300, 500, 5000  # ms, for 95 of 100


@dataclass(frozen=True, slots=True)
class Asked:
    """``path`` may name what :class:`Known` has, and ``{day}``, which is another at each asking: part of a month costs
    more than the whole. ``deep``: so many pages further on by its own links; ``lines``: only so many of a download are
    read."""

    name: str
    path: str
    limit: int = PAGE
    deep: int = 0
    lines: int = 0


def _search(name: str, query: str, deep: int = 0) -> Asked:
    return Asked(name, f"/console/log?q={quote(query)}", SEARCH, deep)


def _download(name: str, query: str) -> Asked:
    return Asked(name, f"/console/log.csv?q={quote(query)}", SEARCH, lines=1000)


def _report(name: str, by: str = "", agency: str = "") -> Asked:
    told = (f" by {by}" if by else "") + (f" below {agency}" if agency else "")
    more = (f"&by={by}" if by else "") + (f"&agency={agency}" if agency else "")
    return Asked(
        f"report {name}{told}, this month", f"/console/reports?report={name}&from=2026-11-01&to=2026-11-{{day}}{more}"
    )


PAGES = (
    Asked("overview", "/console"),
    Asked("log", "/console/log"),
    Asked("document, new", "/console/documents/{document}"),
    Asked("document, a year old", "/console/documents/{old}"),
    Asked("document to 3,355", "/console/documents/{broadcast}"),
    Asked("refusals", "/console/refusals"),
    Asked("refusals of a sender", "/console/refusals?sender=G12"),
    Asked("refusals of a month", "/console/refusals?first=2026-03-01&last=2026-03-31"),
    Asked("refusals by words", "/console/refusals?q=" + quote("tiền lương")),
    Asked("one refusal", "/console/refusals/{refusal}"),
    Asked("agencies", "/console/agencies"),
    Asked("agencies by name", "/console/agencies?q=" + quote("so y te")),
    Asked("an agency", "/console/agencies/H41"),
    Asked("systems", "/console/systems"),
    Asked("actions", "/console/actions"),
    *(_report(name) for name in KINDS),
    *(_report("sent-received", by) for by in ("level", "province", "month")),
    *(_report("timeliness", by) for by in ("level", "province")),
    *(_report("timeliness", agency=code) for code in ("H41", "G22")),
    Asked("audit", "/console/audit"),
    Asked("settings", "/console/settings"),
    Asked("operators", "/console/operators"),
)

SEARCHES = (
    _search("sender, frequent", "from:G22"),
    _search("sender, rare", "from:H41.145"),
    _search("recipient, frequent", "to:G12"),
    _search("recipient, rare", "to:H41.145"),
    _search("issuer", "issuer:TTg"),
    _search("waiting", "state:waiting"),
    _search("failed", "state:failed"),
    _search("delivered", "state:delivered"),
    _search("status 06", "status:06"),
    _search("status 02", "status:02"),
    _search("status packets", "kind:status"),
    _search("revocations", "kind:revocation"),
    _search("number", "number:145"),
    _search("number of a sender", "from:G22 number:145 year:2026"),
    _search("year before", "year:2025"),
    _search("days long ago", "after:2025-09-01 before:2025-09-03"),
    _search("not signed", "signed:no"),
    _search("overdue", "overdue:yes"),
    _search("sender and recipient", "from:G22 to:H41"),
    _search("sender and recipient, both small", "from:H17.101 to:H41.02"),
    _search("sender, recipient, waiting", "from:G12 to:H41 state:waiting"),
    _search("sender, recipient, none waits", "from:H29 to:G12 state:failed"),
    _search("recipient and status, long ago", "to:H41 status:02 before:2025-12-31"),
    _search("words, frequent", '"tiền lương"'),
    _search("words without marks", '"tien luong"'),
    _search("words, rare", '"hóa thạch"'),
    _search("words, none", '"không có chữ này đâu"'),
    _search("words of everything", '"v/v"'),
    _search("words and recipient", 'to:H41 "tiền lương"'),
    _search("words and small recipient", 'to:H41.145 "tiền lương"'),
    _search("words and state", 'state:expired "tiền lương"'),
    _search("rare words, sender, status", 'from:G22 status:06 "hóa thạch"'),
    _search("frequent words, waiting", 'state:waiting "công tác"'),
    _search("page 20 of all", "", deep=20),
    _search("page 20 of a recipient", "to:H41", deep=20),
    _search("page 20 of words", '"tiền lương"', deep=20),
    _download("CSV, 1,000 lines of all", ""),
    _download("CSV, 1,000 lines of words", '"tiền lương"'),
    _download("CSV, 1,000 lines of recipient and words", 'to:H41 "tiền lương"'),
)

REPORTS = tuple(
    Asked(f"report {name}, a year", f"/console/reports?report={name}&from=2025-11-01&to=2026-10-{{day}}", REPORT)
    for name in KINDS
)

ALL = (*PAGES, *SEARCHES, *REPORTS)


@dataclass(frozen=True, slots=True)
class Known:
    """Ids that paths name."""

    document: str
    old: str
    broadcast: str
    refusal: str


def known(place: Place) -> Known:
    """Of what the place holds."""
    engine = open_engine(place.engine_url)
    d, v = t.document.c, t.delivery.c
    try:
        with reading(engine) as connection:
            low, high = connection.execute(text("SELECT min(seq), max(seq) FROM document")).one()

            def behind(share: float) -> str:
                first = select(d.id).where(d.seq >= low + (high - low) * share).order_by(d.seq).limit(1)
                return str(connection.execute(first).scalar_one())

            # Who is rarely written to gets every broadcast: of its deliveries one is of a document with most others.
            few = connection.execute(select(v.document_id).where(v.recipient == "H41.145").limit(40)).scalars()
            sizes = {
                one: len(connection.execute(select(v.id).where(v.document_id == one)).all())
                for one in dict.fromkeys(few)
            }
            broadcast = max(sizes, key=lambda one: sizes[one], default=behind(0.5))
            refusal = connection.execute(select(t.refusal.c.id).order_by(t.refusal.c.at.desc()).limit(1)).scalar_one()
            return Known(behind(0.999), behind(0.25), broadcast, refusal)
    finally:
        engine.dispose()


def paths(some: Known) -> Iterator[tuple[Asked, str]]:
    """Each with its path."""
    for asked in ALL:
        path = asked.path
        for name in ("document", "old", "broadcast", "refusal"):
            path = path.replace(f"{{{name}}}", getattr(some, name))
        yield asked, path
