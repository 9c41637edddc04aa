"""Two verifiers, one verdict, on certificates, revocation and timestamps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from builders.agreeing import by_command, changed_parts, differences, flipped, judged, results
from builders.authority import DAY, Authority, Case, crl, defects, ocsp_answer, responder
from builders.browser import Opened, coded, der
from builders.complete import held_between, stamped, under_an_authority
from builders.evidence import AT, Told, a_story_signed_by, a_story_under_an_authority, pem
from builders.stamping import a_tsa, naming_also
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.name import _ASN1Type

from clients.evidence import packed
from hub.authority import SIGNER_USAGE, YEAR, Holder, issue
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


def test_what_was_signed_during_a_hold_fails_alike(verifying: Opened) -> None:
    authority, _ = judged()
    evidence = held_between(authority)
    keys = [evidence.keys.octets, pem(authority.root.certificate)]
    assert differences(verifying, {"held": packed(evidence)}, keys) == {}
    assert by_command(packed(evidence), keys)[11]["result"] == "failed"


def test_a_revocation_signed_with_sha3_is_left_to_the_command_and_never_passed_over(verifying: Opened) -> None:
    authority, story = judged()
    signer, above = authority.agency.certificate, authority.intermediate
    since = (AT - DAY, x509.ReasonFlags.key_compromise)
    lists = {
        "crl": crl(above, AT + DAY, {signer.serial_number: since}, algorithm=hashes.SHA3_256()),
        "ocsp": ocsp_answer(signer, above, AT + timedelta(hours=1), since, algorithm=hashes.SHA3_256()),
    }
    evidence = under_an_authority(authority, story)
    keys = [evidence.keys.octets, pem(authority.root.certificate)]
    for kind, octets in lists.items():
        revocation = {f"revocation/1.{kind}": octets, "revocation/2.crl": crl(authority.root, AT + DAY)}
        file = packed(replace(evidence, revocation=revocation))
        assert by_command(file, keys)[11]["result"] == "failed"
        [steps] = verifying.verify([file], keys)
        assert (steps[11]["result"], steps[11]["elsewhere"]) == ("untold", True)


def test_paths_that_the_command_refuses_the_page_refuses_too(verifying: Opened) -> None:
    """Names compare by their octets, not by what they read as; RSA-PSS has a salt as long as its hash."""
    authority, _ = judged()
    below_rsa = issue("CA dùng RSA", AT - YEAR, AT + YEAR, authority.root, authority=True, key="RSA-2048")
    name = authority.intermediate.certificate.subject
    bmp = x509.Name([x509.NameAttribute(each.oid, each.value, _ASN1Type.BMPString) for each in name])
    cases = {"the name in another string type": (authority.intermediate, bmp, None)} | {
        f"salt {salt}": (below_rsa, below_rsa.certificate.subject, padding.PSS(padding.MGF1(hashes.SHA256()), salt))
        for salt in (20, 32)
    }
    files, keys = {}, []
    for case, (issuer, issuer_name, scheme) in cases.items():
        holder = reissued(authority, issuer, issuer_name, scheme)
        evidence = under_an_authority(replace(authority, agency=holder, intermediate=issuer), a_story_signed_by(holder))
        keys.append(evidence.keys.octets)
        files[case] = packed(evidence)
    found = {}
    for (case, file), own in zip(files.items(), keys, strict=True):
        trusted = [own, pem(authority.root.certificate)]
        assert differences(verifying, {case: file}, trusted) == {}
        found[case] = by_command(file, trusted)[11]["result"]
    assert found == {"the name in another string type": "failed", "salt 20": "failed", "salt 32": "passed"}


def reissued(authority: Authority, issuer: Holder, name: x509.Name, scheme: padding.PSS | None) -> Holder:
    """The agency's certificate by another issuer, under ``name``."""
    old = authority.agency.certificate
    builder = x509.CertificateBuilder(
        name, old.subject, old.public_key(), old.serial_number, old.not_valid_before_utc, old.not_valid_after_utc
    )
    for each in old.extensions:
        builder = builder.add_extension(each.value, each.critical)
    return replace(authority.agency, certificate=builder.sign(issuer.key, hashes.SHA256(), rsa_padding=scheme))


# Timestamps.


def test_a_token_that_names_a_certificate_beside_its_path_is_believed_alike(verifying: Opened) -> None:
    evidence, tsa = stamped()
    one = evidence.timestamps[0]
    beside = a_story_under_an_authority()[0].root.certificate
    token = naming_also(tsa, one.token, beside)
    file = packed(replace(evidence, timestamps=(replace(one, token=token),)))
    keys, roots = [evidence.keys.octets], [pem(tsa.root.certificate)]
    assert token != one.token
    assert by_command(file, keys, roots)[12]["result"] == "passed"
    assert differences(verifying, {"beside": file}, keys, roots) == {}


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
