"""Two verifiers, one verdict, on certificates, revocation and timestamps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from builders.agreeing import by_command, changed_parts, differences, flipped, judged, results
from builders.authority import DAY, Case, defects, ocsp_answer, responder
from builders.browser import Opened, coded, der
from builders.complete import stamped, under_an_authority
from builders.evidence import AT, Told, a_story_under_an_authority, pem
from builders.stamping import a_tsa
from cryptography import x509

from clients.evidence import packed
from hub.authority import SIGNER_USAGE, YEAR, issue
from hub.domain.signature import sign
from hub.domain.trust import Material, validate

pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")


def test_signers_with_every_defect_are_judged_alike(verifying: Opened) -> None:
    authority, _ = judged()
    right = Case(authority.agency.certificate, (authority.intermediate.certificate,))
    number = right.certificate.serial_number
    cases = defects(authority) | {
        "right": right,
        "missing": replace(right, intermediates=()),
        "revoked": replace(right, revoked={number: (AT - DAY, x509.ReasonFlags.key_compromise)}),
        "held": replace(right, revoked={number: (AT - DAY, x509.ReasonFlags.certificate_hold)}),
        "later": replace(right, revoked={number: (AT + DAY, x509.ReasonFlags.key_compromise)}),
    }
    for made in (AT - timedelta(hours=1), AT + 3 * DAY, AT - 20 * DAY):
        lists = {name: authority.crls(case.revoked, made) for name, case in cases.items()}
        given = [
            {
                "certificate": der(case.certificate), "at": AT.timestamp() * 1000,
                "anchors": [der(authority.root.certificate)], "intermediates": [der(one) for one in case.intermediates],
                "crls": coded(lists[name]),
            }
            for name, case in cases.items()
        ]  # fmt: skip
        for found, (name, case) in zip(verifying.judge(given), cases.items(), strict=True):
            expected = validate(
                case.certificate, AT, anchors=[authority.root.certificate], intermediates=case.intermediates,
                revocation=[Material("crl", octets, made) for octets in lists[name]], timestamped=True,
            )  # fmt: skip
            assert found["verdict"] == expected.verdict, name
            assert [step["result"] for step in found["steps"]] == [step.result for step in expected.steps[:6]], name


def test_certificates_of_a_file_and_what_is_missing_among_them_are_told_alike(verifying: Opened) -> None:
    authority, story = judged()
    other, _ = a_story_under_an_authority()
    evidence = under_an_authority(authority, story)
    right, root = dict(evidence.certificates), pem(authority.root.certificate)
    serial = authority.agency.certificate.serial_number
    revoked = authority.crls({serial: (AT - DAY, x509.ReasonFlags.key_compromise)}, AT + DAY)
    files = {
        "no intermediate": {"certificates": right | {"certificates/intermediate-1.pem": b""}},
        "no root": {"certificates": right | {"certificates/root-1.pem": b""}},
        "another root": {"certificates": right | {"certificates/root-1.pem": pem(other.root.certificate)}},
        "two roots": {"certificates": right | {"certificates/root-2.pem": pem(other.root.certificate)}},
        "a stranger": {"certificates": right | {"certificates/signer-2.pem": pem(authority.leader.certificate)}},
        "a line before": {"certificates": right | {"certificates/root-1.pem": b"x\n" + root}},
        "two in one": {"certificates": right | {"certificates/root-1.pem": root + root}},
        "CR LF": {"certificates": right | {"certificates/root-1.pem": root.replace(b"\n", b"\r\n")}},
        "no PEM": {"certificates": right | {"certificates/root-1.pem": b"x"}},
        "nothing": {"certificates": {}, "revocation": {}},
        "no revocation": {"revocation": {}},
        "revoked": {"revocation": {f"revocation/{n}.crl": octets for n, octets in enumerate(revoked, 1)}},
        "right": {},
    }
    held = {
        name: packed(
            replace(evidence, **{part: {n: o for n, o in given.items() if o} for part, given in parts.items()})
        )
        for name, parts in files.items()
    }
    for keys in (None, [evidence.keys.octets], [evidence.keys.octets, root], [pem(other.root.certificate)]):
        assert differences(verifying, held, keys) == {}


def test_packets_signed_with_certificates_that_do_not_count_are_told_alike(verifying: Opened) -> None:
    authority, story = judged()
    above, since, until = authority.intermediate, AT - YEAR, AT + YEAR
    barred = issue("CA không được ký", since, until, authority.root, authority=True, usage=SIGNER_USAGE)
    holders = {
        "expired": (issue("A", since, AT - DAY, above), above),
        "not yet": (issue("A", AT + DAY, until, above), above),
        "not for signing": (issue("A", since, until, above, usage=frozenset({"key_encipherment"})), above),
        "under who may not issue": (issue("A", since, until, barred), barred),
        "RSA": (issue("A", since, until, above, key="RSA-2048"), above),
    }
    files = {}
    for name, (holder, issuer) in holders.items():
        signed = replace(authority, agency=holder, intermediate=issuer)
        packet = sign(story.packet, holder.key, holder.certificate)
        kind, said = story.statements[0]
        one = Told(packet, ((kind, said | {"sha256": sha256(packet).hexdigest()}),), {})
        files[name] = packed(under_an_authority(signed, one))
    assert differences(verifying, files) == {}
    twelfth = {name: by_command(octets, None)[11]["result"] for name, octets in files.items()}
    assert [name for name, result in twelfth.items() if result == "failed"] == list(holders)[:4]


def test_ocsp_answers_are_believed_alike(verifying: Opened) -> None:
    authority, story = judged()
    signer, issuer = authority.agency.certificate, authority.intermediate
    made = AT + timedelta(hours=1)
    delegated, bare = responder(issuer, made), responder(issuer, made, delegated=False)
    answers = {
        "good": ocsp_answer(signer, issuer, made),
        "revoked": ocsp_answer(signer, issuer, made, (AT - DAY, x509.ReasonFlags.key_compromise)),
        "held": ocsp_answer(signer, issuer, made, (AT - DAY, x509.ReasonFlags.certificate_hold)),
        "unknown": ocsp_answer(signer, issuer, made, unknown=True),
        "old": ocsp_answer(signer, issuer, AT - 9 * DAY, until=AT + DAY),
        "delegated": ocsp_answer(signer, issuer, made, by=delegated),
        "not delegated": ocsp_answer(signer, issuer, made, by=bare),
        "by a stranger": ocsp_answer(signer, issuer, made, by=authority.leader),
        "by a responder that may be revoked": ocsp_answer(
            signer, issuer, made, by=responder(issuer, made, checked=True)
        ),
        "about another": ocsp_answer(authority.leader.certificate, issuer, made),
        "broken": b"\x30\x03\x0a\x01\x06",
        "none": b"x",
    }
    answers["changed"] = flipped(answers["good"], len(answers["good"]) - 20, 1)
    evidence = under_an_authority(authority, story)
    root = evidence.revocation["revocation/2.crl"]
    files = {
        name: packed(replace(evidence, revocation={"revocation/1.crl": root, "revocation/2.ocsp": octets}))
        for name, octets in answers.items()
    }
    assert differences(verifying, files, [evidence.keys.octets, pem(authority.root.certificate)]) == {}
    twelfth = {name: by_command(octets, None)[11] for name, octets in files.items()}
    assert {name for name, step in twelfth.items() if step["result"] == "failed"} == {"revoked", "held"}
    assert all(
        "INDETERMINATE" in twelfth[name]["en"] for name in answers.keys() - {"good", "revoked", "held", "delegated"}
    )


# Timestamps.


def test_timestamps_are_believed_alike_and_every_changed_byte_of_one_is_caught(verifying: Opened) -> None:
    evidence, tsa = stamped()
    keys, roots = [evidence.keys.octets], [pem(tsa.root.certificate)]
    one, two, three = evidence.timestamps
    evidences = {
        "right": evidence,
        "no revocation": replace(evidence, revocation={}),
        "one": replace(evidence, timestamps=(one,)),
        "none": replace(evidence, timestamps=()),
        "another's token": replace(evidence, timestamps=(replace(one, token=two.token), two)),
        "another's note": replace(evidence, timestamps=(replace(one, checkpoint=two.checkpoint),)),
        "another size": replace(evidence, timestamps=(replace(one, size=one.size + 1),)),
        "short proof": replace(evidence, timestamps=(replace(one, proof=one.proof[:-1]),)),
        "long proof": replace(evidence, timestamps=(replace(three, proof=(bytes(32),)),)),
        "no token": replace(evidence, timestamps=(replace(one, token=b""),)),
    }
    files = {name: packed(each) for name, each in evidences.items()}
    for stampers in (roots, [pem(a_tsa(AT).root.certificate)], []):
        assert differences(verifying, files, keys, stampers) == {}
    assert results(by_command(files["right"], keys, roots))[12] == (13, "passed")
    changed = dict(changed_parts(replace(evidence, timestamps=(one,)), None, step=41))
    tokens = {name: octets for name, octets in changed.items() if name[0].endswith(".token")}
    assert len(tokens) > 30
    assert differences(verifying, tokens, keys, roots) == {}
    assert all(steps[12]["result"] == "failed" for steps in verifying.verify(tokens.values(), keys, roots))
