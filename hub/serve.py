"""Running the application under uvicorn: one process, or several on PostgreSQL."""

from __future__ import annotations

import errno
import ipaddress
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import structlog
import typer
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

from hub.app import check_bucket, create_app, now, open_hub
from hub.http.guards import tls_context
from hub.http.wire import GuardedHttp
from hub.logs import log_as_json, log_at_once
from hub.runtime import spare_what_stays, take_short_turns
from hub.settings import Settings

if TYPE_CHECKING:
    from hub.simulation.simulator import Simulator

log = structlog.get_logger()
_SETTINGS = "LIENTHONG_WORKER"  # how a parent hands its settings to its worker processes; no setting, so not HUB_
_KEEP = 75  # seconds a connection may wait for its next request: longer than proxies keep theirs, who must not lose one
_HUNG = 15  # seconds in which a worker must say that it is there


def run(settings: Settings, *, workers: int, behind_proxy: bool, by: str) -> None:
    """Serve until a signal. Refuses what would be unsafe, with the reason. ``by``: as for ``open_hub``."""
    if workers > 1 and settings.database.startswith("sqlite"):
        raise typer.BadParameter(
            "--workers above 1 needs PostgreSQL: SQLite has one writing process (HUB_DATABASE_URL)"
        )
    if workers > 1 and settings.simulation_port is not None:
        raise typer.BadParameter(
            "--workers above 1 cannot be simulated: each would misbehave by itself (--simulation-port, "
            "HUB_SIMULATION_PORT)"
        )
    if settings.traces and find_spec("opentelemetry.exporter") is None:
        raise typer.BadParameter("HUB_TRACES needs more packages: pip install 'lienthong[otel]'")
    try:
        socket.getaddrinfo(settings.host, settings.port)
    except (socket.gaierror, UnicodeError):
        raise typer.BadParameter(f"there is no address {settings.host} (--host, HUB_HOST)") from None
    _check_tls(settings)
    if not behind_proxy and not settings.tls_cert and not _is_loopback(settings.host):
        raise typer.BadParameter(
            f"{settings.host} can be reached from outside: give it TLS (--tls-cert, --tls-key), or put a proxy before "
            "it that does (--behind-proxy)"
        )
    options: dict[str, Any] = {
        "http": GuardedHttp,
        "ws": "none",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": behind_proxy,
        "forwarded_allow_ips": settings.proxies,
        "timeout_keep_alive": _KEEP,
        "timeout_worker_healthcheck": _HUNG,
        "timeout_graceful_shutdown": 10,
    }
    with open_hub(settings, by=by):
        check_bucket(settings)  # all that keeps it from starting is told here, in words and not as a server's trace
    simulator = _simulator(settings)
    with ExitStack() as stack:
        listening = stack.enter_context(_listening(settings.host, settings.port))
        # On standard output, so that whoever started the hub on port 0 learns where it is.
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        scheme = "https" if settings.tls_cert else "http"
        lines = [f"{scheme}://{host}:{listening.getsockname()[1]}"]
        if simulator is not None:
            lines.append(f"simulation {simulator.url}")
            hint = "whoever reaches this port can make the hub lose documents"
            log.warning("simulation", control=simulator.url, hint=hint)
        if settings.metrics:
            page = _page(settings, now if simulator is None else simulator.clock, workers)
            try:
                lines.append(f"metrics {stack.enter_context(page)}")
            except OSError as fault:
                raise typer.BadParameter(f"cannot serve {settings.metrics}: {fault.strerror} (HUB_METRICS)") from None
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
        if workers > 1:
            share = max(settings.packet_limit, settings.in_flight_limit // workers)
            os.environ[_SETTINGS] = settings.model_copy(update={"in_flight_limit": share}).model_dump_json()
            config = uvicorn.Config("hub.serve:worker", factory=True, workers=workers, **options)
            supervisor = _Renewing if settings.tls_cert else Multiprocess
            supervisor(config, sockets=[listening]).run()
        else:
            if simulator is None:
                application: ASGIApp = create_app(settings)
            else:
                options["http"] = simulator.http
                application = simulator.around(
                    create_app(settings, clock=simulator.clock, at=simulator.at, writing=simulator.writer)
                )
            server = uvicorn.Server(uvicorn.Config(application, **options))
            spare_what_stays()
            take_short_turns()
            server.run(sockets=[listening])
            if not server.started:
                raise typer.Exit(1)


def _simulator(settings: Settings) -> Simulator | None:
    """What makes the hub misbehave by order, if it is asked for."""
    if settings.simulation_port is None:
        if settings.simulation_clock is not None:
            raise typer.BadParameter("HUB_SIMULATION_CLOCK needs a simulation port (--simulation-port)")
        return None
    from hub.simulation.simulator import Simulator  # here: no hub in earnest has any of it

    listener = _listening("127.0.0.1", settings.simulation_port, "--simulation-port, HUB_SIMULATION_PORT")
    try:
        return Simulator(listener, settings.simulation_clock)
    except ValueError as fault:
        raise typer.BadParameter(f"HUB_SIMULATION_CLOCK: {fault}") from None


def _page(settings: Settings, clock: Callable[[], datetime], workers: int) -> AbstractContextManager[str]:
    """The page of metrics."""
    from hub import monitoring  # here: a hub without the page needs none of it

    return monitoring.served(settings, clock, several=workers > 1)


class _Renewing(Multiprocess):
    """Passes SIGHUP on, for each worker to renew its certificate (``Guards.renewed_by_signal``).

    To replace the workers instead, as uvicorn does, cuts off whoever is in a handshake or just after it.
    """

    def handle_hup(self) -> None:
        for process in self.processes:
            # One that has ended, or ends by this because it is only starting, is replaced, and reads the new files.
            if process.exitcode is None and process.pid is not None:
                os.kill(process.pid, signal.SIGHUP)


def _listening(host: str, port: int, options: str = "--port, HUB_PORT; --host, HUB_HOST") -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as fault:
        why = "another program listens there" if fault.errno == errno.EADDRINUSE else os.strerror(fault.errno or 0)
        raise typer.BadParameter(f"cannot listen on {host}, port {port}: {why} ({options})") from None


def worker() -> ASGIApp:
    """The application of one of several processes.

    Where it cannot start, this process ends as one that died and is replaced: uvicorn's own exit for that would end the
    whole hub, and the parent had found everything in order, so what is missing now comes back.
    """
    log_as_json()
    threading.Thread(target=_end_with_the_parent, name="parent", daemon=True).start()
    settings = Settings.model_validate_json(os.environ[_SETTINGS])
    if settings.metrics:
        from hub.monitoring import hand_over  # here, as in `_page`

        threading.Thread(target=hand_over, args=(settings,), name="metrics", daemon=True).start()
    app = create_app(settings)
    spare_what_stays()
    take_short_turns()

    async def replaceable(scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                log.error("worker-start", why=message["message"].strip().rpartition("\n")[2])
                log_at_once()
                os._exit(1)
            await send(message)

        await app(scope, receive, told if scope["type"] == "lifespan" else send)

    return replaceable


def _end_with_the_parent() -> None:
    """Without it a worker whose parent was killed would keep the port, and nobody could start the hub again."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _check_tls(settings: Settings) -> None:
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise typer.BadParameter("TLS needs both a certificate and its key (--tls-cert, --tls-key)")
    if not settings.tls_cert:
        return
    for option, file in (("--tls-cert, HUB_TLS_CERT", settings.tls_cert), ("--tls-key, HUB_TLS_KEY", settings.tls_key)):
        try:
            open(file, "rb").close()
        except OSError as fault:
            raise typer.BadParameter(f"cannot read {file}: {fault.strerror} ({option})") from None
    try:
        tls_context(settings.tls_cert, settings.tls_key)
    except ssl.SSLError as fault:
        why = (
            "the key is another certificate's"
            if fault.reason == "KEY_VALUES_MISMATCH"
            else "no PEM of a certificate and a key without passphrase"
        )
        raise typer.BadParameter(
            f"cannot use {settings.tls_cert} with {settings.tls_key}: {why} (--tls-cert, --tls-key)"
        ) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
