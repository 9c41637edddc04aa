"""The documentation at ``/docs``: it comes from this hub alone, and the browser may take it from nowhere else."""

from __future__ import annotations

import html.parser
import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urljoin

import pytest
from builders.api import Hub, a_hub, operations
from builders.served import a_served_hub

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class _Loaded(html.parser.HTMLParser):
    """What a page loads, and what it has that its policy would forbid."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.addresses += [given[name] for name in ("src", "href") if tag != "a" and name in given]
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)


def loaded(hub: Hub) -> list[str]:
    """The addresses that page and start script load, as they are written."""
    page = _Loaded(hub.ask("GET", "/docs").text)
    assert page.inline == []
    own = [address for address in page.addresses if not address.startswith("data:")]
    assert len(own) == 3
    return [*own, *re.findall(r'url: "([^"]+)"', hub.ask("GET", "/docs/start.js").text)]


def test_the_page_loads_only_what_the_hub_itself_has(shared_hub: Hub) -> None:
    assert len(loaded(shared_hub)) == 4
    for address in loaded(shared_hub):
        assert not re.match(r"(\w+:)?//", address), address
        answer = shared_hub.ask("GET", urljoin("/docs", address))
        assert answer.status_code == 200, address
        assert len(answer.content) > 100, address


def test_everything_of_the_site_forbids_other_hosts(shared_hub: Hub) -> None:
    for path in ("/docs", "/docs/start.js", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"):
        headers = shared_hub.ask("GET", path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy.pop("img-src") == "'self' data:"  # the style sheet's icons
        assert policy == {"default-src": "'self'", "base-uri": "'none'", "frame-ancestors": "'none'"}
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["x", "..%2f__init__.py", "LICENSE", "swagger-ui.css%00", "%2e%2e", "start.js/"])
def test_no_other_file_of_the_package_is_handed_out(shared_hub: Hub, name: str) -> None:
    assert shared_hub.ask("GET", f"/docs/{name}").status_code == 404


def test_below_a_folder_of_a_proxy_the_page_asks_for_its_own_there(shared_hub: Hub) -> None:
    folder = "http://hub.example.vn/truc"
    for address in loaded(shared_hub):
        assert urljoin(f"{folder}/docs", address).startswith(f"{folder}/"), address


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here; .ci/run installs one")
def test_a_browser_shows_every_operation_and_asks_no_other_host(tmp_path: Path) -> None:
    with a_hub(tmp_path / "other") as other:
        paths = {path for _, path in operations(other.app)}
    seen = tmp_path / "net.json"
    with a_served_hub(tmp_path / "hub") as served:
        command = [
            *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}"),
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # the browser has errands of its own
            *("--enable-logging=stderr", f"--log-net-log={seen}", "--virtual-time-budget=20000", "--dump-dom"),
            f"{served.base_url}/docs",
        ]
        run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=90)
    assert run.returncode == 0, run.stderr[-2000:]
    assert [line for line in run.stderr.splitlines() if "CONSOLE" in line] == []  # where a refused source is told
    shown = re.sub(r"<wbr>|<!-- -->|\u200b", "", run.stdout)
    assert {path for path in paths if path not in shown} == set()
    requests = [event.get("params", {}) for event in json.loads(seen.read_text())["events"]]
    asked = {said["url"] for said in requests if "url" in said and said.get("initiator") == served.base_url}
    assert {url.removeprefix(served.base_url) for url in asked} == {
        *("/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js", "/openapi.json"),
    }
