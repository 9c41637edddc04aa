"""What the Dockerfile and the compose file say, read as their programs read them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import typer
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]


def instructions(path: Path = ROOT / "Dockerfile") -> list[tuple[str, str]]:
    """The Dockerfile's instructions: name and arguments, continued lines in one."""
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in whole.splitlines() if line)]


def last(name: str) -> str:
    """The arguments of the instruction that counts."""
    return [rest for each, rest in instructions() if each == name][-1]


def filled_in(text: str) -> str:
    """With the defaults of ``${NAME:-default}`` and single dollars, as compose hands it on."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text).replace("$$", "$")


def words_of(name: str) -> list[str]:
    """The command line of a service, after what the image says where the service does not."""
    service = SERVICES[name]
    image = ("build" in service) and "entrypoint" not in service
    entry = json.loads(last("ENTRYPOINT")) if image else service.get("entrypoint", [])
    return [*entry, *(filled_in(word) for word in service["command"])]


def environment_of(name: str) -> dict[str, str]:
    return {key: filled_in(str(value)) for key, value in SERVICES[name].get("environment", {}).items()}


def commands_in(script: str) -> list[list[str]]:
    """Every call of ours in a shell script: words up to what ends or redirects a command."""
    script = re.sub(r"docker compose exec \w+ |/\S+/(?=hub )", "", script.replace("\\\n", " "))
    return [shlex.split(each, comments=True) for each in re.findall(r"(?<!\S)(?:hub|agency) [^\n;|&>]+", script)]


def parse(words: list[str]) -> None:
    """As the command itself would, running nothing. Raises KeyError for a command, Typer's fault for an option."""
    from clients.agency.command import app as agency
    from hub.__main__ import app as hub

    group = typer.main.get_command({"hub": hub, "agency": agency}[words[0]])
    group.commands[words[1]].make_context(words[1], words[2:]).close()  # type: ignore[attr-defined]  # of a group
