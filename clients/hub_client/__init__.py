"""The Python client of the hub's REST interface: ``HubClient``, and ``AsyncHubClient`` with the same methods awaited.

``client`` has the two and their I/O; ``calls`` the protocol and its repeats, once for both; ``answers`` what comes
back; ``failures`` what is raised; ``proofs`` what is signed and verified with keys. Of the hub the client shares the
packet format and the catalogue (``hub.domain``, ``hub.errors``) and nothing else.
"""

from clients.hub_client.answers import (
    Accepted,
    AgencyCertificate,
    Evidence,
    File,
    Lease,
    Page,
    Received,
    Registered,
    Reported,
    Validation,
)
from clients.hub_client.client import AsyncHubClient, HubClient
from clients.hub_client.failures import HubFailure, Refused, Unavailable
from clients.hub_client.proofs import Verified

__all__ = [
    "Accepted",
    "AgencyCertificate",
    "AsyncHubClient",
    "Evidence",
    "File",
    "HubClient",
    "HubFailure",
    "Lease",
    "Page",
    "Received",
    "Refused",
    "Registered",
    "Reported",
    "Unavailable",
    "Validation",
    "Verified",
]
