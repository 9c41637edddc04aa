"""A client of the national gateway's dialect, on the wire as the vendor's Java client is: ``GatewayClient``.

``client`` has the calls and the connection, ``headers`` what is signed and in which order it stands, ``answers`` what
comes back. §n is a clause of the gateway contract.

For tests it is a fair peer: it sends what the Java client sends, stale keys included, and refuses every answer that
would leave that client's caller without a result or with a wrong one. Where it differs:

* no ``Expect: 100-continue`` before a body: httpx cannot wait for the server's word;
* values always go out as UTF-8; the Java client breaks those that are not ASCII on some paths (§2.4);
* nothing is repeated and no redirect followed; a connection that fails is httpx's exception (§6).
"""

from clients.gateway_client.answers import Answer, NoDocument, UnreadableAnswer
from clients.gateway_client.client import GatewayClient
from clients.gateway_client.headers import hash_file, hash_map_order, signed_headers, timestamp

__all__ = [
    "Answer",
    "GatewayClient",
    "NoDocument",
    "UnreadableAnswer",
    "hash_file",
    "hash_map_order",
    "signed_headers",
    "timestamp",
]
