"""Running the application under uvicorn: one process, or several on PostgreSQL."""

from __future__ import annotations

import errno
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
from hub.app import create_app, log_as_json, open_hub
from hub.settings import Settings

_SETTINGS = "LIENTHONG_WORKER"  # how a parent hands its settings to its worker processes; no setting, so not HUB_


def run(settings: Settings, *, workers: int, behind_proxy: bool) -> None:
    """Serve until a signal. Refuses what would be unsafe, with the reason."""
    if workers > 1 and settings.database.startswith("sqlite"):
        raise typer.BadParameter(
            "--workers above 1 needs PostgreSQL: SQLite has one writing process (HUB_DATABASE_URL)"
        )
    try:
        socket.getaddrinfo(settings.host, settings.port)
    except (socket.gaierror, UnicodeError):
        raise typer.BadParameter(f"there is no address {settings.host} (--host, HUB_HOST)") from None
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
    with open_hub(settings):
        pass  # what keeps the hub from starting is told here in words; there it would be a server's trace
    with _listening(settings.host, settings.port) as listening:
        # On standard output, so that whoever started the hub on port 0 learns where it is.
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        sys.stdout.write(f"http://{host}:{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        if workers > 1:
            os.environ[_SETTINGS] = settings.model_dump_json()
            config = uvicorn.Config("hub.serve:worker", factory=True, workers=workers, **options)
            Multiprocess(config, sockets=[listening]).run()
        else:
            server = uvicorn.Server(uvicorn.Config(create_app(settings), **options))
            server.run(sockets=[listening])
            if not server.started:
                raise typer.Exit(1)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as fault:
        why = "another program listens there" if fault.errno == errno.EADDRINUSE else os.strerror(fault.errno or 0)
        raise typer.BadParameter(
            f"cannot listen on {host}, port {port}: {why} (--port, HUB_PORT; --host, HUB_HOST)"
        ) from None


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
