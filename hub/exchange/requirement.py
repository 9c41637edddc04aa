"""What is required of the PDF files in a packet, where the hub or its system's policy says ``require``, before the
packet is accepted: after every cheaper check, in processes of their own, within bounds of time and number.

NĐ 30/2020 Đ.5 and Phụ lục I: one file is the document, signed by the leader and by the agency over it; every other is
an annex, which the agency signs at least. What is not known of revocation is a warning (the circular of 2025, step 1).
A packet without a PDF file has nothing to examine.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from hub.domain import places
from hub.domain.trust import Result, Verdict
from hub.errors import Refusal, violation
from hub.exchange import accept, checks
from hub.exchange.checkers import Checkers
from hub.exchange.examine import Submission
from hub.exchange.grounds import Grounds, names_of
from hub.pdf import UNEXAMINED, Examiner, Limits, Report, Unexamined, unexamined
from hub.store.engine import reading
from hub.store.roster import Roster

_PATIENCE = 30.0  # seconds that a packet waits for a process
# For one file and for one packet: far less than others wait, so that a few hostile senders do not keep them out.
_LIMITS = Limits(seconds=8.0, cpu_seconds=8, packet_seconds=8.0)
_RETRY_AFTER = 5  # seconds
_GOOD = {Verdict.VALID, Verdict.VALID_NO_TIMESTAMP, Verdict.INDETERMINATE_REVOCATION}
_BOTH = "Người có thẩm quyền ký trước, cơ quan ký sau cùng / the leader signs first, the agency over it"
_REPAIRS = {
    Verdict.MODIFIED: "Ký lại bản cuối, không sửa sau khi ký / sign the final file again, change nothing afterwards",
    Verdict.REVOKED_AT_SIGNING: "Ký bằng chứng thư chưa bị thu hồi / sign with a certificate that is not revoked",
    Verdict.EXPIRED_AT_SIGNING: "Ký bằng chứng thư còn thời hạn / sign with a certificate that is valid then",
    Verdict.UNTRUSTED_CHAIN: "Ký bằng chứng thư do nơi cấp được trục tin cậy / sign with a certificate of an authority "
    "that the hub trusts",
    Verdict.WEAK_ALGORITHM: "RSA ≥ 2048, ECDSA P-256; SHA-256",
    Verdict.NAME_MISMATCH: "Ký bằng chứng thư của đơn vị gửi / sign with a certificate of the sender's",
    UNEXAMINED: "Gửi tệp PDF nguyên vẹn, không đặt mật khẩu / send a whole PDF file without a password",
}


class Requirement:
    """Checkers that also examine where it is required: a context manager around those it asks first.

    A system has one packet examined at a time, so that none waits for more than one of each other's. Raises ``busy``
    for a packet that waits too long, and where no process can be started.
    """

    def __init__(
        self, engine: Engine, checkers: Checkers, *, by_default: bool, count: int, limits: Limits = _LIMITS
    ) -> None:
        """``by_default``: of systems without a policy of their own; ``count`` of processes."""
        self._engine, self._checkers, self._by_default = engine, checkers, by_default
        self._examiners = [Examiner(limits) for _ in range(count)]
        self._free: queue.SimpleQueue[tuple[Examiner, Grounds]] = queue.SimpleQueue()
        for examiner in self._examiners:
            self._free.put((examiner, Grounds(engine, examiner)))
        self._pool = ThreadPoolExecutor(count, "requirement")
        self._turns, self._room = dict[str, asyncio.Lock](), asyncio.Semaphore(count)

    def __enter__(self) -> Requirement:
        return self

    def __exit__(self, *_: object) -> None:
        for examiner in self._examiners:
            examiner.close()
        self._pool.shutdown()

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        found = await self._checkers.run(function, *arguments)
        if function is checks.prepare:
            packet, submission, roster, now = arguments
            system = roster.systems[submission.system_id]
            if system.pdf_policy == "require" or (self._by_default and not system.pdf_policy):
                await self._require(packet, submission, roster, now, found)
        return found

    async def _require(
        self, packet: bytes, submission: Submission, roster: Roster, now: datetime, prepared: checks.Prepared
    ) -> None:
        own = self._turns.setdefault(submission.system_id, asyncio.Lock())
        try:
            async with asyncio.timeout(_PATIENCE):
                await own.acquire()
                try:
                    await self._room.acquire()
                except BaseException:
                    own.release()
                    raise
        except TimeoutError:
            raise Refusal("busy", retry_after=_RETRY_AFTER) from None

        def over(done: asyncio.Future[None]) -> None:  # the work, not who waits: that one may be gone before
            self._room.release()
            own.release()
            if not done.cancelled():
                done.exception()

        examined = asyncio.get_running_loop().run_in_executor(
            self._pool, self._examine, packet, submission, roster, now, prepared
        )
        examined.add_done_callback(over)
        await asyncio.shield(examined)

    def _examine(
        self, packet: bytes, submission: Submission, roster: Roster, now: datetime, prepared: checks.Prepared
    ) -> None:
        """Raises ``attachment-signature``; what ``accept.is_repeat`` raises."""
        examiner, grounds = self._free.get_nowait()
        try:
            with reading(self._engine) as connection:
                if accept.is_repeat(checks.Checked(submission, prepared, None, None), connection):
                    return
            grounds.tell(roster)
            opened = examiner.open(packet, submission.limits)
            if isinstance(opened, Unexamined):
                raise _refused([(1, "", opened.report)])
            reports = [
                examiner.examine(file.part, now, prepared.sender, names_of(roster, prepared.sender))
                if file.is_pdf
                else unexamined("not a PDF").report
                for file in opened.files
            ]
        except OSError:
            raise Refusal("busy", retry_after=_RETRY_AFTER) from None
        finally:
            self._free.put((examiner, grounds))
        whole = any(map(_is_whole, reports))
        lacking = [
            (file.part, file.name, report)
            for file, report in zip(opened.files, reports, strict=True)
            if not (_is_whole(report) or (whole and _is_annex(report)))
        ]
        if lacking:
            raise _refused(lacking)


def _is_whole(report: Report) -> bool:
    return report.verdict in _GOOD and not _failed(report.detail["steps"])


def _is_annex(report: Report) -> bool:
    return report.verdict == Verdict.MISSING_LEADER and report.detail["missing"] == ["leader"]


def _failed(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [step for step in steps if step["result"] == Result.FAILED]


def _facts(name: str, report: Report) -> dict[str, str]:
    vi, en = _why(report)
    repair = _REPAIRS.get(report.verdict, _BOTH)
    return {"file": name[:200], "verdict": report.verdict, "vi": vi, "en": en, "repair": repair}


def _why(report: Report) -> tuple[str, str]:
    """The first that failed of what the verdict is about, in both languages."""
    if report.verdict == UNEXAMINED:
        return report.detail["vi"], report.detail["en"]
    judged = [one["steps"] for one in report.detail["signatures"] if one["verdict"] == report.verdict]
    failed = [step for steps in (*judged, report.detail["steps"]) for step in _failed(steps)]
    return next(((step["vi"], step["en"]) for step in failed), ("", ""))


def _refused(lacking: list[tuple[int, str, Report]]) -> Refusal:
    told = [(places.attachment(part - 1, "name"), name, _facts(name, report)) for part, name, report in lacking]
    found = [violation("attachment-signature", pointer, name, **facts) for pointer, name, facts in told]
    return Refusal("attachment-signature", facts=told[0][2], violations=found)
