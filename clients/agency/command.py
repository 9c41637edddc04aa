"""The `agency` command: what was typed, handed to the rooms that do it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from clients.agency import checking, durable, joining, options, proving, records, renewing
from clients.agency.drafting import Order, read_order
from clients.agency.folders import Outbox
from clients.agency.home import Home
from clients.agency.listening import Listener
from clients.agency.options import (
    AsJson,
    Certificate,
    Code,
    Content,
    Credentials,
    Csr,
    Date,
    DocumentId,
    Due,
    File,
    Files,
    HomeDir,
    Hub,
    IntoFile,
    Key,
    KeyFiles,
    KeyOrFile,
    Lang,
    Limit,
    Name,
    Notation,
    Number,
    Offline,
    Once,
    Position,
    Priority,
    Reason,
    Refresh,
    Replace,
    Revoke,
    Sender,
    Signer,
    Status,
    Subject,
    SystemId,
    To,
    TokenStdin,
    TsaFiles,
    Type,
    Update,
    WithOutbox,
)
from clients.agency.rest import Rest, until_ended
from clients.agency.sending import Outgoing
from clients.agency.shelf import Shelf
from clients.agency.texts import CannotError, language
from clients.agency.voice import AGAIN, Voice
from clients.hub_client import HubFailure, Refused, Unavailable
from clients.replay.command import add_to
from hub.errors import Refusal, Violation

app = typer.Typer(
    name="agency",
    help=options.AGENCY,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

_HERE = Path()


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def told(lang: str, as_json: bool) -> Iterator[Voice]:
    """A voice; what cannot be done is told by it and gives the exit code."""
    if lang not in ("", "vi", "en"):
        raise typer.BadParameter("--lang: vi, en")
    width = None if sys.stdout.isatty() else 150
    voice = Voice(lang or language(), as_json, Console(width=width), Console(stderr=True))
    try:
        yield voice
    except (CannotError, HubFailure, Refusal, OSError) as fault:
        raise typer.Exit(voice.failure(fault)) from None


@app.command(help=options.INIT)
def init(
    hub: Hub = "",
    code: Code = "",
    name: Name = "",
    credentials: Credentials = None,
    system_id: SystemId = "",
    token_stdin: TokenStdin = False,
    csr: Csr = False,
    certificate: Certificate = None,
    home: HomeDir = _HERE,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    if token_stdin and credentials:
        raise typer.BadParameter("--token-stdin, --credentials")
    with told(lang, as_json) as voice:
        given: dict[str, str] | None = None
        if credentials:
            given = joining.read_credentials(credentials)
        elif token_stdin:
            token, one_time_code = (sys.stdin.readline().strip() for _ in range(2))
            given = {"system_id": system_id, "token": token, "one_time_code": one_time_code}
        joining.join(Home(home), joining.Joining(hub, code, name, given, certificate, csr), voice, _now())


@app.command(help=options.RENEW)
def renew(
    csr: Csr = False,
    certificate: Certificate = None,
    home: HomeDir = _HERE,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    if csr and certificate:
        raise typer.BadParameter("--csr, --certificate")
    with told(lang, as_json) as voice:
        renewing.renew(Home(home), voice, _now(), issued=certificate, request=csr)


@app.command(help=options.SEND)
def send(
    files: Files = None,
    to: To = None,
    number: Number = "",
    notation: Notation = "",
    subject: Subject = "",
    type_: Type = "",
    date: Date = "",
    signer: Signer = "",
    position: Position = "",
    content: Content = "",
    due: Due = "",
    priority: Priority = "",
    sender: Sender = "",
    document_id: DocumentId = "",
    update: Update = "",
    replace: Replace = "",
    revoke: Revoke = "",
    reason: Reason = "",
    home: HomeDir = _HERE,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    paths = files or []
    order = Order(
        _codes(to), number, notation, subject, tuple(each.name for each in paths), date, type_, content, signer,
        position, due, priority, sender, document_id, update, replace, revoke, reason,
    )  # fmt: skip
    with told(lang, as_json) as voice:
        folder, config = Home(home), Home(home).config()
        if not order.is_packet and len(paths) == 1 and paths[0].suffix.lower() == ".edxml":
            raise CannotError("packet-alone", path=str(paths[0]))
        order = order.checked()
        contents = [(each.name, each.read_bytes()) for each in paths]
        outgoing = Outgoing(folder, config)
        with voice.progress() as progress, folder.client(config, progress=progress) as client:
            packet = contents[0][1] if order.is_packet else outgoing.build(order, contents, client, _now())
            with outgoing.alone(wait=True):
                waiting = outgoing.put(packet)
                receipt = _passed_on(outgoing, waiting, client, voice)
            with suppress(HubFailure):  # the document is sent, whatever becomes of this
                checking.keep_fresh(folder, client, _now())
        voice.say("sent" if receipt["new"] else "sent-before", **receipt | {"to": ", ".join(receipt["to"])})
        voice.violations([Violation(**each) for each in receipt["warnings"]], "yellow")


def _passed_on(outgoing: Outgoing, waiting: Path, client: Any, voice: Voice) -> dict[str, Any]:
    try:
        return outgoing.pass_on(waiting, client, _now())
    except Refused:
        durable.discard(waiting)  # the person is told, and has the files
        raise
    except Unavailable as failure:
        voice.say("unanswered", path=outgoing.shown(waiting), why=failure.why)
        raise typer.Exit(AGAIN) from None


def _codes(given: list[str] | None) -> tuple[str, ...]:
    return tuple(code.strip() for each in given or [] for code in each.split(",") if code.strip())


@app.command(help=options.CHECK)
def check(
    file: File,
    refresh: Refresh = False,
    home: HomeDir = _HERE,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    with told(lang, as_json) as voice:
        folder, config = Home(home), Home(home).config()
        with folder.client(config) as client:
            if refresh:
                checking.fetch_directory(folder, client, _now())
            directory, fetched = checking.read_directory(folder)
            if file.suffix.lower() == ".toml":
                order = read_order(file).checked()
                contents = [(name, (file.parent / name).read_bytes()) for name in order.files]
                packet = (
                    contents[0][1]
                    if order.is_packet
                    else Outgoing(folder, config).build(order, contents, client, _now())
                )
            else:
                packet = file.read_bytes()
        found = checking.check(packet, config, folder.identity()[1], directory, _now())
        raise typer.Exit(records.judgement(voice, found, fetched))


@app.command(help=options.LISTEN)
def listen(
    outbox: WithOutbox = False,
    once: Once = False,
    home: HomeDir = _HERE,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    with told(lang, as_json) as voice:
        folder, config, rest = Home(home), Home(home).config(), Rest()
        durable.make_folder(folder.inbox)
        with (
            durable.held(folder.inbox) as mine,
            voice.progress() as progress,
            folder.client(config, sleep=rest.pause, progress=progress) as client,
        ):
            if not mine:
                raise CannotError("listen-twice", folder=str(folder.root))
            renewing.tell_of_the_end(folder.identity()[1], voice, _now())
            listener = Listener(client, config, Shelf(folder.inbox), voice, _now, rest)
            if once:
                listener.once()
                if outbox:
                    _outbox(folder, voice).pass_all(client)
                return
            voice.say("listen-begin", code=config.code, hub=config.hub)
            until_ended(rest, listener.run, beside=_watch(folder, voice) if outbox else None)
            voice.say("listen-end")


@app.command(help=options.FOLDERS)
def folders(
    once: Once = False,
    home: HomeDir = _HERE,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    with told(lang, as_json) as voice:
        folder, config, rest = Home(home), Home(home).config(), Rest()
        box = _outbox(folder, voice)
        with folder.client(config, attempts=2, sleep=rest.pause) as client:
            if once:
                box.pass_all(client)
                return
            voice.say("folders-begin", path=str(folder.outbox))
            until_ended(rest, lambda: box.watch(client, rest))
            voice.say("listen-end")


def _outbox(folder: Home, voice: Voice) -> Outbox:
    return Outbox(Outgoing(folder, folder.config()), voice, _now)


def _watch(folder: Home, voice: Voice) -> tuple[Rest, Callable[[], None]]:
    rest = Rest()

    def watch() -> None:
        with folder.client(folder.config(), attempts=2, sleep=rest.pause) as client:
            _outbox(folder, voice).watch(client, rest)

    return rest, watch


@app.command(help=options.REPORT)
def report(
    key: Key,
    status: Status,
    reason: Reason = "",
    home: HomeDir = _HERE,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    with told(lang, as_json) as voice:
        folder, config = Home(home), Home(home).config()
        with folder.client(config) as client:
            records.report(folder, config, client, voice, key, status, reason, _now())


@app.command("take-back", help=options.TAKE_BACK)
def take_back(
    key: Key,
    to: To = None,
    reason: Reason = "",
    home: HomeDir = _HERE,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    with told(lang, as_json) as voice:
        folder, config = Home(home), Home(home).config()
        with folder.client(config) as client:
            records.take_back(Outgoing(folder, config), client, voice, key, _codes(to), reason, _now())


@app.command(help=options.SENT)
def sent(
    limit: Limit = 20,
    offline: Offline = False,
    home: HomeDir = _HERE,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    with told(lang, as_json) as voice:
        folder, config = Home(home), Home(home).config()
        with folder.client(config) as client:
            records.sent(folder, None if offline else client, voice, limit)


@app.command(help=options.INBOX)
def inbox(
    limit: Limit = 20,
    home: HomeDir = _HERE,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    with told(lang, as_json) as voice:
        records.inbox(Shelf(Home(home).inbox), voice, limit)


@app.command(help=options.SHOW)
def show(
    key: KeyOrFile,
    home: HomeDir = _HERE,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    with told(lang, as_json) as voice:
        folder = Home(home)
        records.show(folder, Outgoing(folder, folder.config()), voice, key)


@app.command(help=options.EVIDENCE)
def evidence(
    key: Key,
    to: IntoFile = None,
    home: HomeDir = _HERE,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    with told(lang, as_json) as voice:
        folder, config = Home(home), Home(home).config()
        with voice.progress() as progress, folder.client(config, progress=progress) as client:
            raise typer.Exit(proving.gather(Outgoing(folder, config), client, voice, key, to))


@app.command(help=options.VERIFY)
def verify(
    file: File,
    keys: KeyFiles = None,
    tsa: TsaFiles = None,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    with told(lang, as_json) as voice:
        raise typer.Exit(proving.verify(voice, file, keys or [], tsa or []))


def main() -> None:
    """Run the command."""
    add_to(app)
    os.umask(0o077)  # packets, keys and the token are this user's alone
    app()
