"""Asking pages as a browser does whose connection stays open: signed in, one after the other."""

from __future__ import annotations

import http.client
import re
import time
from html import unescape
from urllib.parse import urlencode, urljoin

_PATIENCE = 60.0  # seconds one page may take
_NEXT = re.compile(r'<a\b(?=[^>]*\brel="next")[^>]*\bhref="([^"]+)"')


class Browser:
    """A connection to the console at ``url``, and its cookie."""

    def __init__(self, url: str) -> None:
        self._host = url.removeprefix("http://")
        self._line = http.client.HTTPConnection(self._host, timeout=_PATIENCE)
        self._cookie = ""

    def signed_in(self, name: str, password: str) -> bool:
        """Whether it got in."""
        form = urlencode({"name": name, "password": password, "next": "/console"})
        head = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{self._host}"}
        self._line.request("POST", "/console/login", form, head)
        answer = self._line.getresponse()
        answer.read()
        self._cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
        return answer.status == 303

    def page(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        answer = self._asked(path)
        return answer.status, answer.read()

    def lines(self, path: str, most: int) -> tuple[int, int]:
        """Status, and how many lines of a download came; whoever has enough hangs up."""
        answer = self._asked(path)
        found = 0
        while found < most and answer.readline():
            found += 1
        self._line.close()
        return answer.status, found

    def further(self, path: str, pages: int) -> str:
        """The address so many pages further on by the links, or of the last there is."""
        for _ in range(pages):
            status, body = self.page(path)
            found = _NEXT.search(body.decode()) if status == 200 else None
            if found is None:
                break
            path = urljoin(path, unescape(found[1]))
        return path

    def _asked(self, path: str) -> http.client.HTTPResponse:
        headers = {"Cookie": self._cookie, "Accept": "text/html"}
        try:
            self._line.request("GET", path, headers=headers)
            return self._line.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):  # it was idle for long, and the server hung up
            self._line.close()
            self._line.request("GET", path, headers=headers)
            return self._line.getresponse()

    def close(self) -> None:
        self._line.close()


def timed(browser: Browser, path: str, lines: int) -> tuple[float, int]:
    """Seconds until all of it is there, and the status; 0 for a download that broke off before its first line."""
    began = time.perf_counter()
    if lines:
        status, found = browser.lines(path, lines)
        status = status if found > 1 else 0  # the first names the columns
    else:
        status, _ = browser.page(path)
    return time.perf_counter() - began, status
