"""Traces: what a collector of OpenTelemetry is sent, over a socket; and nothing unless it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from builders.gateway import a_client
from builders.served import a_served_hub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hub.tracing import Spans, numbers_of


@dataclass
class Collector:
    """Takes OTLP over HTTP."""

    url: str
    bodies: list[bytes] = field(default_factory=list)

    @property
    def spans(self) -> list[Any]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def a_collector() -> Iterator[Collector]:
    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the library's name)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Takes) as server:
        found = Collector(f"http://127.0.0.1:{server.server_port}/v1/traces")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


def told(span: Any) -> dict[str, Any]:
    return {
        pair.key.removeprefix("lienthong."): pair.value.string_value or pair.value.int_value for pair in span.attributes
    }


def test_a_document_is_one_trace_from_its_acceptance_to_its_status_in_both_dialects(tmp_path: Path) -> None:
    with a_collector() as collector, a_served_hub(tmp_path, traces=collector.url) as hub:
        office, province = hub.axis.enrol("G22"), hub.axis.enrol("H41")
        hub.axis.desk.rosters.current(now=True)
        document = office.draft("H41", subject="V/v việc riêng")
        headers = {"Authorization": f"Bearer {office.credentials['token']}", "X-Request-Id": "gui-1"}
        sent = httpx.post(f"{hub.base_url}/v1/documents", content=office.packet(document), headers=headers).json()
        gateway = a_client(hub, province)
        for item in gateway.get_received_edoc_list("edoc").items:  # a list is about no document
            assert gateway.get_edoc(item["docId"]).ok
            assert gateway.update_status(item["docId"], "done").ok
        refused = httpx.post(f"{hub.base_url}/v1/documents", content=b"<edXML/>", headers=headers)
        assert refused.status_code == 422
    spans = {span.name: span for span in collector.spans}
    assert set(spans) == {"POST /v1/documents", "getEdoc", "updateStatus"}
    assert len(collector.spans) == 4  # all were handed over when the hub ended
    by_outcome = {told(span).get("outcome", span.name): span for span in collector.spans}
    root, trace = by_outcome["accepted"], numbers_of(sent["id"])[0].to_bytes(16)
    assert (root.trace_id, root.parent_span_id) == (trace, b"")
    assert told(root) == {
        "document": sent["id"], "trace_id": "gui-1", "outcome": "accepted", "http.response.status_code": 201,
    }  # fmt: skip
    for name in ("getEdoc", "updateStatus"):
        assert (spans[name].trace_id, spans[name].parent_span_id) == (trace, root.span_id)
        assert told(spans[name])["document"] == sent["id"]
    assert root.start_time_unix_nano < root.end_time_unix_nano
    assert by_outcome["refused"].trace_id != trace
    sent_out = b"".join(collector.bodies)
    secrets = [peer.credentials[name] for peer in (office, province) for name in ("token", "secret")]
    for private in (document.subject, document.signer, *secrets):
        assert private.encode() not in sent_out


def test_a_fault_of_the_hub_is_one_in_the_trace_and_what_is_about_nothing_is_not_told() -> None:
    with a_collector() as collector:
        spans = Spans(collector.url)
        spans("GET /v1/inbox", 0.1, 200, {"trace_id": "a"})
        spans("POST /v1/statuses", 0.1, 503, {"trace_id": "b", "document": "d" * 24})
        spans.close()
    (span,) = collector.spans
    assert (span.name, span.status.code) == ("POST /v1/statuses", 2)


def test_a_collector_that_is_away_keeps_nobody_waiting(tmp_path: Path) -> None:
    with a_served_hub(tmp_path, traces="http://127.0.0.1:9/v1/traces") as hub:
        office = hub.axis.enrol("G22")
        hub.axis.enrol("H41")
        hub.axis.desk.rosters.current(now=True)
        headers = {"Authorization": f"Bearer {office.credentials['token']}"}
        packet = office.packet(office.draft("H41"))
        assert httpx.post(f"{hub.base_url}/v1/documents", content=packet, headers=headers).status_code == 201


WITHOUT = """
import sys
from hub.app import create_app
from hub.settings import Settings
import hub.serve, hub.monitoring
create_app(Settings())
assert not [name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))]
"""


def test_nothing_of_it_is_imported_unless_it_is_asked_for() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT], check=True, env=os.environ)


# As where the extra is not installed: nothing of it is found.
HIDDEN = """
import hub.serve
from hub.settings import Settings
hub.serve.find_spec = lambda name: None
hub.serve.run(Settings(traces="http://127.0.0.1:4318/v1/traces"), workers=1, behind_proxy=False, by="")
"""


def test_who_asks_for_it_without_the_extra_is_told() -> None:
    ended = subprocess.run([sys.executable, "-c", HIDDEN], capture_output=True, text=True, check=False)
    assert "pip install 'lienthong[otel]'" in ended.stderr
