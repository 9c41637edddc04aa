"""The image and the compose file: what can be known of them without an engine. That their processes work together, see
``tests/journeys/test_deployment.py``.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from typing import Any

import pytest
from builders.deployment import (
    COMPOSE,
    OURS,
    ROOT,
    SERVICES,
    commands_in,
    environment_of,
    instructions,
    last,
    parse,
    words_of,
)
from compose_spec import PyCompose

from hub.settings import Settings, read_settings

DEPLOY = (ROOT / "docs" / "deploy.md").read_text("utf-8")
PINNED = re.compile(r"[\w./-]+:\d+\.\d+[\w.-]*")


def lock(path: str) -> dict[str, frozenset[str]]:
    """Each pinned package and its hashes."""
    text = (ROOT / path).read_text("utf-8")
    found = re.findall(r"^(\S+==\S+) \\\n((?:    --hash=\S+(?: \\)?\n)+)", text, re.MULTILINE)
    return {package: frozenset(re.findall(r"sha256:\w+", hashes)) for package, hashes in found}


# The image.


def test_the_image_is_built_on_a_pinned_base_that_the_lock_was_made_for() -> None:
    bases = {rest.split(" AS ")[0] for name, rest in instructions() if name == "FROM"}
    assert [base for base in bases if not PINNED.fullmatch(base)] == []
    assert {base.split(".")[1] for base in bases} == {"11"}, "a lock is made for one version of Python"


def test_the_image_takes_only_packages_whose_hash_is_known() -> None:
    packages, ours = (rest.split() for name, rest in instructions() if name == "RUN" and "pip install" in rest)
    assert "--require-hashes" in packages
    assert {"--no-deps", "--no-build-isolation"} <= set(ours)
    image, everything = lock("deploy/requirements.lock"), lock("requirements.lock")
    assert {package: everything.get(package) for package in image} == image
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {package.split("==")[0] for package in image}
    assert {re.split(r"[\[>;]", each)[0] for each in declared["dependencies"]} <= named
    tests_only = {re.split(r"[\[>;]", each)[0] for each in declared["optional-dependencies"]["dev"]} - {"setuptools"}
    assert tests_only & named == set()


def test_what_the_image_copies_is_in_its_context() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]
    copied = [rest.split()[:-1] for name, rest in instructions() if name == "COPY" and "--from" not in rest]
    assert len(copied) > 1
    for source in (each for sources in copied for each in sources):
        assert (ROOT / source).exists(), source
        assert source in kept, source
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]["find"]
    assert {each.rstrip("*") for each in packages["include"]} <= set(kept)


def test_the_image_runs_as_nobody_s_root_and_hears_its_signals() -> None:
    user = last("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user), "a number: who runs it can check that it is not root"
    assert f"--uid {user.split(':')[0]}" in " ".join(rest for name, rest in instructions() if name == "RUN")
    parse([*json.loads(last("ENTRYPOINT")), *json.loads(last("CMD"))])  # lists: a shell would swallow SIGTERM


def test_the_image_says_whether_the_hub_is_ready() -> None:
    probe = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert probe[:2] == ["python", "-c"]
    assert "/readyz" in probe[2]
    compile(probe[2], "HEALTHCHECK", "exec")


def test_folders_of_volumes_are_the_user_s_own_in_the_image() -> None:
    made = next(rest for name, rest in instructions() if name == "RUN" and "install -d" in rest)
    for name in OURS:
        for volume in SERVICES[name]["volumes"]:
            assert volume.split(":")[1] in made.split(), f"{name}: {volume} would be root's"


# The compose file.


def test_the_compose_file_keeps_to_its_specification() -> None:
    PyCompose.from_json(json.dumps(COMPOSE)).validate()


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"readonly": True}, "key `readonly`"),
    ({"depends_on": {"database": {"condition": "healthy"}}}, "variant `healthy`"),
    ({"networks": ["insid"]}, "network `insid`"),
    ({"stop_grace_period": "30x"}, "`x` is not a valid duration"),
]


@pytest.mark.parametrize(("changes", "told"), BROKEN)
def test_a_compose_file_that_does_not_is_found(changes: dict[str, Any], told: str) -> None:
    compose = json.loads(json.dumps(COMPOSE))
    compose["services"]["hub"] |= changes
    with pytest.raises(ValueError, match=told):
        PyCompose.from_json(json.dumps(compose)).validate()


def test_every_volume_service_and_config_that_is_named_is_there() -> None:
    for name, service in SERVICES.items():
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"]), name
        assert {config["source"] for config in service.get("configs", [])} <= set(COMPOSE["configs"]), name
        for other, depends in service.get("depends_on", {}).items():
            probed = "healthcheck" in SERVICES[other] or other == "hub"  # whose image has the probe
            assert depends["condition"] != "service_healthy" or probed, (name, other)
    assert set(COMPOSE["volumes"]) == {v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", [])}


def test_images_are_pinned_and_ours_is_the_version_at_hand() -> None:
    assert [service["image"] for service in SERVICES.values() if not PINNED.fullmatch(service["image"])] == []
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert {SERVICES[name]["image"] for name in OURS} == {f"lienthong:{version}"}


def test_postgresql_keeps_its_data_in_the_volume() -> None:
    """The image of 18 has its data in a folder of its version; a volume on the old one stays empty."""
    assert SERVICES["database"]["image"].startswith("postgres:18.")
    assert SERVICES["database"]["volumes"] == ["database:/var/lib/postgresql"]


def test_what_is_ours_may_write_nowhere_but_in_its_volumes() -> None:
    for name in OURS:
        service = SERVICES[name]
        assert (service["read_only"], service["cap_drop"], service["security_opt"]) == (
            True, ["ALL"], ["no-new-privileges:true"],
        ), name  # fmt: skip


def test_no_file_is_put_into_what_is_read_only() -> None:
    """Compose copies a config's content into the container, which a read-only one refuses when it is made."""
    assert [name for name, service in SERVICES.items() if service.get("read_only") and "configs" in service] == []


