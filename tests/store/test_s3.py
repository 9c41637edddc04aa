"""The bucket: what is its own beside what every store of payloads does (``test_payloads_both``)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from builders.objects import SECRET, ObjectServer

from hub.errors import Refusal
from hub.store.s3 import PART, Bucket

PACKET = b"x" * (PART + 1)

CALLS: dict[str, Callable[[Bucket], Any]] = {
    "put": lambda bucket: bucket.put("a", b"x"),
    "get": lambda bucket: bucket.get("a"),
    "stream": lambda bucket: bucket.stream("a"),
    "remove": lambda bucket: bucket.remove("a"),
    "older_than": lambda bucket: list(bucket.older_than(None)),  # type: ignore[arg-type]  # it fails before it compares
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_store_that_is_away_is_worth_a_repeat(objects: ObjectServer, call: Callable[[Bucket], Any]) -> None:
    nowhere = Bucket(objects.access("van-ban", endpoint="http://127.0.0.1:1"))
    with pytest.raises(Refusal) as refused:
        call(nowhere)
    assert (refused.value.code, refused.value.problem.temporary) == ("payloads-away", True)
    assert refused.value.retry_after


def test_a_bucket_that_may_not_be_written_to_takes_nothing_for_a_while(objects: ObjectServer) -> None:
    with pytest.raises(Refusal, match=r"^payloads-away"):
        Bucket(objects.access("chua-tao", access_key="", secret_key="")).put("a", b"x")


def test_removing_from_a_bucket_that_is_not_there_is_no_defect_of_the_hub(objects: ObjectServer) -> None:
    """It came as a missing file, which nobody who removes expects."""
    with pytest.raises(Refusal, match=r"^payloads-away"):
        Bucket(objects.access("chua-tao")).remove("a")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"secret_key": "sai"}, "privileges"),
        ({"access_key": "ai-do"}, "privileges"),
        ({"endpoint": "http://127.0.0.1:1"}, "http://127.0.0.1:1/van-ban/.hub"),
    ],
)
def test_what_keeps_the_bucket_from_being_used_is_told_at_the_start_in_a_line(
    objects: ObjectServer, wrong: dict[str, str], told: str
) -> None:
    with pytest.raises(Refusal) as refused:
        Bucket(objects.access("van-ban", **wrong)).check()
    assert refused.value.code == "payloads-unusable"
    (violation,) = refused.value.violations
    assert told in violation.en
    assert "\n" not in violation.en


def test_the_secret_stands_in_no_log_line_and_no_description(objects: ObjectServer) -> None:
    access = objects.access("van-ban")
    with structlog.testing.capture_logs() as lines, pytest.raises(Refusal, match=r"^payloads-away") as refused:
        Bucket(objects.access("van-ban", endpoint="http://127.0.0.1:1")).put("a", b"x")
    assert [line["event"] for line in lines] == ["payloads-away"]
    assert SECRET not in f"{access!r} {lines} {refused.value.violations}"


def test_objects_lie_below_the_prefix_and_no_sweep_sees_others(objects: ObjectServer) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    whole, part = Bucket(objects.access("chung")), Bucket(objects.access("chung", "truc/a"))
    whole.put("khac", b"x")
    part.put("2025/a.edxml", b"x")
    assert list(part.older_than(tomorrow)) == ["2025/a.edxml"]
    assert sorted(whole.older_than(tomorrow)) == ["khac", "truc/a/2025/a.edxml"]


def test_what_was_put_is_there_when_the_server_comes_back_from_a_crash() -> None:
    with ObjectServer() as server:
        bucket = Bucket(server.access("van-ban"))
        bucket.put("a", PACKET)
        parts = bucket.stream("a")
        first = next(parts)
        server.stop()
        with pytest.raises(Refusal, match=r"^payloads-away"):
            next(parts)
        with pytest.raises(Refusal, match=r"^payloads-away"):
            bucket.put("b", PACKET)
        server.start()
        assert bucket.get("a") == PACKET
        assert first == PACKET[:PART]
        with pytest.raises(FileNotFoundError):
            bucket.get("b")
        bucket.put("b", PACKET)
        assert bucket.get("b") == PACKET
