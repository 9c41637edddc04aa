"""The composition root: builds everything from the settings. Nothing imports this but the commands and the tests."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Engine
from structlog.tracebacks import ExceptionDictTransformer

from hub.api.bell import Bell
from hub.data import read_agencies
from hub.exchange.desk import Desk, Terms
from hub.exchange.seed import seed
from hub.exchange.writer import Writer
from hub.settings import Settings
from hub.store import schema
from hub.store.engine import open_engine
from hub.store.keyfile import open_vault
from hub.store.payloads import Folder
from hub.store.roster import Rosters

if TYPE_CHECKING:
    from fastapi import FastAPI

Clock = Callable[[], datetime]
At = Callable[[str], None]


def now() -> datetime:
    return datetime.now(UTC)


def no_step(step: str) -> None:
    """Crash tests put something else here."""


@contextmanager
def open_hub(settings: Settings, *, clock: Clock = now, at: At = no_step, bell: Bell | None = None) -> Iterator[Desk]:
    """A hub's exchange on its database, created and migrated when needed; without any interface."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    settings.payloads.mkdir(parents=True, exist_ok=True)
    engine = open_engine(settings.database)
    try:
        schema.upgrade(engine)
        rosters = Rosters(engine)
        with Writer(engine, rosters, clock, at=at, committed=bell.ring if bell else lambda systems: None) as writer:
            writer.run(seed, read_agencies())
            desk = _desk(settings, engine, rosters, writer, clock, at)
            try:
                yield desk
            finally:
                desk.close()
    finally:
        engine.dispose()


def _desk(settings: Settings, engine: Engine, rosters: Rosters, writer: Writer, clock: Clock, at: At) -> Desk:
    terms = Terms(
        limits=settings.limits,
        inline_limit=settings.inline_limit,
        refuse_taken=settings.number_taken == "refuse",
        sweep_seconds=settings.sweep_seconds,
    )
    vault = open_vault(settings.data_dir / "secrets.key")
    return Desk(engine, rosters, Folder(settings.payloads), vault, writer, clock, terms, at)


def create_app(settings: Settings, *, clock: Clock = now, at: At = no_step) -> FastAPI:
    """The hub's ASGI application; its database is opened when the application starts."""
    # Here and not above: every `hub` command would wait half a second for what only serving needs.
    from fastapi import FastAPI

    from hub.api import agencies, deliveries, documents, health, problems
    from hub.api.caller import Interface
    from hub.api.listen import listening
    from hub.api.trace import Trace

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        bell = Bell()
        with open_hub(settings, clock=clock, at=at, bell=bell) as desk:
            bell.open()
            app.state.interface = Interface(desk, bell, settings)
            async with desk.sweeping():
                with listening(desk.engine, bell), bell.closed_by_signals():
                    yield
                    bell.close()

    app = FastAPI(
        title="Trục liên thông văn bản",
        version=version("lienthong"),
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would lead to whatever the request's Host header says
    )
    problems.install(app)
    for module in (documents, deliveries, agencies, health):
        app.include_router(module.router)
    app.add_middleware(Trace)
    return app


def log_as_json() -> None:
    """JSON lines on standard error, one id from request to status in them."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without the values of variables: among them are tokens and packets.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False, max_frames=10)),
            structlog.processors.JSONRenderer(serializer=json.dumps, ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
