"""``PYTHONPATH=tests python -m builders.pictures [verify|console]``: pictures of pages for the documentation."""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from builders.axis import Axis
from builders.browser import a_browser, opened
from builders.complete import under_an_authority
from builders.console import a_session, watched
from builders.evidence import a_story_under_an_authority, pem
from builders.served import a_served_hub

from clients.evidence import packed
from hub.errors import Refusal

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SUBJECTS = ("Về việc cải cách tiền lương", "Về việc phòng, chống bão số 5", "Kế hoạch chuyển đổi số năm 2026")
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 960}}
SCREENS: dict[str, tuple[str, dict[str, Any]]] = {
    "overview": ("/console", WIDE),
    "overview-dark": ("/console", WIDE | {"color_scheme": "dark"}),
    "overview-phone": ("/console", {"viewport": {"width": 360, "height": 1100}}),
    "log": ("/console/log", WIDE),
    "document": ("/console/documents/G22,2025%2F10%2F01,40%2FVPCP-TH", {"viewport": {"width": 1280, "height": 1600}}),
    "refusals": ("/console/refusals", WIDE),
    "agencies": ("/console/agencies/H41", WIDE),
    "reports": ("/console/reports", {"viewport": {"width": 1280, "height": 1400}}),
}


def verify() -> None:
    authority, story = a_story_under_an_authority()
    evidence = under_an_authority(authority, story)
    with TemporaryDirectory() as folder, a_served_hub(Path(folder)) as served, a_browser() as browser:
        context = browser.new_context(viewport={"width": 760, "height": 1850}, locale="vi")
        page = opened(context, served.base_url)
        page.trust(evidence.keys.octets, pem(authority.root.certificate))
        page.choose(packed(evidence))
        page.verdict("ĐẠT")
        page.page.locator("details").nth(2).evaluate("(each) => { each.open = true; }")
        page.page.screenshot(path=PICTURES / "verify.png")


def a_busy_day(axis: Axis) -> None:
    """A week ago something, that one system left; today more and more, and some of it refused."""
    chance, n = random.Random(15), 0
    axis.clock.pass_(days=-8)
    office = axis.enrol("G22", "Văn phòng Chính phủ")
    peers = [axis.enrol(code) for code in ("H41", "H17", "G12", "H29", "G06")]
    for back, hours in ((1, 4), (7, 11)):
        axis.clock.pass_(days=back, hours=-hours)
        for quarter in range(4 * hours):
            for _ in range(chance.randint(0, 1 + quarter // 6)):
                n += 1
                named = {
                    "number": str(n),
                    "document_id": f"G22,2025/10/01,{n}/VPCP-TH",
                    "subject": SUBJECTS[n % 3],
                    "symbol": "VPCP-TH",
                }
                to = [peer.code for peer in chance.sample(peers, chance.randint(1, 5))]
                office.send(*to, **named)
                if n % 23 == 0:
                    bad = office.packet(office.draft("H99", **named | {"number": f"{n}00"}))
                    with suppress(Refusal):
                        asyncio.run(axis.desk.accept(bad, axis.desk.rosters.current().systems[office.system_id], "t"))
            axis.clock.pass_(minutes=15)


def console() -> None:
    with TemporaryDirectory() as folder, a_served_hub(Path(folder)) as served:
        a_busy_day(served.axis)  # before there is a browser, whose loop is the thread's
        token = a_session(served.axis, "nguyen.van.an")
        with a_browser() as browser:
            for name, (path, terms) in SCREENS.items():
                with browser.new_context(locale="vi", **terms) as context:
                    page = watched(context, served, token)
                    page.go(path)
                    if path == "/console":
                        page.page.locator("[data-state=on]").wait_for()
                    page.page.evaluate(
                        f"document.body.innerHTML = document.body.innerHTML.replaceAll({folder!r}, '/var/lib/hub')"
                    )
                    page.page.screenshot(path=PICTURES / f"console-{name}.png")


if __name__ == "__main__":
    for each in sys.argv[1:] or ("verify", "console"):
        {"verify": verify, "console": console}[each]()
