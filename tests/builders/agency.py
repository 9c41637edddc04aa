"""Agencies as folders: the `agency` command in this process, in one of its own, or dying by SIGKILL at a named step."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from builders.axis import Peer
from builders.calling import OFFICE, PROVINCE
from builders.keys import a_certificate
from builders.served import Served, a_served_hub
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import CertificateBuilder, load_pem_x509_csr, random_serial_number
from rich.console import Console
from typer.testing import CliRunner

from clients.agency import durable, renewing
from clients.agency.command import app
from clients.agency.durable import Step, no_step
from clients.agency.folders import Outbox
from clients.agency.home import Config, Home
from clients.agency.listening import Listener
from clients.agency.rest import Rest
from clients.agency.sending import Outgoing
from clients.agency.shelf import Shelf
from clients.agency.voice import Voice
from hub.data import read_agencies
from hub.exchange import enrol

# The named steps of receiving and of sending. Some are reached several times; the number says which time is meant.
RECEIVING = [
    ("noted", 1), ("claimed", 1), ("fetched", 1), ("file-written", 1), ("file-written", 3), ("part-written", 1),
    ("stored", 1), ("reported", 1), ("confirmed", 1), ("closed", 1),
]  # fmt: skip
SENDING = [
    ("order-begun", 1), ("order-noted", 1), ("file-taken", 1), ("file-taken", 2), ("file-taken", 3), ("files-taken", 1),
    ("packet-stored", 1), ("answered", 1), ("receipt-stored", 1), ("sent-indexed", 1), ("sent-moved", 1),
]  # fmt: skip
REFUSING = [("refusal-stored", 1)]
RENEWING = [
    ("next-key-made", 1), ("next-certificate-made", 1), ("next-registered", 1), ("old-kept", 1), ("key-switched", 1),
    ("certificate-switched", 1),
]  # fmt: skip

_PATIENCE = 60.0  # seconds in which a process must end
LATER = datetime(2025, 10, 1, 2, 5, tzinfo=UTC)  # the agency's clock, five minutes after the hub's

_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["clients.agency.command"])


def home_of(root: Path, url: str, peer: Peer) -> Home:
    """The folder of an enrolled agency, as `agency init` leaves it."""
    home = Home(root)
    durable.make_folder(root)
    home.save(Config(url, peer.code, peer.system_id, peer.credentials["token"], peer.name))
    durable.write(home.key_file, peer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    durable.write(home.certificate_file, peer.certificate.public_bytes(Encoding.PEM))
    return home


def moved(home: Home, url: str) -> Home:
    """The hub answers at another address now."""
    home.save(replace(home.config(), hub=url))
    return home


def a_voice() -> tuple[Voice, io.StringIO]:
    """A voice that speaks JSON, and what it said."""
    said = io.StringIO()
    return Voice("en", True, Console(file=said), Console(file=io.StringIO())), said


def receive(home: Home, at: Step = no_step) -> list[dict[str, Any]]:
    """Take in what waits; what was said of it."""
    voice, said = a_voice()
    with home.client(home.config(), attempts=1) as client:
        Listener(client, home.config(), Shelf(home.inbox), voice, lambda: LATER, Rest(), at).once()
    return [json.loads(line) for line in said.getvalue().splitlines()]


def send_outbox(home: Home, at: Step = no_step) -> list[dict[str, Any]]:
    """Send what lies in the outbox; what was said of it."""
    voice, said = a_voice()
    with home.client(home.config(), attempts=1) as client:
        Outbox(Outgoing(home, home.config(), at), voice, lambda: LATER).pass_all(client)
    return [json.loads(line) for line in said.getvalue().splitlines()]


def renew(home: Home, at: Step = no_step) -> list[dict[str, Any]]:
    """Another key and certificate, made now; what was said of it."""
    voice, said = a_voice()
    renewing.renew(home, voice, datetime.now(UTC), at=at)
    return [json.loads(line) for line in said.getvalue().splitlines()]


def dies(work: Callable[..., Any], home: Home, step: str, nth: int = 1) -> bool:
    """Do the work in a process that kills itself when it reaches the step for the n-th time; whether it did."""
    process = _FORKED.Process(target=_run, args=(work, home, step, nth))
    process.start()
    process.join(_PATIENCE)
    code = process.exitcode
    assert code in (0, -signal.SIGKILL), code
    return code != 0


def _run(work: Callable[..., Any], home: Home, step: str, nth: int) -> None:
    left = nth

    def at(reached: str) -> None:
        nonlocal left
        left -= reached == step
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    work(home, at)


def drop(home: Home, name: str, order: str, *files: tuple[str, bytes]) -> None:
    """Drop files and then their order into the outbox, a while ago."""
    home.outbox.mkdir(exist_ok=True)
    for each, content in (*files, (f"{name}.toml", order.encode())):
        path = home.outbox / each
        path.write_bytes(content)
        os.utime(path, (LATER.timestamp() - 60,) * 2)


def tree(folder: Path) -> list[str]:
    """Every file below a folder but what is kept for the program itself."""
    found = (each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file())
    return sorted(name for name in found if not any(part.startswith(".") for part in name.split("/")))


@dataclass
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def agency(*words: object, given: str = "", **environment: str) -> Said:
    """`agency` with these words, in this process."""
    ended = CliRunner().invoke(app, [str(word) for word in words], given, {"LC_ALL": "C.UTF-8"} | environment)
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return Said(ended.exit_code, ended.stdout, ended.stderr)


@contextmanager
def a_hub_of_today(folder: Path, **changes: Any) -> Iterator[Served]:
    """A served hub at the present time: what `agency init` makes is valid from now on."""
    with a_served_hub(folder, **changes) as served:
        served.axis.clock.now = datetime.now(UTC) + timedelta(seconds=5)
        yield served


def fresh_codes() -> Iterator[str]:
    """Agencies that nobody has enrolled: their first certificates are registered with the one-time code."""
    for each in read_agencies():
        if each.level == 1 and each.code[0] in "GH" and not each.closed_on and each.code not in (OFFICE, PROVINCE):
            yield each.code


def issued(request: Path, now: datetime, days: float) -> Path:
    """The certificate that an authority issues for a request: valid from yesterday, for so many days from now on."""
    asked = load_pem_x509_csr(request.read_bytes())
    assert asked.is_signature_valid
    certificate = (
        CertificateBuilder()
        .subject_name(asked.subject)
        .issuer_name(asked.subject)
        .public_key(asked.public_key())
        .serial_number(random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .sign(a_certificate("Cơ quan cấp chứng thư")[0], hashes.SHA256())
    )
    path = request.with_name("issued.pem")
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return path


def credentials(hub: Served, code: str, folder: Path, **terms: Any) -> Path:
    """A file with what `hub enrol --json` prints."""
    desk = hub.axis.desk
    [made] = desk.writer.run(enrol.enrol, enrol.Enrolments((enrol.Enrolment(code, **terms),), desk.vault, replace=True))
    desk.rosters.current(now=True)
    path = folder / f"{code}.json"
    path.write_text(json.dumps(made))
    return path


def joined(hub: Served, code: str, folder: Path) -> Path:
    """The folder of an agency that was enrolled and has joined."""
    ended = agency(
        "init", "--hub", hub.base_url, "--code", code, "--credentials", credentials(hub, code, folder),
        "--home", folder / code,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    hub.axis.desk.rosters.current(now=True)
    return folder / code
