"""What can be ordered, checked: each order is a JSON body of the control port."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel, ValidationError, model_validator

from hub.errors import Refusal, Violation, violation
from hub.simulation.chance import chance
from hub.simulation.steps import STEPS, Step

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, description="0 … 1")]
Seed = Annotated[int, Field(ge=0, description="0, 1, 2, …")]
Seconds = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False, description="0 … 3600")]

Old = Literal["sender-is-always-vpcp", "limit-255", "duplicates-across-years"]
OLD: tuple[str, ...] = get_args(Old)


def _as_told(name: str) -> str:
    """A member's name in JSON: faults are named as everywhere else."""
    return name if name.endswith("_seconds") else name.replace("_", "-")


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=_as_told)


class _Shares(_Order):
    """Shares by name; whatever is not said is 0."""

    seed: Seed = 0

    def strikes(self, name: str, mark: str) -> bool:
        share: float = getattr(self, name.replace("-", "_"))
        return share > 0 and chance(self.seed, name, mark) < share

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True)


class FaultShares(_Shares):
    """Of requests, by their X-Request-Id."""

    refuse: Share = 0
    delay: Share = 0
    delay_seconds: Seconds = 0.5
    lose_answer: Share = 0
    disk_full: Share = 0
    database_away: Share = 0
    clock_jump: Share = 0
    clock_jump_seconds: Seconds = 600
    kill: Share = 0

    @property
    def any(self) -> bool:
        rare = (self.disk_full, self.database_away, self.clock_jump, self.kill)
        return any((self.refuse, self.delay, self.lose_answer, *rare))


class MutantShares(_Shares):
    """Of deliveries, by their ids; of requests for ``answer-late``."""

    lose: Share = 0
    double: Share = 0
    misroute: Share = 0
    reorder: Share = 0
    corrupt: Share = 0
    answer_late: Share = 0
    answer_late_seconds: Seconds = 40

    @property
    def any(self) -> bool:
        return any((self.lose, self.double, self.misroute, self.reorder, self.corrupt, self.answer_late))


class ClockOrder(_Order):
    """A moment to stand at or run from, or a jump."""

    now: AwareDatetime | None = Field(None, description="2019-03-12T08:00:00+07:00")
    running: bool = Field(False, description="true, false")
    by: float | None = Field(None, allow_inf_nan=False, description="-3600.0 (seconds)")

    @model_validator(mode="after")
    def _one(self) -> ClockOrder:
        if (self.now is None) == (self.by is None) or (self.running and self.now is None):
            raise ValueError("either now, which may be running, or by")
        return self


class DeathOrder(_Order):
    """The step to die at."""

    step: Step = Field(description=", ".join(STEPS))
    nth: int = Field(1, ge=1, description="1, 2, 3, …")


class OldAxisOrder(RootModel[list[Old]]):
    """Which failures of the old axis are on."""


# What a body may be, for whoever sent another.
ALLOWED: dict[type[BaseModel], str] = {
    FaultShares: '{"seed": 7, "refuse": 0.01}',
    MutantShares: '{"seed": 7, "lose": 0.01}',
    ClockOrder: '{"now": "2019-03-12T08:00:00+07:00"}; {"now": …, "running": true}; {"by": -3600.0}',
    DeathOrder: '{"step": "before-commit", "nth": 3}',
    OldAxisOrder: json.dumps(OLD),
}
Order = TypeVar("Order", bound=BaseModel)


def read(shape: type[Order], body: bytes) -> Order:
    """The order in a body. Raises ``request-invalid``, which says of everything wrong what is allowed."""
    try:
        return shape.model_validate_json(body)
    except ValidationError as fault:
        found = [_violation(shape, error) for error in fault.errors(include_url=False)]
        raise Refusal("request-invalid", violations=found) from None


_WRONG = "lệnh sai định dạng hoặc giá trị ngoài phạm vi cho phép"


def _violation(shape: type[BaseModel], error: Any) -> Violation:
    place = ".".join(map(str, error["loc"]))
    fields = {field.alias or name: field for name, field in shape.model_fields.items()}
    repair = ALLOWED[shape]
    if place in fields:
        repair = fields[place].description or repair
    elif error["type"] == "extra_forbidden":
        repair = ", ".join(fields)
    told = error["msg"].removeprefix("Value error, ")
    shown = str(error["input"]) if place else ""
    return violation("request-field", place, shown, vi=_WRONG, en=told, repair=repair)
