"""What the hub hands out at ``/console``: its own files, which a browser may take from nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from builders.api import Hub, a_hub

from clients.evidence import noted
from hub.console import site
from hub.errors import PROBLEMS

STATIC = Path(site.__file__).parent / "static"
SCRIPTS = sorted(path for path in STATIC.rglob("*.js") if path.parent.name != "site")  # those of /console/verify
SOURCE = {path.relative_to(STATIC).as_posix(): path.read_text("utf-8") for path in SCRIPTS}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with a_hub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


def version(hub: Hub) -> str:
    [found] = set(re.findall(r"static/([0-9a-f]{16})/", hub.ask("GET", "/console/verify").text))
    return f"/console/static/{found}/"


def test_the_page_and_its_files_forbid_other_hosts_and_sending_anything(hub: Hub) -> None:
    for path in ("/console/verify", f"{version(hub)}page.js", f"{version(hub)}worker.js", f"{version(hub)}verify.css"):
        headers = hub.ask("GET", path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy == {
            **dict.fromkeys(("default-src", "connect-src", "base-uri", "form-action", "frame-ancestors"), "'none'"),
            **dict.fromkeys(("script-src", "style-src", "worker-src"), "'self'"),
            "img-src": "data:",
        }
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_files_are_kept_under_a_name_of_their_content_and_the_page_is_asked_for_again(hub: Hub) -> None:
    assert hub.ask("GET", "/console/verify").headers["cache-control"] == "no-cache"
    assert "immutable" in hub.ask("GET", f"{version(hub)}page.js").headers["cache-control"]
    assert hub.ask("GET", "/console/static/0123456789abcdef/page.js").status_code == 404


def test_every_module_and_what_the_page_loads_is_there(hub: Hub) -> None:
    page = hub.ask("GET", "/console/verify").text
    waiting = [urljoin("/console/verify", path) for path in re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page)]
    waiting.append(f"{version(hub)}worker.js")
    reached: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        answer = hub.ask("GET", path)
        assert answer.status_code == 200, path
        waiting += [urljoin(path, name) for name in re.findall(r'^(?:import|\}) .*from "(.+)";$', answer.text, re.M)]
    names = {path.removeprefix(version(hub)) for path in reached}
    assert names == {*SOURCE, "verify.css", "problems.js"}


def test_below_a_folder_of_a_proxy_the_page_asks_for_its_own_there(hub: Hub) -> None:
    page = hub.ask("GET", "/console/verify").text
    for path in re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page):
        assert urljoin("http://hub.example.vn/truc/console/verify", path).startswith(
            "http://hub.example.vn/truc/console/"
        )


@pytest.mark.parametrize("name", ["verify.html", "../site.py", "..%2fsite.py", "", "evidence", "page.js%00", "x.js"])
def test_no_other_file_of_the_package_is_handed_out(hub: Hub, name: str) -> None:
    assert hub.ask("GET", version(hub) + name).status_code == 404


def test_the_page_has_no_inline_script_or_style_and_the_scripts_reach_for_nothing() -> None:
    page = (STATIC / "verify.html").read_text("utf-8")
    assert not re.search(r"<style|<script(?![^>]* src=)|\sstyle=|\son\w+=", page)
    for name, text in SOURCE.items():
        reaching = r"\b(?:fetch|XMLHttpRequest|WebSocket|sendBeacon|eval|Function|innerHTML|outerHTML|localStorage)\b"
        assert not re.search(reaching, text), name
        assert len(text.splitlines()) <= 350, name
        assert max(map(len, text.splitlines())) <= 120, name


def test_every_refusal_a_script_knows_is_of_the_catalogue() -> None:
    named = {code for text in SOURCE.values() for code in re.findall(r'Refusal\("([a-z-]+)"', text)}
    assert len(named) > 20
    assert named <= set(PROBLEMS)


def test_the_steps_are_those_of_the_command() -> None:
    [listed] = re.findall(r"CLAUSES = \[(.*?)\];", SOURCE["evidence/noted.js"], re.S)
    assert re.findall(r'"(.+)"', listed) == list(noted._CLAUSES)
