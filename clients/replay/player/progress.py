"""What a run shows while it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from clients.replay.player.stage import Counts

_OFTEN = 0.2  # seconds between two looks at the counts
_STEPS = {
    "read": "đọc bản ghi / reading the record",
    "enrol": "ghi danh / enrolling",
    "prepare": "chuẩn bị gói tin / preparing packets",
    "play": "gửi nhận / playing",
    "settle": "chờ hoàn tất / settling",
    "judge": "đối chiếu / judging",
}


class Shown:
    """A bar over the documents of the plan, with what has come of them; and the step the run is at."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task(escape(title), total=None, counts="")

    def step(self, name: str, total: int | None = None) -> None:
        self._progress.update(self._task, description=_STEPS[name])
        if total is not None:
            self._progress.update(self._task, total=total)

    def read(self, done: int, of: int) -> None:
        """How far a record was read."""
        self.step("read", of)
        self.done(done)

    def judged(self, done: int, of: int) -> None:
        """How many of the judge's questions are answered."""
        self.step("judge", of)
        self.done(done)

    def done(self, completed: int, counts: str = "") -> None:
        self._progress.update(self._task, completed=completed, counts=counts)

    async def follow(self, counts: Counts) -> None:
        """Show the counts until called off."""
        while True:
            self.done(
                counts.sent + counts.refused,
                f"{counts.sent:,} gửi/sent · {counts.refused:,} từ chối/refused · {counts.received:,} nhận/received · "
                f"{counts.statuses:,} trạng thái/statuses",
            )
            await asyncio.sleep(_OFTEN)


@contextmanager
def shown(console: Console, title: str) -> Iterator[Shown]:
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[counts]}"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Shown(progress, title)
