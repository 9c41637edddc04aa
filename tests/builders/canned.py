"""The gateway client's calls, one of each, towards somebody who answers with given bytes.

``tests/data/gateway`` has the requests as Apache HttpClient, HttpURLConnection and ``java.util.HashMap`` made them of
invented data, and an answer to each.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builders.served import Deed, a_line, answers

from clients.gateway_client import GatewayClient

OWN = Path(__file__).parents[1] / "data" / "gateway"
SYSTEM, SECRET = "qlvb.bacninh", "khoa-bi-mat-de-thu"
BORN = datetime(2025, 10, 1, 2, 5, 7, 42_999, tzinfo=UTC)
RECEIVED, SENT = "68dc8a1e00000000000000a1", "68dc8a1e00000000000000b2"
PACKET = (OWN / "downloadEdoc.resp").read_bytes().partition(b"\r\n\r\n")[2]
NEW_AGENCY = {
    "id": "", "pcode": "H05", "code": "H05.01", "name": "Văn phòng Ủy ban nhân dân tỉnh Bắc Ninh",
    "mail": "vanphong@bacninh.example.vn", "mobile": "", "fax": "",
}  # fmt: skip

Call = Callable[[GatewayClient], Any]
CALLS: dict[str, Call] = {
    "getAgenciesList": lambda client: client.get_agencies_list(),
    "getAgenciesListQD20": lambda client: client.get_agencies_list_qd20("1"),
    "getSynchronizeUnit": lambda client: client.get_synchronize_unit(),
    "registerAgency": lambda client: client.register_agency(NEW_AGENCY),
    "deleteAgency": lambda client: client.delete_agency("H05.01"),
    "sendEdoc": lambda client: client.send_edoc(PACKET, sender="H05", to=("H41", "G22")),
    "getReceivedEdocList": lambda client: client.get_received_edoc_list(
        "edoc", "01/10/2025 00:00:00", "01/10/2025 23:59:59"
    ),
    "getEdoc": lambda client: client.get_edoc(RECEIVED),
    "downloadEdoc": lambda client: client.download_edoc(RECEIVED),
    "updateStatus": lambda client: client.update_status(RECEIVED, "done"),
    "getSentEdocList": lambda client: client.get_sent_edoc_list(doc_id=SENT),
    "countReceiveEdoc": lambda client: client.count_receive_edoc(),
    "countReceiveStatus": lambda client: client.count_receive_status(),
}


def gives(answer: bytes) -> Deed:
    """Answers with these very bytes."""
    return lambda line, client, request: client.sendall(answer)


def canned(method: str) -> Deed:
    """Answers as ``tests/data/gateway`` has it."""
    return gives((OWN / f"{method}.resp").read_bytes())


def says(status: int = 200, /, **members: Any) -> Deed:
    """A success, but for ``members``; one that is None is left out."""
    body = {"status": "OK", "ErrorCode": "0", "ErrorDesc": ""} | members
    return answers(status, json.dumps({name: value for name, value in body.items() if value is not None}).encode())


def a_client(endpoint: str, system_id: str = SYSTEM, secret: str = SECRET, born: datetime = BORN) -> GatewayClient:
    return GatewayClient(endpoint, system_id, secret, timeout=20.0, clock=lambda: born)


def ask(method: str, *deeds: Deed) -> Any:
    """One call of a new client, and what it makes of the answer."""
    with a_line(*deeds) as line, a_client(line.base_url) as client:
        return CALLS[method](client)
