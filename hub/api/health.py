"""``/healthz``: the process answers. ``/readyz``: the writer commits and the database reads, within two seconds."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hub.api import shapes
from hub.api.caller import interface
from hub.errors import Refusal
from hub.exchange.writer import Transaction
from hub.store import schema
from hub.store.engine import reading, temporary

router = APIRouter(tags=["health"])
_PATIENCE = 2.0  # seconds


@router.get("/healthz", summary="The process answers")
async def healthz() -> Response:
    return shapes.reply({"status": "ok"})


def _nothing(_tx: Transaction, jobs: list[None]) -> list[None]:
    return jobs


@router.get("/readyz", summary="The hub accepts and delivers", responses={503: {"description": "It does not"}})
async def readyz(request: Request) -> Response:
    """Green only when a transaction has just been committed and the schema is the program's own."""
    desk = interface(request).desk

    def read() -> bool:
        with reading(desk.engine) as connection:
            return schema.revision_of(connection) == schema.head()

    checks = {"writer": desk.write(_nothing, None), "database": run_in_threadpool(read)}
    found: dict[str, str] = {}
    for name, check in checks.items():
        try:
            result = await asyncio.wait_for(check, _PATIENCE)
            found[name] = "ok" if result is not False else "schema"
        except TimeoutError:
            found[name] = "stuck"
        except Exception as fault:
            refusal = fault if isinstance(fault, Refusal) else temporary(fault)
            found[name] = refusal.code if refusal else type(fault).__name__
    good = all(value == "ok" for value in found.values())
    return shapes.reply({"status": "ok" if good else "unavailable", **found}, 200 if good else 503)
