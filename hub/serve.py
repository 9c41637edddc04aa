"""Running the application under uvicorn: one process, or several on PostgreSQL."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from typing import Any

import typer
import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from hub.api.wire import GuardedHttp
from hub.app import create_app, log_as_json
from hub.settings import Settings

_SETTINGS = "HUB_SERVE_SETTINGS"  # how a parent hands its settings to its worker processes


def run(settings: Settings, *, workers: int, behind_proxy: bool) -> None:
    """Serve until a signal. Refuses what would be unsafe, with the reason."""
    if workers > 1 and settings.database.startswith("sqlite"):
        raise typer.BadParameter(
            "--workers above 1 needs PostgreSQL: SQLite has one writing process (HUB_DATABASE_URL)"
        )
    if not behind_proxy and not _is_loopback(settings.host):
        raise typer.BadParameter(
            f"{settings.host} can be reached from outside: put a TLS proxy before it (--behind-proxy)"
        )
    options: dict[str, Any] = {
        "http": GuardedHttp,
        "ws": "none",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": behind_proxy,
        "timeout_graceful_shutdown": 10,
    }
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family, backlog=2048) as listening:
        # On standard output, so that whoever started the hub on port 0 learns where it is.
        sys.stdout.write(f"http://{settings.host}:{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        if workers > 1:
            os.environ[_SETTINGS] = settings.model_dump_json()
            config = uvicorn.Config("hub.serve:worker", factory=True, workers=workers, **options)
            Multiprocess(config, sockets=[listening]).run()
        else:
            uvicorn.Server(uvicorn.Config(create_app(settings), **options)).run(sockets=[listening])


def worker() -> FastAPI:
    """The application of one of several processes."""
    log_as_json()
    return create_app(Settings.model_validate_json(os.environ[_SETTINGS]))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
