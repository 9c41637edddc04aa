"""The composition root: builds everything from the settings. Nothing imports this but the commands and the tests."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from alembic.util import CommandError
from cryptography.fernet import Fernet
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from hub.background import beside
from hub.data import read_agencies
from hub.errors import Refusal
from hub.exchange import audit, keys, steering
from hub.exchange.checkers import Processes
from hub.exchange.desk import Desk, Terms
from hub.exchange.inspection import Inspector
from hub.exchange.requirement import Requirement
from hub.exchange.retention import Keep, Keeper
from hub.exchange.seed import seed
from hub.exchange.sequencer import Sequencer
from hub.exchange.tallying import Teller
from hub.exchange.writer import Writer
from hub.http.bell import Bell
from hub.logs import log_at_once
from hub.pdf import Examiner
from hub.settings import Settings
from hub.store import schema, writeback
from hub.store.durable import make_folder
from hub.store.engine import open_engine, reading, temporary
from hub.store.keyfile import open_vault
from hub.store.notices import listening
from hub.store.payloads import Folder, Payloads
from hub.store.roster import Rosters

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.responses import Response

    from hub.exchange.timestamping import Timestamper
    from hub.store.s3 import Bucket

Clock = Callable[[], datetime]
_THREADS = 4  # that read for answers: the framework's 40 spend their time waiting for the interpreter's lock
At = Callable[[str], None]


def now() -> datetime:
    return datetime.now(UTC)


def no_step(step: str) -> None:
    """Crash tests put something else here."""


@contextmanager
def open_database(settings: Settings, *, create: bool, by: str = "") -> Iterator[Engine]:
    """The hub's database at this program's schema; without ``create`` there must be one. ``by``: whom the audit names
    for having made or migrated it.

    Raises ``hub-missing``, ``folder-unusable`` and ``database-unusable``, which tell the operator where and why, and
    the refusals of faults that pass.
    """
    try:
        engine = open_engine(settings.database)
    except (SQLAlchemyError, ValueError) as fault:
        raise Refusal("database-unusable", facts={"where": "HUB_DATABASE_URL", "why": fault}) from None
    try:
        before = _prepare(engine, settings, create)
        if by and before != schema.head():
            noted(engine, by, "schema-migrate", schema.head() or "", {"from": before})
        yield engine
    finally:
        engine.dispose()


def noted(engine: Engine, by: str, action: str, subject: str, facts: Mapping[str, Any]) -> None:
    """Put into the audit what a command has done that opens no hub (``hub.exchange.audit``)."""
    with Writer(engine, Rosters(engine), now) as writer:
        writer.run(audit.put, audit.Deed(by, action, subject, facts))


def _prepare(engine: Engine, settings: Settings, create: bool) -> str | None:
    file = Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None
    where = file or engine.url.render_as_string(hide_password=True)
    if create:
        _make(settings.data_dir)
        if settings.payloads is not None:
            _make(settings.payloads)
    try:
        # Looked for first: opening a file makes it.
        if not create and ((file is not None and not file.exists()) or _is_empty(engine)):
            raise Refusal("hub-missing", facts={"where": where})
        return _to_this_schema(engine, where, create)
    except (SQLAlchemyError, CommandError, OSError) as fault:
        passing = temporary(fault)
        if passing is not None and passing.code != "database-away":
            raise passing from None
        why = " ".join(str(getattr(fault, "orig", None) or fault).split()).rstrip(".?")
        raise Refusal("database-unusable", facts={"where": where, "why": why}) from None


def _to_this_schema(engine: Engine, where: object, migrate: bool) -> str | None:
    """Bring the database to this program's schema, or without ``migrate`` demand it: who looks on changes nothing.

    Gives the revision it had.
    """
    with reading(engine) as connection:
        found = schema.revision_of(connection)
    facts = {"where": where, "found": found, "needed": schema.head()}
    if found is not None and not schema.is_known(found):
        raise Refusal("schema-newer", facts=facts)
    if migrate:
        return schema.upgrade(engine)
    if found != schema.head():
        raise Refusal("schema-older", facts=facts)
    return found


def _is_empty(engine: Engine) -> bool:
    with reading(engine) as connection:
        return schema.revision_of(connection) is None


def _bucket(settings: Settings) -> Bucket:
    from hub.store.s3 import Access, Bucket  # here: whoever has no bucket need not wait for its library

    bucket, _, prefix = settings.payloads_url.removeprefix("s3://").partition("/")
    place = (bucket, prefix, settings.s3_endpoint, settings.s3_region)
    return Bucket(Access(*place, settings.s3_access_key, settings.s3_secret_key))


def check_bucket(settings: Settings) -> None:
    """Raises ``payloads-unusable`` if packets lie in a bucket and it takes none. Asked before serving, not by workers:
    one that starts later finds what was in order, and what is away then comes back.
    """
    if settings.payloads is None:
        _bucket(settings).check()


def open_payloads(settings: Settings) -> Payloads:
    """Where the hub's packets lie that are too large for a row. Raises ``payloads-unusable``."""
    return Folder(settings.payloads) if settings.payloads is not None else _bucket(settings)


def _make(folder: Path) -> None:
    try:
        make_folder(folder)
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as fault:
        why = "it is no folder" if isinstance(fault, FileExistsError) else fault.strerror
        raise Refusal("folder-unusable", facts={"folder": folder, "why": why}) from None


