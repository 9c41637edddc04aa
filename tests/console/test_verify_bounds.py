"""What a hostile file costs the page: each of these once stopped it."""

from __future__ import annotations

from typing import Any

import pytest
from builders.browser import Opened

SECONDS = 2.0  # what was mended took minutes, or all memory


def timed(page: Opened, module: str, body: str) -> Any:
    """What ``body`` gives of the module ``m``, and the seconds it took."""
    script = f"""async (base) => {{
        const m = await import(base + "{module}");
        const began = performance.now();
        let found;
        try {{ found = await (async () => {{ {body} }})(); }} catch (fault) {{ found = String(fault); }}
        return [found, (performance.now() - began) / 1000];
    }}"""
    return page.page.evaluate(script, page.files)


@pytest.mark.parametrize(
    ("module", "body", "found"),
    [
        ("xml/parse.js", 'm.parseXml(`<a xmlns:x="urn:${"?".repeat(60)} "/>`)', "is no URI"),
        ("packet/texts.js", 'return m.strip(` a${" ".repeat(400_000)}b `).length', 400_002),
        ("trust/der.js", "return String(new m.Node(2, null, new Uint8Array(2e6).fill(1)).number % 256n)", "1"),
        ("octets.js", "return m.concat(Array(200_000).fill(new Uint8Array(1))).length", 200_000),
        ("evidence/receipt.js", 'await m.readReceipt("a".repeat(200 << 20), [])', "longer than"),
        ("evidence/strict.js", 'return m.shorten("ế".repeat(200 << 20), 3)', "ếếế"),
        ("trust/certificate.js", "await m.certificateOfPart(new Uint8Array(200 << 20))", "PEM"),
    ],
)
def test_what_is_long_or_repeated_is_told_in_seconds(verifying: Opened, module: str, body: str, found: object) -> None:
    told, seconds = timed(verifying, module, body)
    assert found in told if isinstance(told, str) and isinstance(found, str) else told == found
    assert seconds < SECONDS


def test_numbers_of_der_keep_their_sign(verifying: Opened) -> None:
    body = "return [[0], [127], [0, 128], [255], [128], [255, 127], [1, 0]].map((octets) => " + (
        "String(new m.Node(2, null, Uint8Array.from(octets)).number))"
    )
    assert timed(verifying, "trust/der.js", body)[0] == ["0", "127", "128", "-1", "-128", "-129", "256"]
