"""A hub on a fresh database, with agencies enrolled, and the requests that are fired at it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import servers
from benchmarks.packets import Office, an_office
from benchmarks.servers import Enrolled, Running
from hub.domain.document import Organization


@dataclass(frozen=True)
class Stage:
    """``systems`` by agency code; ``database_url`` is empty for SQLite in ``folder / "hub"``."""

    hub: Running
    folder: Path
    systems: dict[str, Enrolled]
    database_url: str
    bare_url: str


def units(count: int, parent: str = "H41") -> list[Organization]:
    """Agencies below one that is listed."""
    return [Organization(f"{parent}.{n:04}", name=f"Đơn vị thử nghiệm {n}") for n in range(1, count + 1)]


def government_office() -> Office:
    return an_office("G22", "Văn phòng Chính phủ")


@contextmanager
def stage(
    database: str, senders: Sequence[Office], receivers: Sequence[Organization] = (), program: str = "hub"
) -> Iterator[Stage]:
    """A hub served by ``program`` with a system for each of these agencies; a sender's comes with its certificate."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as name, servers.databases(database, 2) as (url, bare_url):
        folder = Path(name)
        asked = []
        for office in senders:
            (folder / f"{office.code}.pem").write_bytes(office.certificate)
            asked.append({"code": office.code, "name": office.name, "certificate": f"{office.code}.pem"})
        asked += [{"code": one.organ_id, "name": one.name} for one in receivers]
        options = ["--data-dir", str(folder / "hub"), *(["--database-url", url] if url else [])]
        systems = servers.enrol(options, asked, folder)
        with servers.hub(options, folder / "hub.log", program) as hub:
            yield Stage(hub, folder, systems, url, bare_url)
