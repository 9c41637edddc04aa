"""Every setting of the hub, with unit, default and meaning. Read from ``HUB_*`` by the commands, passed to the rest."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from hub.domain.edxml import Limits

MIB = 1024 * 1024


class SettingsError(ValueError):
    """Settings that cannot be used; the text has a line for each."""


def _database(url: str) -> str:
    if not re.fullmatch(r"(sqlite:///(?!:memory:).+|postgresql://.*)?", url):
        raise ValueError("only sqlite:///FILE and postgresql://USER@HOST/DATABASE are taken")
    return url


def _payloads(url: str) -> str:
    if url and not url.startswith("file:///"):
        raise ValueError("only file:///FOLDER is taken")
    return url


class Settings(BaseSettings):
    """One hub's settings; frozen. :func:`read_settings` refuses a wrong value with the setting's name."""

    model_config = SettingsConfigDict(env_prefix="HUB_", env_ignore_empty=True, frozen=True, extra="forbid")

    data_dir: Path = Field(Path("var"), description="Folder of the embedded database, payloads and key file.")
    database_url: Annotated[str, AfterValidator(_database)] = Field(
        "", description="sqlite:///… or postgresql://…; empty: SQLite in the data folder."
    )
    payloads_url: Annotated[str, AfterValidator(_payloads)] = Field(
        "", description="file:///… folder for packets too large for a row; empty: in the data folder."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    packet_limit: int = Field(50 * MIB, gt=0, description="Bytes of the largest packet.")
    attachment_limit: int = Field(50 * MIB, gt=0, description="Bytes of the largest attachment, unpacked.")
    attachments_limit: int = Field(100, gt=0, description="Attachments in one packet.")
    inline_limit: int = Field(64 * 1024, ge=0, description="Bytes up to which a packet lies in its row.")
    in_flight_limit: int = Field(512 * MIB, gt=0, description="Bytes of packets being received or checked at once.")
    body_timeout: float = Field(
        60.0,
        gt=0,
        description="Seconds in which a body's next part must arrive, and all of it with a second more per 32 KiB.",
    )
    checkers: int = Field(
        1, ge=0, le=64, description="Processes that check packets; 0: threads of the serving process."
    )
    polls_per_system: int = Field(4, gt=0, description="Waiting polls of one system; one more is answered at once.")
    sweep_seconds: float = Field(
        1.0, gt=0, description="Seconds between looks for leases and deliveries that are over."
    )
    number_taken: Literal["refuse", "flag"] = Field(
        "refuse", description="refuse or flag: what a number used twice leads to."
    )

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'hub.db'}"

    @property
    def payloads(self) -> Path:
        return Path(self.payloads_url.removeprefix("file://")) if self.payloads_url else self.data_dir / "payloads"

    @property
    def limits(self) -> Limits:
        """What one packet may measure."""
        return Limits(packet=self.packet_limit, attachment=self.attachment_limit, attachments=self.attachments_limit)


def read_settings(options: Mapping[str, Any]) -> Settings:
    """The settings of a command: its options, else ``HUB_*``, else the defaults.

    Raises :class:`SettingsError` for values that cannot be used, and for names nobody reads: a misspelt setting would
    silently be its default.
    """
    known = [_variable(name) for name in Settings.model_fields]
    given = [name for name in os.environ if name.upper().startswith("HUB_")]
    faults = [_unknown(name, known) for name in sorted(given) if name.upper() not in known]
    try:
        found = Settings(**options)
    except ValidationError as fault:
        faults += [_explained(error["loc"][0], error["msg"], options) for error in fault.errors()]
    if faults:
        raise SettingsError("\n".join(faults))
    return found


def _variable(name: str) -> str:
    return f"HUB_{name.upper()}"


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name.upper(), known, 1)
    return f"{name}: there is no such setting" + (f"; {near[0]}?" if near else "")


def _explained(name: int | str, told: str, options: Mapping[str, Any]) -> str:
    named = f"--{name}".replace("_", "-") if name in options else _variable(str(name))
    return f"{named}: {told.removeprefix('Value error, ')}"
