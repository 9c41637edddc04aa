"""`hub demo`: a hub of its own, agencies of all levels, and the whole main job, judged by the agencies' books."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import AsyncExitStack, ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from clients.gateway_client import GatewayClient
from clients.hub_client import AsyncHubClient, HubFailure
from hub.data import read_agencies
from hub.demo.books import Books
from hub.demo.installed import Installed
from hub.demo.peers import Peer, key_and_certificate
from hub.demo.story import ListenerEndedError, Story

_BELOW = {
    "H41.05": "Ủy ban nhân dân huyện Diễn Châu",
    "H41.05.12": "Ủy ban nhân dân xã Diễn Thịnh",
}
_INSTALLED = ("H17", "H36")  # their software speaks the national gateway's dialect
_STEPS = 52  # what the story reports as done
_AT_ONCE = 8  # registrations at one time


def play(out: Console, *, keep: Path | None = None, keep_running: bool = False) -> int:
    """Play; gives the exit code: 0 if nothing was lost or doubled and the story went as told."""
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise typer.BadParameter(f"--keep {keep}: the folder must be new or empty; the story begins with a new hub")
    # Ended by a signal it still ends the hub it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lienthong-")))
        url = stack.enter_context(_Server(folder)).url
        out.print(f"Trục chạy tại {url}, dữ liệu ở {folder} / the hub runs there")
        books = asyncio.run(_play(out, url, folder))
        if keep_running:
            link = _hub("operator", "add", "demo", "--role", "administrator", "--link", folder=folder).strip()
            out.print("Trang vận hành, đăng nhập một lần trong 15 phút / the console, once within 15 minutes:")
            out.print(f"{url}{link}", soft_wrap=True, highlight=False, markup=False)
            out.print(f"{url}/docs – Ctrl-C để dừng / to stop")
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
    for fault in books.faults:
        out.print(f"[red]✗ {escape(fault)}[/red]")
    sys.stdout.write(books.line() + "\n")
    return 1 if books.lost or books.doubled or books.faults else 0


class _Server:
    """The hub as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> _Server:
        folder = self._folder
        folder.mkdir(parents=True, exist_ok=True)
        self._log = open(folder / "hub.log", "w")
        # A signal on the way out of Popen would leave a process that nobody knows: it is heard right afterwards.
        heard: list[int] = []
        ended_by = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
        self._process = subprocess.Popen(  # noqa: S603  (this program itself)
            [sys.executable, "-m", "hub", "serve", "--port", "0", "--data-dir", str(folder)],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=_environment(),
        )
        assert self._process.stdout is not None
        try:
            signal.signal(signal.SIGTERM, ended_by)
            for number in heard:
                signal.raise_signal(number)
            self.url = self._process.stdout.readline().strip()
            if not self.url:
                raise SystemExit(f"the hub did not start: {(folder / 'hub.log').read_text('utf-8')}")
        except BaseException:  # a signal, too: nobody calls __exit__ of what was not entered
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self._process.terminate()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()


def _environment() -> dict[str, str]:
    """Without the settings of another hub: the story would be played on its database."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("HUB_")}


def _enrol(folder: Path) -> dict[str, dict[str, str]]:
    """Enrol everybody by the command an operator uses; credentials by agency code."""
    listed = [agency for agency in read_agencies() if agency.level == 1 and agency.closed_on is None]
    rows = [{"code": agency.code} for agency in listed]
    rows += [{"code": code, "name": name} for code, name in _BELOW.items()]
    source = folder / "enrol.json"
    source.write_text(json.dumps(rows), encoding="utf-8")
    made = _hub("enrol", "--from", str(source), "--json", folder=folder)
    return {row["agency"]: row for row in json.loads(made)}


def _hub(*arguments: str, folder: Path) -> str:
    """What a `hub` command prints."""
    command = [sys.executable, "-m", "hub", *arguments, "--data-dir", str(folder)]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=True)  # noqa: S603  (likewise)
    return done.stdout


async def _play(out: Console, url: str, folder: Path) -> Books:
    books = Books()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    async with AsyncExitStack() as stack:
        with Progress(*columns, console=out, transient=True) as progress:
            task = progress.add_task("ghi danh / enrolling", total=None)
            peers = await _peers(stack, url, await asyncio.to_thread(_enrol, folder), books)
            progress.update(task, total=_STEPS, completed=0)

            def step(what: str) -> None:
                progress.update(task, advance=1, description=escape(what[:60]))

            story = Story(peers, books, step)
            try:
                await story.play()
            except (HubFailure, ListenerEndedError, TimeoutError) as failure:
                books.faults.append(str(failure) or "not everything arrived in time")
        await _show(out, story)
    return books


async def _peers(
    stack: AsyncExitStack, url: str, credentials: dict[str, dict[str, str]], books: Books
) -> dict[str, Peer]:
    """One client per system, each with a key and certificate registered by its one-time code; some have software that
    was installed long ago."""
    names = {agency.code: agency.name for agency in read_agencies()} | _BELOW
    room = asyncio.Semaphore(_AT_ONCE)
    peers: dict[str, Peer] = {}

    async def connect(code: str, given: dict[str, str]) -> None:
        key, certificate = key_and_certificate(code)
        client = AsyncHubClient(url, given["token"], key=key, certificate=certificate)
        await stack.enter_async_context(client)
        async with room:
            await client.register_certificate(code, given["system_id"], given["code"])
        who = (code, names[code], given["system_id"], client, key, certificate, books)
        if code not in _INSTALLED:
            peers[code] = Peer(*who)
            return
        speaks = partial(GatewayClient, f"{url}/axis", given["system_id"], given["secret"])
        box, agent = (stack.enter_context(speaks()) for _ in range(2))
        peers[code] = Installed(*who, box=box, agent=agent)

    await asyncio.gather(*(connect(code, given) for code, given in credentials.items()))
    return {code: peers[code] for code in credentials}


async def _show(out: Console, story: Story) -> None:
    columns = ("Số, ký hiệu", "Loại", "Ban hành", "Gửi", "Đến", "Tình trạng", "Xử lý", "Yêu cầu", "Chung")
    table = Table(*columns, title="Văn bản")
    for sender, accepted, document in story.sent.values():
        state = await sender.client.document(accepted.id)
        where, what = _states(state["deliveries"])
        to = [d["to"] for d in state["deliveries"]]
        named = ", ".join(to) if len(to) <= 4 else f"{len(to)} nơi nhận"
        kind = ("mới", "thu hồi", "cập nhật", "thay thế")[document.kind]
        asked = "\n".join(f"{r['ask']}: {r['outcome']}" for d in state["deliveries"] for r in d["requests"])
        code = f"{document.number}/{document.symbol}"
        table.add_row(code, kind, state["issuer"], sender.code, named, where, what, asked, state["state"])
    out.print(table)
    refused = Table("Gói lỗi", "Mã", "Vì sao", "Sửa thế nào", title="Từ chối, báo ngay cho nơi gửi")
    for told in story.told:
        violation = told.refusal.violations[0]
        refused.add_row(told.sort, violation.rule, escape(violation.vi), escape(violation.repair[:120]))
    out.print(refused)


def _states(deliveries: list[dict[str, Any]]) -> tuple[str, str]:
    """Transport and processing of all recipients; counted when there are many."""
    if len(deliveries) <= 4:
        return "\n".join(d["state"] for d in deliveries), "\n".join(d["status"] for d in deliveries)
    return tuple(  # type: ignore[return-value]  # two columns
        ", ".join(f"{n} {name}" for name, n in Counter(d[column] for d in deliveries).most_common())
        for column in ("state", "status")
    )
