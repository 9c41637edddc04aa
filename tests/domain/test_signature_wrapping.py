"""The signed element is kept for the verifier, another one is shown to the reader: never accepted."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from builders.forgery import Change, Form, changed, dsig, qcvn, refused, sealed, signed, verified
from lxml import etree

from hub.domain.edxml import DSIG, QCVN, read_document


@pytest.mark.parametrize("form", ["fast", "whole"])
def test_the_sealing_of_these_tests_is_a_right_signature(form: Form) -> None:
    def other_subject(root: etree._Element) -> None:
        qcvn(root, "Subject").text = "Nội dung khác"

    assert read_document(verified(sealed(signed(form), other_subject)).tree).subject == "Nội dung khác"


PLACES: dict[str, Callable[[etree._Element], Any]] = {
    "below the root, first": lambda root: (root, 0),
    "below the root, last": lambda root: (root, len(root)),
    "in AttachmentEncoded": lambda root: (qcvn(root, "AttachmentEncoded"), 0),
    "in an Attachment": lambda root: (qcvn(root, "Attachment"), 0),
    "in the other envelope": lambda root: (root[0], len(root[0])),
    "in the other header": lambda root: (root[0][0], 0),
    "in the other body": lambda root: (root[0][1], 0),
    "in the manifest": lambda root: (qcvn(root, "edXMLManifest"), 0),
    "in the Signature": lambda root: (dsig(root, "Signature"), 3),
    "in an Object": lambda root: (etree.SubElement(dsig(root, "Signature"), f"{{{DSIG}}}Object"), 0),
    "in KeyInfo": lambda root: (dsig(root, "KeyInfo"), 0),
    "in X509Data": lambda root: (dsig(root, "X509Data"), 0),
    "in SignedInfo": lambda root: (dsig(root, "SignedInfo"), 0),
    "in SignatureValue": lambda root: (dsig(root, "SignatureValue"), 0),
}
IN_SIGNATURE = {"in the Signature", "in an Object", "in KeyInfo", "in X509Data", "in SignedInfo", "in SignatureValue"}
WRAPPERS = {"bare": None, "in an element of no name": "Wrapper", "in an Object": f"{{{DSIG}}}Object"}


def wrapped(place: str, wrapper: str, identifier: str | None, keep: str) -> bytes:
    """The original is hidden at ``place``; the shown envelope has another subject, and ``identifier`` as Id.

    ``keep`` says which of them has the Signature: shown, hidden or both.
    """

    def wrap(root: etree._Element) -> None:
        shown = root[0]
        hidden = copy.deepcopy(shown)
        parent, position = PLACES[place](root)
        if keep == "hidden":
            shown[0].remove(dsig(shown, "Signature"))
        if keep == "shown":
            hidden[0].remove(dsig(hidden, "Signature"))
        if identifier is None:
            del shown.attrib["Id"]
        else:
            shown.set("Id", identifier)
        qcvn(shown, "Subject").text = "Nội dung giả mạo"
        name = WRAPPERS[wrapper]
        if name is not None:
            holder = etree.Element(name)
            holder.append(hidden)
            hidden = holder
        parent.insert(position, hidden)

    return changed(signed(), wrap)


@pytest.mark.parametrize("place", list(PLACES))
@pytest.mark.parametrize("wrapper", list(WRAPPERS))
@pytest.mark.parametrize("identifier", ["edXMLEnvelope", "khac", None])
def test_a_signed_envelope_moved_elsewhere_does_not_vouch_for_another(
    place: str, wrapper: str, identifier: str | None
) -> None:
    inside_signature = place in IN_SIGNATURE
    for keep in ("shown",) if inside_signature else ("shown", "hidden", "both"):
        if wrapper == "bare" and place.startswith("below the root"):
            code = "xml-two-envelopes"
        else:  # only with the Signature where it belongs is its Reference looked at
            code = "signature-form" if keep == "shown" else "signature-misplaced"
        assert refused(wrapped(place, wrapper, identifier, keep)).code == code


def test_a_second_envelope_is_refused_even_with_the_signature_in_the_first() -> None:
    def add(root: etree._Element) -> None:
        second = copy.deepcopy(root[0])
        second[0].remove(dsig(second, "Signature"))
        second.set("Id", "khac")
        root.append(second)

    assert refused(changed(signed(), add)).code == "xml-two-envelopes"


@pytest.mark.parametrize(
    "add",
    [
        lambda root: root[0][0].insert(0, copy.deepcopy(dsig(root, "Signature"))),
        lambda root: root[0][0].append(copy.deepcopy(dsig(root, "Signature"))),
        lambda root: root.append(copy.deepcopy(dsig(root, "Signature"))),
        lambda root: dsig(root, "KeyInfo").append(copy.deepcopy(dsig(root, "Signature"))),
        lambda root: root[0][0].append(etree.Element(f"{{{QCVN}}}Signature")),
        lambda root: root[0][0].append(etree.Element(f"{{{QCVN}}}DigitalSignature")),
    ],
)
def test_a_second_signature_is_refused_wherever_it_stands(add: Change) -> None:
    assert refused(changed(signed(), add)).code == "signature-misplaced"


@pytest.mark.parametrize(
    "move",
    [
        lambda root: root.append(dsig(root, "Signature")),
        lambda root: root.insert(0, dsig(root, "Signature")),
        lambda root: root[0].append(dsig(root, "Signature")),
        lambda root: root[0][1].append(dsig(root, "Signature")),
        lambda root: qcvn(root, "MessageHeader").append(dsig(root, "Signature")),
        lambda root: qcvn(root, "Attachment").append(dsig(root, "Signature")),
    ],
)
def test_a_signature_anywhere_but_directly_in_the_header_is_refused(move: Change) -> None:
    refusal = refused(changed(signed(), move))
    assert (refusal.code, refusal.pointer) == ("signature-misplaced", "Signature")


def test_a_reference_to_a_copy_of_the_envelope_is_refused() -> None:
    def refer(root: etree._Element) -> None:
        copied = copy.deepcopy(root[0])
        copied[0].remove(dsig(copied, "Signature"))
        copied.set("Id", "ban-sao")
        qcvn(root, "edXMLBody").append(copied)
        dsig(root, "Reference").set("URI", "#ban-sao")

    refusal = refused(sealed(signed(), refer))
    assert refusal.code == "signature-form"
    assert "#ban-sao" in refusal.en


@pytest.mark.parametrize(
    "uri",
    [
        *("#xpointer(/)", "#xpointer(id('edXMLEnvelope'))", "edXMLEnvelope", "#", "# edXMLEnvelope", "#edxmlenvelope"),
        *("http://example.vn/#edXMLEnvelope", "file:///etc/hostname", "cid:tep-1"),
    ],
)
def test_reference_1_names_the_envelope_and_nothing_else(uri: str) -> None:
    assert refused(sealed(signed(), lambda root: dsig(root, "Reference").set("URI", uri))).code == "signature-form"


def test_an_id_that_another_reader_would_evaluate_is_refused() -> None:
    def name_so(root: etree._Element) -> None:
        root[0].set("Id", "xpointer(/)")
        dsig(root, "Reference").set("URI", "#xpointer(/)")

    assert refused(sealed(signed(), name_so)).code == "signature-form"


def test_a_reference_without_uri_is_refused() -> None:
    refusal = refused(sealed(signed("whole"), lambda root: dsig(root, "Reference").attrib.pop("URI")))
    assert (refusal.code, refusal.value) == ("signature-form", "Reference/@URI")


@pytest.mark.parametrize("form", ["fast", "whole"])
@pytest.mark.parametrize("name", ["Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id", "{urn:wsu}Id"])
@pytest.mark.parametrize("where", ["Subject", "Attachment", "AttachmentEncoded"])
def test_an_id_given_twice_is_refused(form: Form, name: str, where: str) -> None:
    def repeat(root: etree._Element) -> None:
        root[0].set("Id", "edXMLEnvelope")
        qcvn(root, where).set(name, "edXMLEnvelope")

    refusal = refused(sealed(signed(form), repeat))
    assert refusal.code == "signature-form"
    assert "edXMLEnvelope" in refusal.en


def test_different_ids_are_no_harm() -> None:
    verified(sealed(signed(), lambda root: qcvn(root, "Subject").set("id", "trich-yeu")))
