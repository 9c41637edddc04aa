"""How much strangers may begin: connections in all and from one address, heads that do not end (exchange rules 10);
and the TLS they are met with.
"""

from __future__ import annotations

import ipaddress
import signal
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from hub import metrics
from hub.settings import Settings

log = structlog.get_logger()

HEADS_LIMIT = 64 * 1024 * 1024  # bytes of all heads that have begun and not ended
_OWN = 256  # file descriptors that are kept for the database, payloads and checkers
_TELL_AGAIN = 60.0  # seconds


class Guards:
    """One process's counts, kept in its event loop; ``tls`` is None where a proxy does TLS or nobody."""

    def __init__(self, settings: Settings) -> None:
        """Raises OSError (``ssl.SSLError`` among them) for a certificate or key that cannot be used."""
        self.head_timeout = settings.head_timeout
        self.patience = settings.body_timeout
        self.dropped_most = 2 * settings.packet_limit  # bytes of a refused body: who has more cannot be told
        self.heads = 0  # bytes of heads that have begun
        self._most = min(settings.connections_limit, _descriptors(settings.connections_limit + _OWN) - _OWN)
        self._each = settings.connections_per_address
        self._proxies = [ipaddress.ip_network(proxy) for proxy in settings.proxies]
        self._open = 0
        self._by_address: Counter[str] = Counter()
        self._told = -_TELL_AGAIN
        self._files = settings.tls_cert, settings.tls_key
        self.tls = tls_context(*self._files) if settings.tls_cert else None

    def enter(self, address: str) -> bool:
        """Count a connection in, unless that is one too many."""
        who = self._who(address)
        of_address = self._by_address[who] if who else 0
        if self._open >= self._most or of_address >= self._each:
            metrics.CONNECTIONS_REFUSED.add()
            if time.monotonic() - self._told >= _TELL_AGAIN:  # a line for each would fill the disk
                self._told = time.monotonic()
                log.warning("connections-limit", client=address, of_address=of_address, open=self._open)
            return False
        self._open += 1
        if who:
            self._by_address[who] += 1
        return True

    def leave(self, address: str) -> None:
        self._open -= 1
        who = self._who(address)
        if who:
            self._by_address[who] -= 1
            if not self._by_address[who]:
                del self._by_address[who]

    def _who(self, address: str) -> str:
        """Whose connections are counted together; empty for proxies, behind which there are many."""
        if not address:
            return ""
        found = ipaddress.ip_address(address.partition("%")[0])
        return "" if any(found in proxy for proxy in self._proxies) else holder(address)

    @contextmanager
    def renewed_by_signal(self) -> Iterator[None]:
        """Reads certificate and key again on SIGHUP; files that cannot be used change nothing."""
        if self.tls is None or sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
            yield
            return

        def renew(*_: object) -> None:
            try:
                self.tls = tls_context(*self._files)
                log.info("certificate-renewed")
            except OSError as fault:
                log.error("certificate-unusable", why=str(fault))

        before = signal.signal(signal.SIGHUP, renew)
        try:
            yield
        finally:
            signal.signal(signal.SIGHUP, before)


def holder(address: str) -> str:
    """Whose an address is. Of IPv6 the first 64 bits: whoever has one address there has all the others."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address  # as a trusted proxy said it
    if isinstance(found, ipaddress.IPv4Address):
        return address
    return str(found.ipv4_mapped or found.exploded[:19])


def tls_context(certificate: str, key: str) -> ssl.SSLContext:
    """TLS 1.2 and later, for a server with this certificate and its chain. Raises OSError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate, key, password=lambda: "")  # else it would ask whoever sits at the terminal
    return context


def _descriptors(wanted: int) -> int:
    """How many file descriptors this process may have, after raising that to ``wanted`` as far as it may."""
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= wanted:
        return wanted
    raised = wanted if hard == unlimited else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return raised
