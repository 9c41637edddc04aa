"""`hub backup` and `hub restore`: a hub's places from its settings, and how the copying is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from hub.app import noted, now, open_database, open_payloads
from hub.settings import Settings
from hub.store import backup
from hub.store.backup import KEY, Manifest, Tell
from hub.store.durable import make_folder


def write(settings: Settings, folder: Path, err: Console, by: str) -> Manifest:
    """Back up a hub, which may be serving; the audit names ``by`` for it, from this moment on."""
    with open_database(settings, create=False) as engine, _told(err) as tell:
        key, payloads = settings.data_dir / KEY, open_payloads(settings)
        made = backup.write(engine, payloads, key, folder, now=now(), program=version("lienthong"), tell=tell)
        facts = {"documents": made.documents, "payloads": made.payloads, "missing": len(made.missing)}
        noted(engine, by, "backup", str(folder.resolve()), facts)
        return made


def check(folder: Path, err: Console) -> Manifest:
    """Read a backup through."""
    with _told(err) as tell:
        return backup.check(folder, tell)


def restore(settings: Settings, folder: Path, err: Console, by: str) -> Manifest:
    """Make a hub of a backup; its audit names ``by`` for it."""
    for place in settings.folders:
        make_folder(place)
    with _told(err) as tell:
        payloads = open_payloads(settings)
        return backup.restore(folder, settings.database, payloads, settings.data_dir, now=now(), by=by, tell=tell)


@contextmanager
def _told(err: Console) -> Iterator[Tell]:
    """A bar for each kind of what is copied, where somebody looks on."""
    columns = TextColumn("{task.description:12}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    bars: dict[str, TaskID] = {}
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:

        def tell(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what)
            progress.update(bars[what], completed=done, total=total)

        yield tell
