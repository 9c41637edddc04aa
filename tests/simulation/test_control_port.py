"""The control port: off unless it is asked for, on this machine alone, and clear about what it takes."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders.commands import run, serving
from builders.simulated import Simulated, a_simulated_hub, a_simulated_process
from starlette.types import Message

from clients.replay import planned
from hub.app import create_app
from hub.errors import PROBLEMS
from hub.settings import Settings
from hub.simulation.chance import chance
from hub.simulation.orders import OLD
from hub.simulation.simulator import Simulator

ROOT = Path(__file__).parents[2]


def test_it_is_off_by_default_and_then_nothing_of_it_is_in_the_program(tmp_path: Path) -> None:
    assert Settings().simulation_port is None
    program = (
        "import sys\nfrom pathlib import Path\nfrom hub.app import create_app\nfrom hub.settings import Settings\n"
        "import hub.serve\ncreate_app(Settings(data_dir=Path(sys.argv[1])))\n"
        "sys.exit(any(name.startswith('hub.simulation') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == 0
    with serving(tmp_path) as hub:
        assert httpx.put(f"{hub.url}/clock", json={"by": 1}).status_code == 404
    assert '"simulation"' not in (tmp_path / "hub.log").read_text("utf-8")


def test_hub_serve_tells_where_it_is_on_its_second_line_and_warns_loudly(tmp_path: Path) -> None:
    with a_simulated_process(tmp_path) as (hub, control, _):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", control.url)
        assert control.get("/")["clock"]["machine"] is True
        assert httpx.get(f"{hub.url}/healthz").status_code == 200
    lines = [line for line in (tmp_path / "hub.log").read_text("utf-8").splitlines() if '"event": "simulation"' in line]
    assert len(lines) == 1
    assert '"level": "warning"' in lines[0]


def test_the_guide_for_operators_names_the_warning() -> None:
    assert "`simulation`" in (ROOT / "docs" / "operate.md").read_text("utf-8")


def test_it_ends_with_its_hub(tmp_path: Path) -> None:
    with a_simulated_hub(tmp_path) as hub:
        url = hub.control.url
        assert httpx.get(url).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_several_workers_are_refused_with_it(tmp_path: Path) -> None:
    end = run(
        "serve", "--workers", "2", "--simulation-port", "0", "--database-url", "postgresql://hub@127.0.0.1/hub",
        "--data-dir", str(tmp_path),
    )  # fmt: skip
    end.tells("--workers above 1 cannot be simulated", code=2)


def test_a_port_that_is_taken_is_told_by_its_own_option(tmp_path: Path, hub: Simulated) -> None:
    port = hub.control.url.rpartition(":")[2]
    end = run("serve", "--port", "0", "--simulation-port", port, "--data-dir", str(tmp_path / "other"))
    end.tells(f"port {port}: another program listens there (--simulation-port, HUB_SIMULATION_PORT)", code=2)


def test_everything_is_told_as_it_stands(hub: Simulated) -> None:
    nothing = hub.control.get("/")
    assert nothing.keys() == {"clock", "faults", "old_axis", "mutants", "death", "injected"}
    assert (nothing["old_axis"], nothing["death"], nothing["injected"], nothing["faults"]["seed"]) == ([], None, {}, 0)
    hub.control.put("/faults", {"seed": 7, "refuse": 0.25, "lose-answer": 1})
    hub.control.put("/mutants", {"seed": 8, "answer-late": 0.5, "answer_late_seconds": 3})
    hub.control.put("/old-axis", ["limit-255"])
    found = hub.control.get("/")
    assert found["faults"] == nothing["faults"] | {"seed": 7, "refuse": 0.25, "lose-answer": 1.0}
    assert found["mutants"] == nothing["mutants"] | {"seed": 8, "answer-late": 0.5, "answer_late_seconds": 3.0}
    assert found["old_axis"] == ["limit-255"]


def test_every_order_can_be_called_off(hub: Simulated) -> None:
    orders = {
        "/clock": {"by": 60},
        "/faults": {"refuse": 1},
        "/death": {"step": "before-payload", "nth": 1000},
        "/old-axis": ["limit-255"],
        "/mutants": {"lose": 1},
    }
    nothing = hub.control.get("/")
    for path, body in orders.items():
        hub.control.put(path, body)
    assert hub.control.get("/")["death"] == {"step": "before-payload", "nth": 1000}
    told = {path: hub.control.delete(path) for path in orders}
    found = hub.control.get("/")
    assert found.pop("clock")["machine"] is True
    assert found == {name: value for name, value in nothing.items() if name != "clock"}
    assert told["/faults"] == nothing["faults"]
    assert (told["/death"], told["/old-axis"], told["/mutants"]) == (None, [], nothing["mutants"])


def test_a_control_port_that_cannot_be_served_keeps_the_hub_from_starting(tmp_path: Path) -> None:
    """It was once told when the hub ended, after all orders had gone nowhere."""
    listener = socket.create_server(("127.0.0.1", 0))
    simulator = Simulator(listener)
    listener.close()
    app = simulator.around(create_app(Settings(data_dir=tmp_path, checkers=0)))
    told: list[Message] = []

    async def starting() -> Message:
        return {"type": "lifespan.startup"}

    async def hear(message: Message) -> None:
        told.append(message)

    asyncio.run(app({"type": "lifespan", "state": {}}, starting, hear))  # type: ignore[arg-type]  # an ASGI call
    (message,) = told
    assert message["type"] == "lifespan.startup.failed"
    assert message["message"].startswith("the control port cannot be served: ")


@pytest.mark.parametrize(
    ("path", "body", "place", "repair"),
    [
        ("/faults", {"refuse": 1.5}, "refuse", "0 … 1"),
        ("/faults", {"lose_answer": 0.1}, "lose_answer", "lose-answer"),
        ("/faults", {"seed": "seven"}, "seed", "0, 1, 2, …"),
        ("/mutants", {"seed": -1}, "seed", "0, 1, 2, …"),
        ("/faults", [], "", '{"seed": 7, "refuse": 0.01}'),
        ("/mutants", {"loose": 1}, "loose", "lose, double, misroute, reorder, corrupt, answer-late"),
        ("/old-axis", ["limit-256"], "0", ", ".join(f'"{name}"' for name in OLD)),
        ("/old-axis", {"limit-255": True}, "", ", ".join(f'"{name}"' for name in OLD)),
        ("/death", {"step": "after-comit"}, "step", "after-commit"),
        ("/death", {"step": "after-commit", "nth": 0}, "nth", "1, 2, 3, …"),
        ("/death", {}, "step", "after-commit"),
        ("/clock", {"now": "2019-03-12T08:00:00"}, "now", "2019-03-12T08:00:00+07:00"),
        ("/clock", {"now": "2019-03-12T08:00:00+07:00", "by": 1}, "", '{"by": -3600.0}'),
        ("/clock", {"running": True}, "", '{"by": -3600.0}'),
        ("/clock", {"by": 1e12}, "", '{"by": -3600.0}'),
        ("/clock", {"now": "1066-10-14T08:00:00+00:00"}, "", '{"by": -3600.0}'),
        ("/clock", {"now": "0001-01-01T00:00:00+14:00"}, "", '{"by": -3600.0}'),  # in UTC there are no such years
        ("/clock", {"now": "9999-12-31T23:59:59-12:00"}, "", '{"by": -3600.0}'),
    ],
)
def test_a_wrong_order_is_told_with_what_is_allowed_and_changes_nothing(
    hub: Simulated, path: str, body: Any, place: str, repair: str
) -> None:
    before = hub.control.get("/")
    answer = hub.control.ask("PUT", path, body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "request-invalid"
    (violation,) = answer.json()["violations"]
    assert violation["pointer"] == place
    assert repair in violation["repair"]
    assert hub.control.get("/") == before


def test_what_is_no_json_is_refused(hub: Simulated) -> None:
    answer = httpx.put(f"{hub.control.url}/faults", content=b"refuse=1")
    assert (answer.status_code, answer.json()["code"]) == (422, "request-invalid")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/fault", "not-found"),
        ("POST", "/faults", "method-not-allowed"),
        ("GET", "/injected?after=x", "request-invalid"),
        ("GET", f"/injected?after={'9' * 5000}", "request-invalid"),  # Python reads no number of that many digits
    ],
)
def test_what_it_does_not_have_is_a_problem_too(hub: Simulated, method: str, path: str, code: str) -> None:
    answer = hub.control.ask(method, path)
    assert (answer.status_code, answer.json()["code"]) == (PROBLEMS[code].status, code)


@pytest.mark.parametrize("mark", ["d1.1", "s12.3.0.2", "fG22", ""])
def test_the_hub_and_the_replay_reckon_the_same_chance(mark: str) -> None:
    assert [chance(7, name, mark) for name in ("refuse", "lose-answer")] == [
        planned.chance(7, name, mark) for name in ("refuse", "lose-answer")
    ]
