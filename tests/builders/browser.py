"""The system's Chromium, driven by Playwright; and the verification of the page ``/console/verify`` called in it."""

from __future__ import annotations

import shutil
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NAMED = "truc.example.vn"  # leads to this machine, and is none that browsers trust without TLS

_OCTETS = "const octets = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));"
_VERIFY = f"""async ([base, files, keys, stampers]) => {{
    {_OCTETS}
    const {{ verify }} = await import(base + "evidence/verification.js");
    const {{ pinnedKeys }} = await import(base + "evidence/keys.js");
    const pinned = keys && await pinnedKeys(keys.map(octets));
    const roots = stampers.length ? (await pinnedKeys(stampers.map(octets))).roots : [];
    const found = [];
    for (const file of files) found.push((await verify(octets(file), pinned, roots)).steps);
    return found;
}}"""
_JUDGE = f"""async ([base, cases]) => {{
    {_OCTETS}
    const {{ readCertificate }} = await import(base + "trust/certificate.js");
    const {{ validate }} = await import(base + "trust/validation.js");
    const read = (list) => Promise.all(list.map((each) => readCertificate(octets(each))));
    const found = [];
    for (const {{ certificate, at, anchors, intermediates, crls }} of cases) {{
        const material = crls.map((each) => ({{ kind: "crl", octets: octets(each) }}));
        const [own] = await read([certificate]);
        const given = {{ anchors: await read(anchors), intermediates: await read(intermediates), material }};
        found.push(await validate(own, at, given));
    }}
    return found.map(({{ verdict, steps }}) => ({{ verdict, steps }}));
}}"""


@dataclass
class Opened:
    """A page at ``/console/verify``, with what it asked for and what the browser told of it."""

    page: Page
    address: str
    asked: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def files(self) -> str:
        """The address below which the page's files lie."""
        return str(self.page.evaluate("document.querySelector('script').src")).removesuffix("page.js")

    def choose(self, octets: bytes, name: str = "15.zip") -> None:
        self.page.set_input_files("#file", {"name": name, "mimeType": "application/zip", "buffer": octets})

    def trust(self, *keys: bytes) -> None:
        named = [{"name": f"{n}.txt", "mimeType": "text/plain", "buffer": each} for n, each in enumerate(keys)]
        self.page.set_input_files("#key-files", named)

    def verdict(self, begins: str) -> str:
        """The verdict, once it begins so."""
        self.page.locator("#verdict").filter(has_text=begins).wait_for()
        return self.page.inner_text("#verdict")

    def results(self) -> list[tuple[int, str]]:
        """Number and result of each step shown."""
        shown = self.page.locator("#steps > li").evaluate_all("all => all.map((li) => ({...li.dataset}))")
        return [(int(each["number"]), each["result"]) for each in shown]

    def verify(
        self, files: Iterable[bytes], keys: Sequence[bytes] | None = None, stampers: Sequence[bytes] = ()
    ) -> list[list[dict[str, Any]]]:
        """The steps of each file, by the page's own modules and past its form."""
        trusted = None if keys is None else coded(keys)
        given = [self.files, coded(files), trusted, coded(stampers)]
        found: list[list[dict[str, Any]]] = self.page.evaluate(_VERIFY, given)
        return found

    def judge(self, cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Verdict and steps of certificates: of each its DER, the moment in milliseconds, and what it is judged by."""
        found: list[dict[str, Any]] = self.page.evaluate(_JUDGE, [self.files, cases])
        return found


def der(certificate: x509.Certificate) -> str:
    """In Base64."""
    return coded([certificate.public_bytes(Encoding.DER)])[0]


def coded(octets: Iterable[bytes]) -> list[str]:
    return [b64encode(each).decode() for each in octets]


@contextmanager
def a_browser() -> Iterator[Browser]:
    """While it is open no other event loop can run in this thread."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {NAMED} 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def opened(context: BrowserContext, base_url: str) -> Opened:
    page = Opened(context.new_page(), f"{base_url}/console/verify")
    page.page.set_default_timeout(30_000)
    page.page.on("request", lambda request: page.asked.append(request.url))
    page.page.on("console", lambda message: page.told.append(message.text))
    page.page.on("pageerror", lambda fault: page.told.append(str(fault)))
    page.page.goto(page.address, wait_until="networkidle")
    return page
