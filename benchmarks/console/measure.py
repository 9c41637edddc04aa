"""The measuring: each page and search again and again, while the hub accepts packets at a steady rate."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks import servers
from benchmarks.console.browsing import Browser, timed
from benchmarks.console.pages import Asked, known, paths
from benchmarks.console.places import Place
from benchmarks.console.sending import Sender, Stretch, sending
from benchmarks.load import Answers
from benchmarks.packets import an_office
from benchmarks.report import Measure, Run
from hub.app import open_hub
from hub.domain.document import Organization
from hub.settings import Settings

TO = tuple(Organization(code) for code in ("H41", "G12", "H29.101"))
ALONE = 20.0  # seconds of packets without anybody looking at the console
_NAME, _PASSWORD = "may.do", "một câu chỉ để thử nghiệm"
_WARM = 3  # times each page is asked before


def measure(run: Run, place: Place, *, times: int, rate: float, minutes: float, only: str) -> list[Measure]:
    """Ask everything ``times`` times; gives what is over its limit, or not there. ``minutes``: of packets."""
    settings = Settings.model_validate({"data_dir": place.data_dir, "database_url": place.url})
    with open_hub(settings):
        pass  # a kept one may be of an older schema: bringing it to this one takes longer than a command may
    some = known(place)
    with TemporaryDirectory(prefix="hub-bench-") as name:
        folder = Path(name)
        code = f"G22.{int(time.time()) % 10**8:08}"  # one that has not sent here before
        office = an_office(code, "Đơn vị đo thử")
        (folder / "own.pem").write_bytes(office.certificate)
        asked = [{"code": code, "name": office.name, "certificate": "own.pem"}]
        system = servers.enrol(place.options, asked, folder)[code]
        said = _add_operator(place)
        with servers.hub(place.options, folder / "hub.log") as hub:
            browser = Browser(hub.url)
            try:
                if not browser.signed_in(_NAME, _PASSWORD):
                    raise RuntimeError(f"nobody may sign in: {said}")
                sender = Sender(hub.url, system.token, office, TO, rate)
                with sending(sender, range(1, 1 + int(rate * 60 * minutes))) as stretch:
                    time.sleep(3)
                    stretch.answers()
                    time.sleep(ALONE)
                    run.add(_accepted(f"accepted, nobody looking, {place.database}", stretch.answers()))
                    wanted = [(each, path) for each, path in paths(some) if only in each.name]
                    over = _all(run, place, browser, wanted, stretch, times)
            finally:
                browser.close()
    return over


def _add_operator(place: Place) -> str:
    """The second time there is one already, with this password. Gives what the command said."""
    command = [sys.executable, "-m", "hub", "operator", "add", _NAME, "--role", "administrator", "--password-stdin"]
    ended = subprocess.run(
        [*command, *place.options], input=_PASSWORD, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    return ended.stdout.strip()


def _all(
    run: Run, place: Place, browser: Browser, wanted: Sequence[tuple[Asked, str]], stretch: Stretch, times: int
) -> list[Measure]:
    over, whole = [], Answers()
    for asked, path in wanted:
        address = browser.further(path, asked.deep) if asked.deep else path
        _, status = timed(browser, on_day(address, 0), asked.lines)
        if status != 200:
            over.append(Measure(f"{asked.name}, {place.database}", 0.0, "", note=f"answered {status}: {address}"))
            run.add(over[-1])
            continue
        for n in range(_WARM):
            timed(browser, on_day(address, n), asked.lines)
        stretch.answers()
        found = Answers(latencies=[timed(browser, on_day(address, _WARM + n), asked.lines)[0] for n in range(times)])
        whole += stretch.answers()
        p95 = found.percentile(0.95) * 1000
        is_over = p95 > asked.limit
        note = f"limit {asked.limit} ms{', OVER' if is_over else ''}"
        p50, p99 = (found.percentile(share) * 1000 for share in (0.5, 0.99))
        line = Measure(f"{asked.name}, {place.database}", p95, "ms p95", p50, p99, note=note)
        run.add(line)
        if is_over:
            over.append(line)
    if whole.latencies:
        run.add(_accepted(f"accepted, console in use, {place.database}", whole))
    return over


def on_day(address: str, n: int) -> str:
    """The address at its n-th asking."""
    return address.replace("{day}", f"{1 + n % 28:02}")


def _accepted(name: str, answers: Answers) -> Measure:
    p50, p99 = (answers.percentile(share) * 1000 for share in (0.5, 0.99))
    return Measure(name, answers.rate, "/s", p50, p99, note="from when each was due")


def show(run: Run, out: Console) -> None:
    table = Table("", "p50 ms", "p95 ms", "p99 ms", "", title="pages and searches")
    for each in run.measures:
        if each.unit == "ms p95":
            style = "red" if each.note.endswith("OVER") else ""
            table.add_row(
                each.name, f"{each.p50:,.0f}", f"{each.value:,.0f}", f"{each.p99:,.0f}", each.note, style=style
            )
    out.print(table)
