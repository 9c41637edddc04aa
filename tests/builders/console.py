"""An operator who is signed in to the console: by plain requests, or in a browser."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from builders.axis import Axis
from builders.served import Served
from playwright.sync_api import BrowserContext, Page

from hub.console import access
from hub.domain.operator import Role
from hub.errors import Refusal
from hub.exchange import operators

PASSWORD = "ba con voi qua cầu"


def a_session(axis: Axis, name: str = "lan", role: Role = Role.ADMINISTRATOR) -> str:
    """The token of a new session; the account is made if there is none. Past the page where one signs in."""
    link, token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    with suppress(Refusal):  # known already
        axis.desk.writer.run(operators.add, operators.Account("command:test", name, role, ""))
    axis.desk.writer.run(operators.add_link, operators.Link("command:test", name, access.hashed(link)))
    job = operators.ByLink(access.hashed(link), access.hashed(token), "127.0.0.1")
    axis.desk.writer.run(operators.sign_in_by_link, job)
    return token


@dataclass
class Operating:
    """Somebody signed in, who asks without a browser; redirects are not followed."""

    base_url: str
    token: str

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, fields: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        """A form of this session; ``fields`` may be lists."""
        return self.ask("POST", path, data={"csrf": access.csrf_of(self.token)} | (fields or {}), **more)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Cookie": f"{access.COOKIE}={self.token}; lang={more.pop('lang', 'vi')}"} | more.pop("headers", {})
        return httpx.request(method, self.base_url + path, headers=headers, timeout=30, **more)


def operating(served: Served, name: str = "lan", role: Role = Role.ADMINISTRATOR) -> Operating:
    return Operating(served.base_url, a_session(served.axis, name, role))


@dataclass
class Watched:
    """A page of the console in a browser, with what it asked for and what the browser told of it."""

    page: Page
    base_url: str
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.base_url + path)

    def assert_clean(self) -> None:
        """The browser complained of nothing, and no other host was asked."""
        assert self.told == []
        assert [url for url in self.asked if not url.startswith((f"{self.base_url}/console", "data:"))] == []


def watched(context: BrowserContext, served: Served, token: str = "", lang: str = "vi") -> Watched:
    """A page of a browser, where whoever has the ``token`` is signed in."""
    place = {"url": f"{served.base_url}/"}
    context.add_cookies([{"name": "lang", "value": lang, **place}])
    if token:
        kept = {
            "httpOnly": True,
            "secure": True,
            "sameSite": "Strict",
            "url": f"{served.base_url}/".replace("http:", "https:"),
        }
        context.add_cookies([{"name": access.COOKIE, "value": token, **kept}])  # type: ignore[typeddict-item]
    found = Watched(context.new_page(), served.base_url)
    found.page.set_default_timeout(30_000)
    found.page.on("request", lambda request: found.asked.append(request.url))
    found.page.on("console", lambda message: found.told.append(message.text))
    found.page.on("pageerror", lambda fault: found.told.append(str(fault)))
    return found