def test_nobody_outside_reaches_the_database_or_the_objects() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert [SERVICES[name]["networks"] for name in ("database", "objects", "bucket")] == [["inside"]] * 3
    assert [name for name in ("g22", "h41") if "inside" in SERVICES[name]["networks"]] == []
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:8000:8000"]


def test_secrets_are_the_same_for_whoever_shares_them_and_can_be_set() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    given = set(re.findall(r"\$\{(\w+):-([^}]*)\}", text)) - {("TRUSTED_PROXIES", "127.0.0.1,::1")}
    assert {name for name, _ in given} == {"DATABASE_PASSWORD", "S3_SECRET_KEY"}
    assert len(given) == 2
    assert all(secret.startswith("chi-de-thu") for _, secret in given)  # «only for trying»
    assert all(f"{name}=" in DEPLOY for name, _ in given)


@pytest.mark.parametrize("name", OURS)
def test_every_setting_of_a_service_is_one_and_its_value_is_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in environment_of(name).items():
        monkeypatch.setenv(key, value)
    read_settings({})  # refuses what nobody reads


@pytest.mark.parametrize("name", OURS)
def test_every_command_of_a_service_can_be_typed(name: str) -> None:
    words = words_of(name)
    commands = commands_in(words[2]) if words[0] == "/bin/sh" else [words]
    assert commands
    for command in commands:
        parse(command)


# The guide.


def test_the_guide_s_commands_can_be_typed_and_its_settings_exist() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", DEPLOY, re.MULTILINE | re.DOTALL)
    commands = [command for block in blocks for command in commands_in(block)]
    started = re.findall(r"^ExecStart=\S+/(hub .+)$", DEPLOY, re.MULTILINE)
    assert started
    assert len(commands) > 2
    for command in [*commands, *map(shlex.split, started)]:
        parse(command)
    named = set(re.findall(r"HUB_[A-Z0-9_]+", DEPLOY))
    assert named <= {f"HUB_{name.upper()}" for name in Settings.model_fields}
    assert {f"HUB_{name.upper()}" for name in Settings.model_fields if name.startswith("s3_")} <= named


def test_the_guide_names_the_images_that_are_used() -> None:
    for name in ("database", "objects"):
        assert SERVICES[name]["image"].split(":")[0] in DEPLOY
    assert "`deploy/requirements.lock`" in DEPLOY
