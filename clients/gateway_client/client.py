"""``GatewayClient``: one method for each call of the dialect, over a blocking ``httpx`` client."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from types import TracebackType

import httpx

from clients.gateway_client.answers import Answer, UnreadableAnswer, read_answer, read_download
from clients.gateway_client.headers import (
    compact,
    hash_file,
    signed_headers,
    timestamp,
    with_apache_headers,
    with_jdk_headers,
)
from hub.domain.document import VIETNAM


def _now() -> datetime:
    return datetime.now(VIETNAM)


class GatewayClient:
    """A system's access to the gateway; a context manager. Not to be shared between threads.

    As in the Java client, the map of headers belongs to the object and is never cleared: every call sends and signs the
    keys of all earlier calls again, under the timestamp of the object's construction (§2.1).

    Methods raise ``UnreadableAnswer``, and ``httpx.TransportError`` without an answer. A refusal is an ``Answer``.
    """

    def __init__(
        self,
        endpoint: str,
        system_id: str,
        secret: str,
        *,
        timeout: float = 75.0,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """``endpoint``: the address to which ``/`` and the method's name are added; ``timeout``: seconds to connect,
        and for the next part to be written or read; ``clock`` gives an aware time and is asked once."""
        self._endpoint, self._secret = endpoint, secret
        self._values = {"timestamp": timestamp(clock()), "systemid": system_id}
        self._http = httpx.Client(
            timeout=timeout,
            transport=transport,
            verify=_trust(),
            trust_env=False,  # the Java client knows no proxy (§1)
            limits=httpx.Limits(max_keepalive_connections=0),  # a connection for each call (§6)
        )

    def __enter__(self) -> GatewayClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def get_agencies_list(self) -> Answer:
        return self.call("getAgenciesList", {})

    def get_agencies_list_qd20(self, level: str) -> Answer:
        return self.call("getAgenciesListQD20", {"level": level})

    def get_synchronize_unit(self) -> Answer:
        return self.call("getSynchronizeUnit", {})

    def register_agency(self, data: Mapping[str, str] | str) -> Answer:
        """``data``: ``id`` ("" for a new one), ``pcode`` (the parent's), ``code``, ``name``, ``mail``, ``mobile``,
        ``fax``; a text is sent as it is."""
        text = data if isinstance(data, str) else compact(dict(data))
        return self.call("registerAgency", {}, text.encode())

    def delete_agency(self, code: str) -> Answer:
        return self.call("deleteAgency", {"AgencyCode": code}, b"{}")

    def send_edoc(
        self,
        packet: bytes,
        *,
        sender: str,
        message_type: str = "edoc",
        to: Sequence[str] | str | None = None,
        service_type: str = "eDoc",
    ) -> Answer:
        """``sender``: the agency's code; ``message_type``: ``edoc`` or ``status``; ``to``: codes of recipients, or
        one; the packet names them too."""
        headers = {"from": sender, "servicetype": service_type, "messagetype": message_type}
        if to is not None:
            headers["to"] = compact(to if isinstance(to, str) else list(to))
        headers["hash-file"] = hash_file(packet)
        return self.call("sendEdoc", headers, packet + b"\r\n")

    def get_received_edoc_list(
        self, message_type: str, from_date: str | None = None, to_date: str | None = None
    ) -> Answer:
        """``message_type``: ``edoc`` or ``status``; dates as ``dd/MM/yyyy HH:mm:ss``."""
        return self.call(
            "getReceivedEdocList",
            _given(servicetype="eDoc", messagetype=message_type, fromDate=from_date, toDate=to_date),
        )

    def get_edoc(self, doc_id: str) -> Answer:
        return self.call("getEdoc", {"docId": doc_id}, b"{}")

    def download_edoc(self, doc_id: str) -> bytes:
        """The packet as it is. Raises ``NoDocument`` too."""
        response = self.ask("downloadEdoc", {"docId": doc_id})
        return read_download(doc_id, response.status_code, response.content)

    def update_status(self, doc_id: str, status: str, description: str | None = None) -> Answer:
        """``status``: ``done``, ``fail`` or ``processing``."""
        return self.call("updateStatus", _given(docId=doc_id, status=status, description=description), b"{}")

    def get_sent_edoc_list(self, message_type: str = "edoc", doc_id: str | None = None) -> Answer:
        headers = _given(servicetype="eDoc", messagetype=message_type, docId=doc_id)
        return self.call("getSentEdocList", headers)

    def count_receive_edoc(self) -> Answer:
        return self.call("countReceiveEdoc", {"servicetype": "eDoc", "messagetype": "edoc"}, b"{}")

    def count_receive_status(self) -> Answer:
        return self.call("countReceiveStatus", {"servicetype": "eDoc", "messagetype": "status"}, b"{}")

    def call(self, method: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Any call that is answered in JSON: ``headers`` go into the map as they are, ``body`` is the whole of it."""
        response = self.ask(method, headers, body)
        return read_answer(method, response.status_code, response.content)

    def ask(self, method: str, headers: Mapping[str, str], body: bytes = b"") -> httpx.Response:
        """Like :meth:`call`, but whatever the answer says is handed out; unpacked, if it was packed as offered."""
        by_jdk = method == "sendEdoc"
        self._values["Content-Type"] = "application/octet-stream" if by_jdk else "application/json"
        self._values.update(headers)
        url = httpx.URL(f"{self._endpoint}/{method}")
        verb = "GET" if method == "downloadEdoc" else "POST"
        lines = signed_headers(self._values, self._secret)
        host = url.netloc.decode("ascii")
        if by_jdk:
            lines = with_jdk_headers(lines, host, len(body))
        else:
            lines = with_apache_headers(lines, host, None if verb == "GET" else len(body))
        fields = [(name.encode(), value.encode()) for name, value in lines]
        try:
            response = self._http.send(httpx.Request(verb, url, headers=fields, content=body))
        except httpx.DecodingError as fault:
            raise UnreadableAnswer(method, f"packed wrongly: {fault}") from fault
        packing = response.headers.get("content-encoding", "").lower()
        if packing and (by_jdk or packing not in {"gzip", "deflate"}):
            raise UnreadableAnswer(method, f"packed with {packing}, which was not offered")
        return response


def _given(**headers: str | None) -> dict[str, str]:
    return {key: value for key, value in headers.items() if value is not None}


@cache
def _trust() -> ssl.SSLContext:
    # Read once: it takes longer than most calls, and a process may hold a client for each of many systems.
    return httpx.create_ssl_context()
