"""Another key and certificate in place of the folder's: registered at the hub first, switched then.

They lie in ``key-next.pem`` and ``certificate-next.pem`` until they are switched, so that the folder's own pair is
always one that the hub has. What a crash leaves at each named step stands in docs/agency.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from cryptography.x509 import Certificate

from clients.agency import durable, keys
from clients.agency.durable import Step, no_step
from clients.agency.home import Config, Home
from clients.agency.joining import make_request
from clients.agency.texts import CannotError
from clients.agency.voice import Voice
from clients.hub_client import HubClient, Refused
from hub.domain.document import local_day
from hub.domain.signature import PrivateKey, fingerprint

_Pair = tuple[PrivateKey, Certificate]

_EARLY = timedelta(days=60)  # an authority may take weeks to issue one


def tell_of_the_end(certificate: Certificate, voice: Voice, now: datetime) -> None:
    """Say when the certificate ends, if that is soon."""
    end = certificate.not_valid_after_utc
    if end - now < _EARLY:
        voice.say("certificate-ends", day=local_day(end))


def renew(
    home: Home, voice: Voice, now: datetime, *, issued: Path | None = None, request: bool = False, at: Step = no_step
) -> None:
    """Raises ``CannotError``, ``HubFailure``, ``OSError``; the same again goes on from there.

    ``request``: make only the key, and a request for its certificate, which is ``issued`` later.
    """
    config = home.config()
    if config.one_time_code:
        raise CannotError("renew-early", code=config.code)
    with durable.held(home.root) as mine:
        if not mine:
            raise CannotError("renew-twice", folder=str(home.root))
        key, certificate, path = home.found_identity()
        if path == home.certificate_file:  # otherwise only the last rename is missing
            if not home.next_key.exists() and issued is None:
                durable.write(home.next_key, keys.new_key())
                voice.say("key-made", path=str(home.next_key))
            at("next-key-made")
            if request:
                make_request(home, config, home.next_key, "renew", voice)
                return
            new = _next_pair(home, config, issued, now)
            at("next-certificate-made")
            _register(home, config, new, (key, certificate))
            at("next-registered")
            if new[1] != certificate:
                _keep(home, certificate)
            at("old-kept")
            if home.next_key.exists():
                durable.move(home.next_key, home.key_file)
            at("key-switched")
            certificate = new[1]
        durable.move(home.next_certificate, home.certificate_file)
        at("certificate-switched")
    facts = {"fingerprint": fingerprint(certificate), "day": local_day(certificate.not_valid_after_utc)}
    voice.say("renewed", code=config.code, **facts)


def _next_pair(home: Home, config: Config, issued: Path | None, now: datetime) -> _Pair:
    """The next certificate is the one issued, or the one that lies there and fits, or is made here."""
    # Without a next key this is `--certificate` once more, after a crash behind the last rename.
    path = home.next_key if home.next_key.exists() else home.key_file
    try:
        key = keys.read_key(path.read_bytes())
        path = issued or home.next_certificate
        if issued is None and not _fits(path, key, now):
            durable.write(path, keys.self_made_certificate(key, config.code, config.name, now))
        pem = path.read_bytes()
        certificate = _standing(pem, key, now)
    except (OSError, ValueError) as fault:
        raise CannotError("key-bad", path=str(path), why=str(fault)) from None
    durable.write(home.next_certificate, pem)
    return key, certificate


def _fits(path: Path, key: PrivateKey, now: datetime) -> bool:
    try:
        _standing(path.read_bytes(), key, now)
    except (FileNotFoundError, ValueError):
        return False
    return True


def _standing(pem: bytes, key: PrivateKey, now: datetime) -> Certificate:
    certificate = keys.read_certificate(pem, key)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begin <= now < end:
        raise ValueError(f"it counts from {begin} until {end}")
    return certificate


def _register(home: Home, config: Config, new: _Pair, old: _Pair) -> None:
    """Endorsed by the old pair. A repeat after a lost answer finds it registered, by the operator too."""
    with HubClient(config.hub, config.token, key=new[0], certificate=new[1]) as client:
        try:
            client.register_certificate(config.code, config.system_id, endorsed_by=old)
        except Refused as refused:
            if refused.code != "possession-not-proved":
                raise
            facts = {"code": config.code, "day": local_day(old[1].not_valid_after_utc)}
            raise CannotError("renew-ended", path=str(home.next_certificate), **facts) from None


def _keep(home: Home, certificate: Certificate) -> None:
    """The old pair beside the new, under the day on which it began to count: a repeat on a later day finds the name."""
    pem = home.certificate_file.read_bytes()

    def another(path: Path) -> bool:
        kept = path.with_suffix(".pem")
        return kept.exists() and kept.read_bytes() != pem

    day = f"{local_day(certificate.not_valid_before_utc):%Y%m%d}"
    kept = durable.free(home.root / f"certificate-{day}", another).with_suffix(".pem")
    durable.write(kept, pem)
    durable.write(kept.with_name(kept.name.replace("certificate", "key", 1)), home.key_file.read_bytes())
