"""Every setting of the hub, with unit, default and meaning. Read from ``HUB_*`` by the commands, passed to the rest."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from hub.domain.edxml import Limits

MIB = 1024 * 1024


class Settings(BaseSettings):
    """One hub's settings; frozen. A wrong value is refused at start with the setting's name."""

    model_config = SettingsConfigDict(env_prefix="HUB_", frozen=True, extra="forbid")

    data_dir: Path = Field(Path("var"), description="Folder of the embedded database, payloads and key file.")
    database_url: str = Field("", description="sqlite:///… or postgresql://…; empty: SQLite in the data folder.")
    payloads_url: str = Field(
        "", description="file:///… folder for packets too large for a row; empty: in the data folder."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    packet_limit: int = Field(50 * MIB, gt=0, description="Bytes of the largest packet.")
    attachment_limit: int = Field(50 * MIB, gt=0, description="Bytes of the largest attachment, unpacked.")
    attachments_limit: int = Field(100, gt=0, description="Attachments in one packet.")
    inline_limit: int = Field(64 * 1024, ge=0, description="Bytes up to which a packet lies in its row.")
    in_flight_limit: int = Field(512 * MIB, gt=0, description="Bytes of packets being received or checked at once.")
    body_timeout: float = Field(60.0, gt=0, description="Seconds in which the next part of a body must arrive.")
    polls_per_system: int = Field(4, gt=0, description="Waiting polls of one system; one more is answered at once.")
    sweep_seconds: float = Field(
        1.0, gt=0, description="Seconds between looks for leases and deliveries that are over."
    )
    number_taken: str = Field(
        "refuse", pattern="^(refuse|flag)$", description="refuse or flag: what a number used twice leads to."
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


def explain(fault: ValidationError) -> str:
    """A line per wrong setting, for the operator."""
    return "\n".join(f"HUB_{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in fault.errors())
