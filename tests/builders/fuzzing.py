"""What schemathesis must be told of this API; its hooks, loaded by its command."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("application/xml")
def packet(ctx: Any, value: Any) -> bytes:
    """A packet goes out as it is; by default the text of one is wrapped in another element."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


@schemathesis.hook
def map_query(ctx: Any, query: Any) -> Any:
    """No question waits: a minute spent on an empty inbox finds nothing."""
    if isinstance(query, dict) and isinstance(query.get("wait"), float | int) and 0 < query["wait"] <= 60:
        return query | {"wait": 0.01}
    return query
