"""Every setting of the hub, with unit, default and meaning. Read from ``HUB_*`` by the commands, passed to the rest."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from hub.domain.edxml import Limits

MIB = 1024 * 1024


class SettingsError(ValueError):
    """Settings that cannot be used; the text has a line for each."""


def _database(url: str) -> str:
    if not re.fullmatch(r"(sqlite:///(?!:memory:).+|postgresql://.*)?", url):
        raise ValueError("only sqlite:///FILE and postgresql://USER@HOST/DATABASE are taken")
    return url


def _payloads(url: str, given: ValidationInfo) -> str:
    if re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+(/[A-Za-z0-9._/-]*)?", url):
        lacking = [name for name in _S3 if name in given.data and not given.data[name]]
        if lacking:
            raise ValueError(f"s3:// needs {', '.join(map(_variable, lacking))} too")
    elif url and not url.startswith("file:///"):
        raise ValueError("only file:///FOLDER and s3://BUCKET/PREFIX are taken")
    return url


_ORIGIN = re.compile(r"[^\s+]{1,200}")
_S3 = ("s3_endpoint", "s3_access_key", "s3_secret_key")


def _proxies(listed: str) -> str:
    for proxy in filter(None, listed.split(",")):
        ipaddress.ip_network(proxy.strip())  # says itself what is wrong
    return listed


def _page(value: str) -> str:
    if value:
        host, _, port = value.rpartition(":")
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))  # says itself what is wrong
        if address.is_unspecified or not address.is_private:
            raise ValueError("only an address of this machine that is loopback or private: the page is not protected")
        if not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError("ADDRESS:PORT, such as 127.0.0.1:9464")
    return value


def _origin(value: str) -> str:
    if value and ("://" in value or not _ORIGIN.fullmatch(value)):
        raise ValueError("a host name and a path, without a scheme, space or plus sign")
    return value


class Settings(BaseSettings):
    """One hub's settings; frozen. :func:`read_settings` refuses a wrong value with the setting's name."""

    model_config = SettingsConfigDict(env_prefix="HUB_", env_ignore_empty=True, frozen=True, extra="forbid")

    data_dir: Path = Field(Path("var"), description="Folder of the embedded database, payloads and key file.")
    database_url: Annotated[str, AfterValidator(_database)] = Field(
        "",
        description="sqlite:///… or postgresql://…, with commas between HOST:PORT of several servers; empty: SQLite in "
        "the data folder.",
    )
    s3_endpoint: str = Field(
        "", pattern="^(https?://.+)?$", description="http(s)://… of the store that has the bucket of s3://…"
    )
    s3_region: str = Field("us-east-1", description="Its region; most stores of one's own take any.")
    s3_access_key: str = Field("", description="Access key for the bucket: read, write, remove, list.")
    s3_secret_key: str = Field("", repr=False, description="Secret of that key.")
    # After them: it says which of them it needs.
    payloads_url: Annotated[str, AfterValidator(_payloads)] = Field(
        "",
        description="file:///… folder, or s3://BUCKET/PREFIX, for packets too large for a row; empty: the data folder.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    metrics: Annotated[str, AfterValidator(_page)] = Field(
        "",
        description="127.0.0.1:9464, a loopback or private address and a port: where Prometheus finds `/metrics`, "
        "[unprotected](operate.md#metrics); port 0 takes a free one, empty: nowhere.",
    )
    traces: str = Field(
        "",
        pattern="^(https?://.+)?$",
        description="http://127.0.0.1:4318/v1/traces: a collector of [traces](operate.md#traces), by OTLP over HTTP; "
        "needs the extra `otel`. Empty: none.",
    )
    simulation_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port of 127.0.0.1 by which the hub can be told to misbehave, 0 a free one; None: off. Only for "
        "trying software.",
    )
    simulation_clock: AwareDatetime | None = Field(
        None,
        description="2019-03-12T08:00:00+07:00, with --simulation-port: the hub's clock stands there from the start.",
    )
    tls_cert: str = Field("", description="PEM file of the server's certificate and its chain; SIGHUP reads it again.")
    tls_key: str = Field("", description="PEM file of that certificate's key, without a passphrase.")
    trusted_proxies: Annotated[str, AfterValidator(_proxies)] = Field(
        "127.0.0.1,::1",
        description="Addresses and networks of proxies, with commas between: with --behind-proxy their X-Forwarded-For "
        "and X-Forwarded-Proto count, nobody else's; HUB_CONNECTIONS_PER_ADDRESS is not for them.",
    )
    connections_limit: int = Field(
        20_000,
        gt=0,
        description="Connections to one process at once, as far as it may have files open; more are closed.",
    )
    connections_per_address: int = Field(
        1000, gt=0, description="Of these from one address (of IPv6, one /64); more are closed."
    )
    head_timeout: float = Field(
        20.0, gt=0, description="Seconds in which a connection's TLS, and a request's head, must be there."
    )
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
    pdf_policy: Literal["report", "require"] = Field(
        "report",
        description="report or require: whether signatures in PDF files are examined after acceptance and told, or "
        "before it, and refused where they do not count. A system may have its own.",
    )
    examiners: int = Field(
        1, ge=1, le=64, description="Processes that examine PDF files before acceptance, where that is required."
    )
    polls_per_system: int = Field(4, gt=0, description="Waiting polls of one system; one more is answered at once.")
    sweep_seconds: float = Field(
        1.0, gt=0, description="Seconds between looks for leases and deliveries that are over."
    )
    number_taken: Literal["refuse", "flag"] = Field(
        "refuse", description="refuse or flag: what a number used twice leads to."
    )
    log_origin: Annotated[str, AfterValidator(_origin)] = Field(
        "",
        description="Name of the evidence log, such as `truc.haiphong.gov.vn/bang-chung`; fixed when the hub is first "
        "started, and made up if there is none.",
    )
    log_tsa_url: str = Field(
        "",
        pattern="^(https?://.+)?$",
        description="http(s)://… of an authority that timestamps the evidence log's checkpoints (RFC 3161); empty: "
        "none. Its root is told by `hub trust add --role tsa`.",
    )
    log_tsa_seconds: int = Field(
        3600, gt=0, description="Seconds between two of these timestamps; without new entries there is none."
    )
    keep_packets: int = Field(
        0, ge=0, description="Days to keep the bytes of a document's packets once all about it is final; 0: for ever."
    )
    keep_metadata: int = Field(
        0, ge=0, description="Days to keep what people wrote of it: subject, warnings, reasons; 0: for ever."
    )
    keep_history: int = Field(
        0,
        ge=0,
        description="Days to keep attempts, changes of state, outbox entries, who looked at it, and operators' actions "
        "on deliveries; the audit stays. 0: for ever.",
    )
    keep_refusals: int = Field(365, ge=0, description="Days to keep what was refused; 0: for ever.")
    disk_reserve: int = Field(
        512 * MIB,
        ge=0,
        description="Bytes to leave free on the disks of database and payloads: below it no packet is taken.",
    )

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'hub.db'}"

    @property
    def payloads(self) -> Path | None:
        """The folder; None where they lie in a bucket."""
        if self.payloads_url.startswith("s3://"):
            return None
        return Path(self.payloads_url.removeprefix("file://")) if self.payloads_url else self.data_dir / "payloads"

    @property
    def folders(self) -> list[Path]:
        """The folders that grow, each perhaps on a disk of its own."""
        database = [Path(self.database.removeprefix("sqlite:///")).parent] if self.database[:6] == "sqlite" else []
        payloads = [self.payloads] if self.payloads is not None else []
        return [self.data_dir, *payloads, *database]

    @property
    def proxies(self) -> list[str]:
        return [proxy.strip() for proxy in self.trusted_proxies.split(",") if proxy.strip()]

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
