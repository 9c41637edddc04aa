"""The gateway dialect spoken to a served hub: through the project's client, or by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from builders.axis import Peer
from builders.served import Served
from builders.wire import Answer, Wire

from clients.gateway_client import GatewayClient, signed_headers

BORN = "01102025T090000+0000"  # as the client's object was built when the tests' clock began


def a_client(hub: Served, peer: Peer, endpoint: str = "/axis") -> GatewayClient:
    """A client object of the peer's software."""
    return GatewayClient(hub.base_url + endpoint, peer.system_id, peer.credentials["secret"], clock=hub.axis.clock)


def signed(peer: Peer, arguments: Mapping[str, str]) -> list[tuple[str, str]]:
    """The header lines of a call, signed with the peer's secret; ``arguments`` may name another systemid."""
    values = {"timestamp": BORN, "systemid": peer.system_id} | dict(arguments)
    return signed_headers(values, peer.credentials["secret"])


def request(method: str, headers: list[tuple[str, str]], body: bytes = b"", *, prefix: str = "/axis") -> bytes:
    """A whole request; ``method`` is that of the dialect, or with a blank the HTTP verb and it."""
    verb, _, name = method.rpartition(" ")
    lines = [f"{verb or 'POST'} {prefix}/{name} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def say(hub: Served, data: bytes) -> Answer:
    """One request on a connection of its own, and its answer."""
    with Wire(hub.base_url) as wire:
        return wire.pour(data).hear()


def call(hub: Served, peer: Peer, method: str, body: bytes = b"", **arguments: Any) -> Answer:
    """One signed call by hand."""
    return say(hub, request(method, signed(peer, arguments), body))
