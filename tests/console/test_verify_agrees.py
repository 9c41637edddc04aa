"""Two verifiers, one verdict: the same files through ``agency verify`` and through the page, step by step."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from hashlib import sha256
from itertools import islice
from typing import Any

import pytest
from builders.agreeing import by_command, changed_parts, differences, flipped, judged, results
from builders.browser import Opened, der
from builders.complete import under_an_authority
from builders.evidence import (
    Hub,
    Told,
    evidence_of,
    pem,
    some_evidence,
    told,
)
from builders.forgery import changed as forged
from builders.forgery import dsig, qcvn, sealed
from builders.forgery import signed as signed_packet
from builders.keys import a_certificate
from builders.packets import PDF, a_document, an_attachment, frame
from lxml import etree

from clients.evidence import packed
from hub.domain import edxml
from hub.domain.signature import sign
from hub.domain.trust import Result

pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")


# What is right.


@pytest.mark.parametrize("pinned", [True, False])
def test_of_what_is_right_both_say_the_same_in_the_same_words(verifying: Opened, pinned: bool) -> None:
    authority, story = judged()
    evidences = [
        some_evidence(attachments=(an_attachment("Phụ lục.pdf", PDF), an_attachment("Bảng.doc", b"x", content_id="2"))),
        some_evidence(subject="V/v <nhà> & “đất”; 1 > 0 \t \U0001f4dc", signer="Nguyễn\xa0Văn"),
        evidence_of(Hub(), told(), before=0, after=0),
        evidence_of(Hub(), told(), before=1023, after=1),
        under_an_authority(authority, story),
    ]
    for evidence in evidences:
        keys = [evidence.keys.octets, pem(authority.root.certificate)] if pinned else None
        [shown] = verifying.verify([packed(evidence)], keys)
        expected = by_command(packed(evidence), keys)
        assert {each["result"] for each in expected} <= {"passed", "untold"}
        for step, same in zip(shown, expected, strict=True):
            if not pinned and step["number"] == 3:  # the command names its option
                step["vi"] = step["vi"].replace("chọn khóa tin cậy", "dùng --keys")
                step["en"] = step["en"].replace("choose keys you trust", "use --keys")
            assert {name: step[name] for name in same} == same


# What was changed.


def test_a_changed_byte_in_each_part_fails_the_same_steps(verifying: Opened) -> None:
    authority, story = judged()
    signed = some_evidence(attachments=(an_attachment("Phụ lục.pdf", PDF),))
    for evidence in (signed, under_an_authority(authority, story)):
        files = dict(changed_parts(evidence, places=12))
        assert len(files) > 60
        assert differences(verifying, files, [evidence.keys.octets, pem(authority.root.certificate)]) == {}


def test_a_changed_byte_is_caught_wherever_it_is(verifying: Opened) -> None:
    octets = packed(some_evidence())
    files = {at: flipped(octets, at, 0x20) for at in range(0, len(octets), 61)}
    found = verifying.verify(files.values())
    assert all(any(step["result"] == "failed" for step in steps) for steps in found)
    assert [results(steps) for steps in found] == [results(by_command(each, None)) for each in files.values()]


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_every_changed_byte_fails_the_same_steps(verifying: Opened) -> None:
    octets = of_packet(edxml.write_document(a_document()))
    assert differences(verifying, {"unchanged": octets}) == {}
    for first in range(0, len(octets), 500):
        files = {at: flipped(octets, at, 1) for at in range(first, min(first + 500, len(octets)))}
        assert differences(verifying, files) == {}
    evidence = some_evidence(attachments=(an_attachment("Phụ lục.pdf", PDF),))
    changed = changed_parts(evidence, places=None, step=7)
    while files := dict(islice(changed, 200)):
        assert differences(verifying, files, [evidence.keys.octets]) == {}


# What was exchanged, left out, or made by somebody else.


def test_exchanged_parts_and_other_keys_fail_the_same_steps(verifying: Opened) -> None:
    hub, other = Hub(), "68dc8b208edc1e65bd9734c6"
    first, second = evidence_of(hub, told()), evidence_of(hub, told(other, "16"), other)
    strange = evidence_of(Hub(origin="truc.example.com/so"), told())
    one, two, *rest = first.entries
    names = ("document", "packet", "entries", "checkpoint", "acknowledgements", "keys")
    evidences = {name: replace(first, **{name: getattr(second, name)}) for name in names}
    evidences |= {f"strange {name}": replace(first, **{name: getattr(strange, name)}) for name in names}
    evidences |= {
        "moved": replace(first, entries=(replace(one, index=one.index - 1), two, *rest)),
        "short proof": replace(first, entries=(replace(one, proof=one.proof[:-1]), two, *rest)),
        "long proof": replace(first, entries=(replace(one, proof=(*one.proof, bytes(32))), two, *rest)),
        "older": replace(first, checkpoint=hub.checkpoint(one.index)),
        "no acceptance": replace(first, entries=(two, *rest)),
        "nothing": replace(first, entries=()),
        "another kind": replace(first, entries=(replace(one, kind="status"), two, *rest)),
    }
    files = {name: packed(evidence) for name, evidence in evidences.items()}
    for keys in ([first.keys.octets], [strange.keys.octets], None):
        assert differences(verifying, files, keys) == {}


@pytest.mark.parametrize("number", range(5))
def test_what_the_hub_states_otherwise_fails_the_same_steps(verifying: Opened, number: int) -> None:
    story = told()
    kind, said = story.statements[number]
    members: dict[str, Any] = dict.fromkeys(said, "x") | {
        "recipients": ["H41"], "issuer": "H41", "at": "2025-01-02T09:00:00", "status": "15", "recipient": "H36",
        "sha256": "5" * 64, "document": "0" * 24, "document_id": "G22, 2025-1-2 ,15/VPCP-TTĐT",
    }  # fmt: skip
    files = {}
    for name, value in members.items():
        statements = list(story.statements)
        statements[number] = kind, said | {name: value}
        files[name] = packed(evidence_of(Hub(), replace(story, statements=tuple(statements))))
        statements[number] = kind, {each: said[each] for each in said if each != name}
        files[f"without {name}"] = packed(evidence_of(Hub(), replace(story, statements=tuple(statements))))
    assert differences(verifying, files) == {}


def of_packet(packet: bytes) -> bytes:
    """The file of a hub that took this packet, whatever it is, with nothing else."""
    kind, said = told().statements[0]
    statement = said | {"sha256": sha256(packet).hexdigest(), "recipients": ["H41"]}
    return packed(evidence_of(Hub(), Told(packet, ((kind, statement),), {}), before=3, after=3))


def packets() -> dict[str, bytes]:
    letter = a_document(attachments=(an_attachment("Phụ lục.pdf", PDF, content_id="1"),))
    plain = edxml.write_document(letter)
    found = {
        f"{form} {key} {algorithm}": signed_packet(form, key=key, algorithm=algorithm)
        for form in ("fast", "whole")
        for key, algorithm in (
            ("P-256", None), ("P-384", "ecdsa-sha512"), ("RSA-2048", None), ("RSA-2048", "rsa-pss-sha384"),
        )
    }  # fmt: skip
    right = found["fast P-256 None"]

    def remove(element: Any) -> None:
        element.getparent().remove(element)

    found |= {
        "unsigned": plain,
        "no XML": b"no XML",
        "PDF": PDF,
        "UTF-16": "<a/>".encode("utf-16"),
        "frame": frame(),
        "status": edxml.write_status(edxml.read_status(edxml.parse(next(iter(told().reports.values()))))),
        "doctype": plain.replace(b"<edXML ", b"<!DOCTYPE a><edXML ", 1),
        "comment": sealed(right, lambda root: root[0].insert(0, etree.Comment("x"))),
        "prefix": plain.replace(b' xmlns:edXML="', b' xmlns:other="', 1),
        "marks": edxml.write_document(a_document(subject="a" + "\u0301" * 40)),
        "subject": right.replace("liên thông".encode(), b"lien thong", 1),
        "file": forged(right, lambda root: _set(qcvn(root, "ContentTransferEncoded"), "JVBERi0xLjcK")),
        "file name": forged(right, lambda root: _set(list(root.iter("{*}AttachmentName"))[-1], "khác.pdf")),
        "value": forged(right, lambda root: _set(dsig(root, "SignatureValue"), "AAAA")),
        "no key": forged(right, lambda root: remove(dsig(root, "KeyInfo"))),
        "no value": forged(right, lambda root: remove(dsig(root, "SignatureValue"))),
        "two": forged(right, lambda root: root[0][0].append(deepcopy(dsig(root, "Signature")))),
        "elsewhere": forged(right, lambda root: root[0].append(dsig(root, "Signature"))),
        "another Id": forged(right, lambda root: qcvn(root, "To").set("id", "edXMLEnvelope")),
        "sha1": forged(right, lambda root: dsig(root, "DigestMethod").set("Algorithm", "urn:x")),
        "weak": forged(right, lambda root: _set(dsig(root, "X509Certificate"), der(a_certificate(key="RSA-1024")[1]))),
        "P-521": forged(right, lambda root: _set(dsig(root, "X509Certificate"), der(a_certificate(key="P-521")[1]))),
        "another key": forged(right, lambda root: _set(dsig(root, "X509Certificate"), der(a_certificate("X")[1]))),
        "CR LF": right.replace(b"\n", b"\r\n"),
    }
    return found


def _set(element: Any, text: str) -> None:
    element.text = text


def test_packets_signed_in_every_form_and_broken_in_every_way_are_read_alike(verifying: Opened) -> None:
    files = {name: of_packet(packet) for name, packet in packets().items()}
    assert differences(verifying, files) == {}
    ninth = {name: by_command(octets, None)[8]["result"] for name, octets in files.items()}
    assert {name for name, result in ninth.items() if result == Result.PASSED} >= {
        name for name in files if name.startswith(("fast", "whole"))
    }
    assert list(ninth.values()).count("failed") > 12


def test_packets_at_the_edges_of_what_is_read_are_read_alike(verifying: Opened) -> None:
    """Each was once told otherwise by the page, or stopped the command."""
    right, plain = signed_packet(), edxml.write_document(a_document(attachments=()))
    key, certificate = a_certificate()
    space = b'<edXML xmlns:q="http://hub.example.vn/#%b" '
    marks = "\u0301".encode() * 31
    changes = {
        "brackets in a fragment": (b"<edXML ", space % b"[x]"),
        "marks in a container": (b"<edXML:To>", b"<edXML:To>" + marks),
        "marks in what nobody knows": (
            b"<edXML:To>",
            b"<edXML:X><edXML:Y>" + marks + b"</edXML:Y></edXML:X><edXML:To>",
        ),
        "marks in a code": (b"<edXML:OrganId>", b"<edXML:OrganId>" + marks),
    }
    packets = {name: sign(plain.replace(old, new, 1), key, certificate) for name, (old, new) in changes.items()}
    packets["two fragments"] = plain.replace(b"<edXML ", space % b"#", 1)
    packets["a sign beyond ASCII"] = right.replace(b"</X509Certificate>", "ế</X509Certificate>".encode(), 1)
    files = {name: of_packet(packet) for name, packet in packets.items()}
    assert differences(verifying, files) == {}
    ninth = {name: by_command(octets, None)[8]["result"] for name, octets in files.items()}
    assert ninth["a sign beyond ASCII"] == Result.UNTOLD
    assert [name for name, result in ninth.items() if result == Result.PASSED] == list(changes)[:2]


def test_recipients_that_are_no_codes_fail_the_same_steps(verifying: Opened) -> None:
    story = told()
    (kind, said), *others = story.statements
    files = {
        str(codes): packed(
            evidence_of(Hub(), replace(story, statements=((kind, said | {"recipients": codes}), *others)))
        )
        for codes in (["H41", None], [None], [], ["H41", "H41", "H27"])
    }
    assert differences(verifying, files) == {}
