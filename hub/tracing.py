"""Traces of documents, for a collector of OpenTelemetry: needs the extra `otel`, and is imported only for `HUB_TRACES`.

A span is a request that had to do with a document, or brought a packet that was refused. All spans of a document make
one trace: its first acceptance is the root, and fetches, `done` and statuses hang below, whenever they come. Its number
comes from the document's id, so that whoever has that from the log or from `hub show` finds the trace.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

_PATIENCE = 5.0  # seconds for a collector to take what is handed to it
_TOLD = ("document", "trace_id", "outcome", "code", "refusal", "refused")  # of what the request's line of the log has


class Spans:
    """One process's spans; called in the event loop."""

    def __init__(self, url: str) -> None:
        """``url`` takes OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces."""
        self._numbers = _Numbers()
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "lienthong"}),
            id_generator=self._numbers,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, timeout=_PATIENCE)))
        self._tracer = self._provider.get_tracer("lienthong")

    def __call__(self, operation: str, took: float, status: int, bound: Mapping[str, Any]) -> None:
        """Tell of a request that took so many seconds and ends now; ``bound``: what its line of the log has."""
        document = bound.get("document")
        if document is None and "refusal" not in bound:
            return
        trace_id, root = numbers_of(document or bound["trace_id"])
        above = SpanContext(trace_id, root, True, TraceFlags(TraceFlags.SAMPLED))
        if document is None or bound.get("outcome") == "accepted":
            self._numbers.root, above = (trace_id, root), INVALID_SPAN_CONTEXT
        parent = set_span_in_context(NonRecordingSpan(above))
        ended = time.time_ns()
        attributes: dict[str, str | int] = {f"lienthong.{name}": str(bound[name]) for name in _TOLD if name in bound}
        attributes["http.response.status_code"] = status
        span = self._tracer.start_span(operation, parent, attributes=attributes, start_time=ended - int(took * 1e9))
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)

    def close(self) -> None:
        """Hand over what is left; may wait for a collector that is away."""
        self._provider.shutdown()


class _Numbers(RandomIdGenerator):
    """Random ones, but for a span that begins a trace."""

    root: tuple[int, int] | None = None

    def generate_trace_id(self) -> int:
        return self.root[0] if self.root is not None else super().generate_trace_id()

    def generate_span_id(self) -> int:
        root, self.root = self.root, None
        return root[1] if root is not None else super().generate_span_id()


def numbers_of(key: str) -> tuple[int, int]:
    """Of the trace for an id, and of its first span."""
    digest = sha256(key.encode()).digest()
    return int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])
