"""An AS2 station: it verifies messages and signs receipts with pyas2lib; a server when run as a module.

Nothing else imports this: pyas2lib is not among the project's requirements.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

SENDER, RECEIVER = "vpcp", "ubnd"
PROCESSED = b"MDN-sent-automatically; processed\r\n"  # nothing follows it: no error, no warning


_DIGITS = r"\b(\d\.\d\.\d[a-z]*)\b"


@contextmanager
def _any_openssl() -> Iterator[None]:
    """oscrypto 1.3.0, its last version, finds no version in "OpenSSL 3.0.19": its pattern expects single digits."""
    search = re.search

    def found(pattern: Any, *of: Any) -> Any:
        return search(pattern.replace(r"\d", r"\d+") if pattern == _DIGITS else pattern, *of)

    re.search = found  # type: ignore[assignment]  # it takes and gives what the other does
    try:
        yield
    finally:
        re.search = search


with _any_openssl():
    from pyas2lib import as2


def furnish(folder: Path) -> None:
    """Write a key with its certificate for sender and receiver."""
    for name in (SENDER, RECEIVER):
        key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        (folder / f"{name}.key").write_bytes(pem)
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))


class Station:
    """One of the two, with the certificate of the other."""

    def __init__(self, folder: Path, own: str, other: str) -> None:
        key = (folder / f"{own}.key").read_bytes() + (folder / f"{own}.pem").read_bytes()
        self._own = as2.Organization(own, sign_key=key, domain="axis.example.vn")
        self._other = as2.Partner(
            other,
            verify_cert=(folder / f"{other}.pem").read_bytes(),
            sign=True,
            mdn_mode="SYNC",
            mdn_digest_alg="sha256",
        )

    def message(self, packet: bytes) -> bytes:
        """A signed message with the packet that asks for a signed receipt: heads, an empty line, the body."""
        message = as2.Message(self._own, self._other)
        message.build(packet, filename="van-ban.edxml", content_type="application/octet-stream")
        return _written(message)

    def answer(self, message: bytes) -> tuple[bytes, bytes]:
        """The packet in it, and the receipt."""
        found = as2.Message()
        _, _, receipt = found.parse(message, lambda _name: self._own, lambda _name: self._other)
        return found.content, _written(receipt)


def _written(part: Any) -> bytes:
    heads = (f"{name}: {' '.join(value.split())}\r\n" for name, value in part.headers.items())
    content: bytes = part.content
    return "".join(heads).encode() + b"\r\n" + content


class Server:
    """An ASGI application: keeps the packet in a file, synced, and answers with the receipt."""

    def __init__(self, folder: Path) -> None:
        self._station = Station(folder, RECEIVER, SENDER)
        self._kept = folder
        self._numbers = count()

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        heads = b"".join(name + b": " + value + b"\r\n" for name, value in scope["headers"])
        parts, more = [heads, b"\r\n"], True
        while more:
            part = await receive()
            parts.append(part.get("body", b""))
            more = part.get("more_body", False)
        packet, receipt = self._station.answer(b"".join(parts))
        with open(self._kept / f"{os.getpid()}-{next(self._numbers)}.edxml", "wb") as file:
            file.write(packet)
            file.flush()
            os.fsync(file.fileno())
        length = str(len(receipt)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": receipt})


def serve(folder: Path, port: int) -> None:
    """Until it is told to end; one process of as many that listen on the port."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(("127.0.0.1", port))
        config = uvicorn.Config(Server(folder), http="httptools", lifespan="off", log_config=None, access_log=False)
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    for _ in range((os.cpu_count() or 1) - 1):
        if os.fork() == 0:
            break
    serve(Path(sys.argv[1]), int(sys.argv[2]))
