"""A timestamping authority (RFC 3161) with keys of its own, and one that answers on loopback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from asn1crypto import cms, keys, tsp
from asn1crypto import x509 as asn1
from builders.revoking import Page, RevocationServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from hub.authority import YEAR, Holder, PrivateKey, issue, new_key
from hub.domain.timestamp import answered, question
from hub.exchange.desk import Desk
from hub.exchange.timestamping import Kept, keep
from hub.store import evidence
from hub.store.engine import reading

PATH = "/tsa"
Change = Callable[[Any], None]  # of a TimeStampReq, as asn1crypto has it


@cache
def a_key(_name: str = "") -> PrivateKey:
    """The library that stamps here signs with RSA alone, whose keys take their time."""
    return new_key("RSA-2048")


@dataclass(frozen=True)
class Tsa:
    """``holder`` stamps, below ``intermediate`` and ``root``; ``beside`` goes along in its tokens too."""

    root: Holder
    intermediate: Holder
    holder: Holder
    beside: tuple[x509.Certificate, ...] = ()

    def answer(
        self, question: bytes, at: datetime, *, change: Change = lambda asked: None, key: PrivateKey | None = None
    ) -> bytes:
        """A TimeStampResp of that moment: to what ``change`` makes of the question, signed by another ``key``."""
        asked = tsp.TimeStampReq.load(question)
        change(asked)
        private = (key or self.holder.key).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        maker = DummyTimeStamper(
            _asn1(self.holder.certificate), keys.PrivateKeyInfo.load(private),
            certs_to_embed=[_asn1(one) for one in (self.intermediate.certificate, *self.beside)], fixed_dt=at,
        )  # fmt: skip
        return bytes(maker.request_tsa_response(asked).dump())

    def stamp(self, desk: Desk) -> int:
        """Keep the log's newest checkpoint as stamped now; gives its size."""
        with reading(desk.engine) as connection:
            head = evidence.head(connection)
        assert head is not None
        note, now = head["checkpoint"].encode(), desk.clock()
        asked = question(note)
        made = answered(asked, self.answer(asked.octets, now), note, [self.root.certificate])
        desk.writer.run(keep, Kept(head["size"], head["checkpoint"], made, now))
        return int(head["size"])

    def serve(self, server: RevocationServer, clock: Callable[[], datetime], **terms: Any) -> str:
        """Answer there from now on; gives the URL."""
        server.pages[PATH] = lambda question: Page((self.answer(question, clock(), **terms),))
        return server.url(PATH)


def a_tsa(
    at: datetime,
    *,
    until: datetime | None = None,
    usage: tuple[x509.ObjectIdentifier, bool] | None = None,
    **terms: Any,
) -> Tsa:
    """Good for years around the moment. ``usage``: extended, and whether it is critical."""
    root = issue("CA gốc dấu thời gian", at - YEAR, at + 9 * YEAR, authority=True)
    intermediate = issue("CA dấu thời gian", at - YEAR, at + 9 * YEAR, root, authority=True, below=0)
    what, critical = usage or (ExtendedKeyUsageOID.TIME_STAMPING, True)
    holder = issue(
        "TSA thử nghiệm", at - YEAR, until or at + 5 * YEAR, intermediate, key=a_key(),
        usage=frozenset({"digital_signature"}), extensions=((x509.ExtendedKeyUsage([what]), critical),),
    )  # fmt: skip
    return Tsa(root, intermediate, holder, **terms)


def naming_also(tsa: Tsa, token: bytes, beside: x509.Certificate) -> bytes:
    """The token signed anew with a second ESSCertID, of a certificate outside of its path; in its one form."""
    answer = cms.ContentInfo.load(token)
    signed = answer["content"]
    signer = signed["signer_infos"][0]
    named = [tsa.holder.certificate, beside]
    identified = [
        tsp.ESSCertIDv2({"hash_algorithm": {"algorithm": "sha256"}, "cert_hash": one.fingerprint(hashes.SHA256())})
        for one in named
    ]
    others = [each for each in signer["signed_attrs"] if not each["type"].native.startswith("signing_certificate")]
    own = {"type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2({"certs": identified})]}
    attributes = cms.CMSAttributes([*others, cms.CMSAttribute(own)])
    signer["signed_attrs"] = attributes
    algorithm = {"sha256": hashes.SHA256, "sha512": hashes.SHA512}[signer["digest_algorithm"]["algorithm"].native]()
    key = tsa.holder.key
    assert isinstance(key, rsa.RSAPrivateKey)
    signer["signature"] = key.sign(b"\x31" + attributes.dump(force=True)[1:], padding.PKCS1v15(), algorithm)
    path = (tsa.holder, tsa.intermediate, tsa.root)
    signed["certificates"] = [_asn1(one) for one in (*(each.certificate for each in path), beside)]
    return bytes(answer.dump(force=True))


def refusing(status: str = "rejection", why: str = "quá tải") -> bytes:
    """A TimeStampResp without a token."""
    info = tsp.PKIStatusInfo({"status": status, "status_string": [why]}).dump()
    return b"\x30" + bytes([len(info)]) + bytes(info)


def another_nonce(asked: Any) -> None:
    asked["nonce"] = asked["nonce"].native ^ 1


def no_nonce(asked: Any) -> None:
    asked["nonce"] = None


def another_imprint(asked: Any) -> None:
    asked["message_imprint"]["hashed_message"] = asked["message_imprint"]["hashed_message"].native[::-1]


def _asn1(certificate: x509.Certificate) -> Any:
    return asn1.Certificate.load(certificate.public_bytes(Encoding.DER))
