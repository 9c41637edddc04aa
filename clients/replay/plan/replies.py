"""What is reported on each delivery: decided by seed, document and recipient alone, so that nobody need remember it.

Every status is one that must be taken, or has its ``expect``:

* Codes rise, and nothing follows 02: what comes later would only be recorded.
* A document that a later one may act on, or that is taken back, gets 01 and nothing else before the request, so that
  the answer 15 or 16 never meets a final state.
* The answer to a 13 comes long after it: the recipient is told of the 13 by a status of its own.
"""

from __future__ import annotations

from clients.replay.planned import Party, Post, Reply, chance
from clients.replay.scenario.shapes import Reported, Scenario
from hub.domain.document import Kind

_AFTER = 60.0  # seconds, where a scenario names none
_APART = 0.001  # seconds between two statuses at least
_RISING: tuple[Reported, ...] = ("01", "03", "04", "05", "06")
_SPARE = 1.2  # more documents are kept fit to be acted on than will be
_WRONG = (("09", "status-code-unknown"), ("16", "status-not-allowed"), ("02", "status-reason-missing"))


def will_be_acted_on(scenario: Scenario, seed: int, post: Post) -> bool:
    """Whether a later document of kind 1 to 3 may name this one."""
    share = _SPARE * scenario.documents.kinds.total
    return post.kind is Kind.NEW and not post.issuer and chance(seed, "acted-on", str(_n(post))) < share


def replies(scenario: Scenario, seed: int, post: Post, recipient: str, party: Party) -> tuple[Reply, ...]:
    """The statuses about one delivery, in order; ``party`` is the recipient. Each is sent when the one before has been
    answered.
    """
    return _Delivery(scenario, seed, post, recipient).replies(party.wrong)


def _n(post: Post) -> int:
    return post.repeats or post.n


class _Delivery:
    def __init__(self, scenario: Scenario, seed: int, post: Post, recipient: str) -> None:
        self._say, self._seed, self._post, self._recipient = scenario.replies, seed, post, recipient
        self._acted_on = will_be_acted_on(scenario, seed, post)
        self._mark = f"{_n(post)}/{recipient}"
        self._found: list[Reply] = []

    def replies(self, wrong: float) -> tuple[Reply, ...]:
        asks = self._post.kind is not Kind.NEW
        if not (self._post.expect or self._happens("never", self._say.never)):
            if asks:
                self._asked(0.0)
            elif self._acted_on:
                self._arrived()
            elif self._happens("take-back", self._say.take_back):
                self._taken_back()
            else:
                self._progress(wrong)
        return tuple(self._found)

    def _asked(self, begin: float) -> None:
        """An answer, after every 01 on the document that is acted on: that may have been kept in the same moment."""
        self._arrived()
        after = max(begin, 1.5 * self._span("01")) + self._say.answer_after
        self._add(after, "15" if self._happens("agree", self._say.agree) else "16")

    def _arrived(self) -> None:
        if self._happens("01", self._say.shares.get("01", 0.0)):
            self._add(self._after("01"), "01")

    def _taken_back(self) -> None:
        self._add(self._say.take_back_after, "13", by_sender=True)
        self._asked(self._say.take_back_after)

    def _progress(self, wrong: float) -> None:
        refused = self._happens("02", self._say.shares.get("02", 0.0))
        codes: tuple[Reported, ...] = ("01", "02") if refused else _RISING
        others = 1.0 if refused else 1.0 - self._say.shares.get("02", 0.0)  # a share is of all deliveries
        after = 0.0
        for code in codes:
            if code == "02" or self._happens(code, self._say.shares.get(code, 0.0) / (1.0 if code == "01" else others)):
                after = max(after + _APART, self._after(code))
                self._add(after, code)
        if not refused and self._happens("wrong", wrong):
            self._add(after + _APART, *_WRONG[int(self._drawn("which") * len(_WRONG))])

    def _add(self, after: float, code: str, expect: str = "", *, by_sender: bool = False) -> None:
        reply = Reply(_n(self._post), self._recipient, len(self._found), after, code, by_sender, expect)
        self._found.append(reply)

    def _span(self, code: Reported) -> float:
        return self._say.after.get(code, _AFTER)

    def _after(self, code: Reported) -> float:
        return self._span(code) * (0.5 + self._drawn(f"after {code}"))

    def _happens(self, what: str, share: float) -> bool:
        return bool(share) and self._drawn(what) < share

    def _drawn(self, what: str) -> float:
        return chance(self._seed, f"reply {what}", self._mark)
