"""Evidence of a document: asked of the hub into one file, and verified from that file alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509

from clients.agency import durable
from clients.agency.sending import HUB_ID, Outgoing, read_receipt
from clients.agency.shelf import Shelf
from clients.agency.texts import CannotError
from clients.agency.voice import AGAIN, FAILED, Voice
from clients.evidence import (
    MAX_FILE,
    EarlyError,
    EvidenceError,
    Verification,
    collect,
    packed,
    pinned_keys,
    signers_of,
)
from clients.evidence import verify as verify_file
from clients.hub_client import HubClient
from hub.domain.signature import fingerprint
from hub.domain.trust import Result, Step

_SIGNS = {Result.PASSED: ("✓", "green"), Result.UNTOLD: ("!", "yellow"), Result.FAILED: ("✗", "red")}
_MOST_KEYS = 1024 * 1024  # bytes of a file with pinned keys


def gather(outgoing: Outgoing, client: HubClient, voice: Voice, key: str, target: Path | None) -> int:
    """Write the evidence of a document, and verify it as it was written; gives the exit code."""
    document = _hub_id(outgoing, key)
    try:
        octets = _asked(client, document)
    except EarlyError as fault:
        voice.say("evidence-early", id=document, why=fault.of(voice.lang))
        return AGAIN
    except EvidenceError as fault:
        raise CannotError("evidence-not-had", id=document, why=fault.of(voice.lang)) from None
    path = target or Path(f"evidence-{document}.zip")
    durable.write(path, octets)
    found = verify_file(octets)
    voice.say("evidence-written", id=document, path=str(path), size=len(octets), valid=found.holds)
    if found.holds:
        return 0
    _steps(voice, [step for step in found.steps if step.result is Result.FAILED])
    return FAILED


def _asked(client: HubClient, document: str) -> bytes:
    """The file. Raises ``EvidenceError``."""
    answered = client.evidence(document)
    signers = signers_of(answered)
    known = client.grounds(document, {fingerprint(signer.certificate) for signer in signers})
    return packed(collect(document, answered, signers, known))


def _hub_id(outgoing: Outgoing, key: str) -> str:
    """Of a document that was sent or received here, or that only the hub knows."""
    folder = outgoing.find(key)
    if folder is not None:
        return str(read_receipt(folder)["id"])
    record = Shelf(outgoing.home.inbox).find(key)
    if record is not None:
        return str(record["document"]["id"])
    if HUB_ID.fullmatch(key):
        return key
    raise CannotError("not-found", id=key, where="sent, inbox")


def verify(voice: Voice, path: Path, keys: Sequence[Path], tsa: Sequence[Path]) -> int:
    """Tell every step over the file; gives the exit code."""
    try:
        pinned = pinned_keys(_content(each, _MOST_KEYS) for each in keys) if keys else None
    except EvidenceError as fault:
        raise CannotError("keys-bad", why=fault.of(voice.lang)) from None
    found = verify_file(_content(path, MAX_FILE), pinned, [root for each in tsa for root in _roots(each)])
    if voice.as_json:
        voice.tell(_facts(path, found))
        return 0 if found.holds else FAILED
    _steps(voice, found.steps)
    warned = sum(step.result is Result.UNTOLD for step in found.steps)
    voice.say("evidence-right" if found.holds else "evidence-wrong", path=str(path), id=found.document, warned=warned)
    return 0 if found.holds else FAILED


def _roots(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_content(path, _MOST_KEYS))
    except ValueError:
        raise CannotError("tsa-bad", path=str(path)) from None


def _content(path: Path, most: int) -> bytes:
    """As many bytes as a verdict needs: of a larger file it is that it is too large."""
    with path.open("rb") as file:
        return file.read(most + 1)


def _steps(voice: Voice, steps: Sequence[Step]) -> None:
    if voice.as_json:
        return
    for step in steps:
        sign, style = _SIGNS[step.result]
        text = step.vi if voice.lang == "vi" else step.en
        voice.line(f"{sign} {step.number}. {text} [{step.clause}]", style)


def _facts(path: Path, found: Verification) -> dict[str, object]:
    steps = [
        {"number": each.number, "clause": each.clause, "result": each.result, "vi": each.vi, "en": each.en}
        for each in found.steps
    ]
    return {"event": "verified", "valid": found.holds, "path": str(path), "document": found.document, "steps": steps}