@contextmanager
def open_hub(
    settings: Settings,
    *,
    create: bool = True,
    clock: Clock = now,
    at: At = no_step,
    bell: Bell | None = None,
    writing: type[Writer] = Writer,
    anew: bool = False,
    by: str = "",
) -> Iterator[Desk]:
    """A hub's exchange on its database (see :func:`open_database`), without any interface. ``anew``: its own keys are
    made anew if the key file does not read them; the audit names ``by`` for that too.

    Raises ``key-file-lost`` and ``key-file-unusable`` too.
    """
    with open_database(settings, create=create, by=by) as engine:
        rosters = Rosters(engine)
        with writing(engine, rosters, clock, at=at, committed=bell.ring if bell else lambda systems: None) as writer:
            writer.run(seed, read_agencies())
            anew = anew or not _key_file(settings).exists()
            vault = open_vault(_key_file(settings), make=not rosters.current(now=True).systems)
            writer.notary = writer.run(keys.begin, keys.Begin(vault, settings.log_origin, anew, by))
            desk = _desk(settings, engine, rosters, writer, vault, clock, at)
            try:
                yield desk
            finally:
                desk.close()


def _key_file(settings: Settings) -> Path:
    return settings.data_dir / "secrets.key"


def _desk(
    settings: Settings, engine: Engine, rosters: Rosters, writer: Writer, vault: Fernet, clock: Clock, at: At
) -> Desk:
    terms = Terms(
        limits=settings.limits,
        inline_limit=settings.inline_limit,
        refuse_taken=settings.number_taken == "refuse",
        sweep_seconds=settings.sweep_seconds,
    )
    return Desk(engine, rosters, open_payloads(settings), vault, writer, clock, terms, at)


def _keep(settings: Settings) -> Keep:
    return Keep(settings.keep_packets, settings.keep_metadata, settings.keep_history, settings.keep_refusals)


def _timestamper(settings: Settings, desk: Desk) -> Timestamper:
    # Here and not above: whoever has no such authority need not wait for what asks it.
    from hub.domain.timestamp import TimestampError
    from hub.exchange.timestamping import Timestamper
    from hub.revocation import FetchError, stamped

    async def ask(question: bytes) -> bytes:
        try:
            return await stamped(settings.log_tsa_url, question)
        except FetchError as why:
            raise TimestampError(*why.args) from None

    host = urlsplit(settings.log_tsa_url).hostname or ""  # the rest may have a password
    return Timestamper(desk, ask, host, timedelta(seconds=settings.log_tsa_seconds))


def create_app(settings: Settings, *, clock: Clock = now, at: At = no_step, writing: type[Writer] = Writer) -> FastAPI:
    """The hub's ASGI application; its database is opened when the application starts."""
    # Here and not above: every `hub` command would wait half a second for what only serving needs.
    from anyio import to_thread

    from hub import console
    from hub.api import agencies, deliveries, documents, evidence, examinations, health, log, problems, site, trusted
    from hub.api.routes import Application
    from hub.gateway import answers as gateway_answers
    from hub.gateway import axis
    from hub.http.guards import Guards
    from hub.http.interface import Interface
    from hub.http.trace import Trace

    def refused(path: str, refusal: Refusal) -> Response:
        if console.is_its(path):
            return console.fault(refusal)
        method = axis.method_of(path)
        return problems.problem(refusal) if method is None else gateway_answers.refused(method, refusal)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        to_thread.current_default_thread_limiter().total_tokens = _THREADS
        bell, guards = Bell(), Guards(settings)
        with open_hub(settings, clock=clock, at=at, bell=bell, writing=writing) as desk:
            bell.open()
            app.state.interface = Interface(desk, bell, settings)
            async with AsyncExitStack() as stack:
                if settings.checkers:
                    desk.checkers = await stack.enter_async_context(Processes(settings.checkers))
                required = settings.pdf_policy == "require"
                requirement = Requirement(desk.engine, desk.checkers, by_default=required, count=settings.examiners)
                desk.checkers = stack.enter_context(requirement)
                state: dict[str, Any] = {"guards": guards, "refused": refused}
                if settings.traces:
                    from hub.tracing import Spans  # here: it needs the extra, and takes a quarter of a second

                    state["spans"] = Spans(settings.traces)
                    stack.push_async_callback(to_thread.run_sync, state["spans"].close)
                await stack.enter_async_context(beside(desk.sweep()))
                await stack.enter_async_context(beside(Sequencer(desk).keep()))
                await stack.enter_async_context(beside(steering.keep(desk)))
                await stack.enter_async_context(beside(Teller(desk).keep()))
                if settings.log_tsa_url:
                    await stack.enter_async_context(beside(_timestamper(settings, desk).keep()))
                stack.enter_context(writeback.keeping(desk.engine))
                stack.enter_context(Inspector(desk, Examiner()))
                await stack.enter_async_context(beside(Keeper(desk, _keep(settings), at).keep()))
                await stack.enter_async_context(app.state.interface.disk.watched())
                await stack.enter_async_context(beside(app.state.interface.polls.keep()))
                with listening(desk.engine, bell.ring), bell.closed_by_signals(), guards.renewed_by_signal():
                    # The state of whatever serves this application.
                    yield state
                    bell.close()
        log_at_once()  # the server may end the process by a signal

    app = Application(
        title="Trục liên thông văn bản",
        version=version("lienthong"),
        lifespan=lifespan,
        docs_url=None,  # `site` has its own
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        redirect_slashes=False,  # a redirect would lead to whatever the request's Host header says
    )
    problems.install(app)
    app.call_directly(documents.packets)
    app.leave_to(Trace(axis.Gateway(clock), refused), lambda path: axis.method_of(path) is not None)
    app.include(
        documents.reads, deliveries.operations, agencies.operations, evidence.operations,
        examinations.operations, trusted.operations, log.operations, health.operations,
    )  # fmt: skip
    site.install(app)
    console.install(app)
    app.add_middleware(Trace, answer=refused)
    return app
