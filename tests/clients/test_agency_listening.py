"""`agency listen` receives: nothing is lost, nothing is stored twice, nothing is confirmed before it is stored."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders.agency import LATER, RECEIVING, a_voice, dies, home_of, moved, receive, tree
from builders.axis import Peer
from builders.calling import OFFICE, PROVINCE, a_letter, a_report, client, enrolled
from builders.crash import MortalHub
from builders.crash import enrolled as enrolled_before
from builders.packets import an_attachment
from builders.served import Served, a_line, cuts
from sqlalchemy import update

from clients.agency.home import Home
from clients.agency.listening import Listener
from clients.agency.rest import EndedError, Rest
from clients.agency.shelf import Shelf
from clients.hub_client import HubClient, Unavailable
from hub.domain.document import Business, Document, DocumentRef
from hub.domain.signature import sign
from hub.store import documents, tables
from hub.store.engine import reading

BEFORE_STORED = {"noted", "claimed", "fetched", "file-written", "part-written"}
# Where the hub dies: in the fetch, in the report, and (the report made it delivered) in the commit of `done`.
HUB_DEATHS = (
    "fetch-written",
    "fetch-written > after-commit",
    "report-written",
    "report-written > after-commit",
    "report-written > after-commit > before-commit",
    "report-written > after-commit > after-commit",
)
FILES = (
    an_attachment("Công văn 15.pdf", content_id="a"),
    an_attachment("Phụ lục.pdf", b"%PDF-1.7 phu luc", content_id="b"),
)


@pytest.fixture
def office(hub: Served) -> Peer:
    """A sender whose inbox is empty."""
    return enrolled(hub, OFFICE)


@pytest.fixture
def home(hub: Served, tmp_path: Path) -> Home:
    """The folder of a recipient that nothing waits for."""
    receiver = enrolled(hub, PROVINCE)
    found = home_of(tmp_path / "H41", hub.base_url, receiver)
    receive(found)
    shutil.rmtree(found.inbox, ignore_errors=True)
    return found


def letters(home: Home) -> list[dict[str, Any]]:
    return [record for _, record in Shelf(home.inbox).records()]


def standing(hub: Served, delivery: str) -> str:
    found = hub.axis.delivery(delivery)
    return f"{found.state}/{found.status}"


def told(hub: Served, sender: Peer, document: str) -> list[str]:
    """The codes that the sender was told about a document."""
    return [row["status_code"] for row in sender.inbox() if row["document_id"] == document]


def test_a_document_is_stored_with_its_files_reported_and_confirmed(hub: Served, office: Peer, home: Home) -> None:
    letter = replace(a_letter(office, PROVINCE, attachments=FILES), number="0015", symbol="VPCP-TTĐT")
    with client(hub, office) as sender:
        accepted = sender.send(letter)
    [said] = receive(home)
    [delivery] = accepted.deliveries
    assert (said["event"], said["standing"], said["delivery"]) == ("received", "signed", delivery["id"])
    folder = home.inbox / "2025" / "10" / "G22 15-VPCP-TTĐT"
    assert tree(home.inbox) == sorted(
        f"2025/10/{folder.name}/{name}" for name in ("Công văn 15.pdf", "Phụ lục.pdf", "delivery.json", "packet.edxml")
    )
    assert (folder / "packet.edxml").read_bytes() == accepted.packet
    assert [(folder / each.name).read_bytes() for each in FILES] == [each.content for each in FILES]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    [record] = letters(home)
    assert record["sha256"] == accepted.sha256
    assert record["signature"]["signer"] == OFFICE
    assert standing(hub, delivery["id"]) == "delivered/01"
    assert told(hub, office, accepted.id) == ["01"]
    assert receive(home) == []


@pytest.mark.parametrize(("step", "nth"), RECEIVING)
def test_killed_at_any_step_it_goes_on_and_stores_once(
    hub: Served, office: Peer, home: Home, step: str, nth: int
) -> None:
    with client(hub, office) as sender:
        accepted = sender.send(a_letter(office, PROVINCE, attachments=FILES))
    [delivery] = accepted.deliveries
    assert dies(receive, home, step, nth)
    if step in BEFORE_STORED:
        assert letters(home) == []
        assert standing(hub, delivery["id"]) == ("waiting/none" if step == "noted" else "taken/none")
    receive(home)
    [record] = letters(home)
    assert record["id"] == delivery["id"]
    assert len(tree(home.inbox)) == 4
    assert standing(hub, delivery["id"]) == "delivered/01"
    assert told(hub, office, accepted.id) == ["01"]
    shelf = Shelf(home.inbox)
    assert shelf.opened() == []
    assert shelf.done(delivery["id"]) is not None
    assert receive(home) == []


@pytest.mark.parametrize("path", HUB_DEATHS)
def test_the_hub_killed_while_it_is_asked_is_taken_up_again(tmp_path: Path, path: str) -> None:
    peers = enrolled_before(tmp_path / "hub", "", OFFICE, PROVINCE)
    office = peers[OFFICE]
    with MortalHub(tmp_path / "hub") as mortal:
        mortal.start()
        with HubClient(mortal.url, office.credentials["token"]) as sender:
            accepted = sender.send(office.packet(office.draft(PROVINCE)))
        home = home_of(tmp_path / "H41", mortal.url, peers[PROVINCE])
        mortal.stop()
        mortal.start(*path.split(" > "))
        with pytest.raises(Unavailable):
            receive(moved(home, mortal.url))
        mortal.revive(mortal.url)
        receive(moved(home, mortal.url))
        receive(home)
        with HubClient(mortal.url, office.credentials["token"]) as sender:
            story = sender.document(accepted.id)
            reports = [item["status"]["code"] for item in sender.inbox().items]
    [record] = letters(home)
    assert [record["id"]] == [each["id"] for each in accepted.deliveries]
    assert [(each["state"], each["status"]) for each in story["deliveries"]] == [("delivered", "01")]
    assert reports == ["01"]


def test_a_delivery_that_comes_again_after_it_was_stored_is_confirmed_and_not_stored(
    hub: Served, office: Peer, home: Home
) -> None:
    with client(hub, office) as sender:
        [delivery] = sender.send(a_letter(office, PROVINCE)).deliveries
    assert dies(receive, home, "stored")
    shelf = Shelf(home.inbox)
    [note] = shelf.opened()
    shelf.close(note)  # as if the hub had lost what it was told
    hub.axis.clock.pass_(minutes=6)
    hub.axis.sweep()
    assert [said["event"] for said in receive(home)] == ["confirmed-again"]
    assert len(letters(home)) == 1
    assert standing(hub, delivery["id"]) == "delivered/none"


def test_what_cannot_be_stored_is_not_confirmed(hub: Served, office: Peer, home: Home) -> None:
    with client(hub, office) as sender:
        [delivery] = sender.send(a_letter(office, PROVINCE)).deliveries
    home.inbox.mkdir(exist_ok=True)
    in_the_way = home.inbox / "2025"
    in_the_way.write_text("")
    with pytest.raises(OSError, match="2025"):
        receive(home)
    assert standing(hub, delivery["id"]) == "taken/none"
    in_the_way.unlink()
    receive(home)
    assert standing(hub, delivery["id"]) == "delivered/01"
    assert len(letters(home)) == 1


def test_two_documents_of_one_name_get_a_folder_each(hub: Served, office: Peer, home: Home) -> None:
    with client(hub, office) as sender:
        for year in ("2024", "2025"):
            sender.send(office.draft(PROVINCE, number="777", date=f"{year}/09/30"))
    receive(home)
    assert sorted(folder.name for folder, _ in Shelf(home.inbox).records()) == ["G22 777-VP", "G22 777-VP (2)"]


def test_an_attachment_never_takes_the_place_of_our_own_files(hub: Served, office: Peer, home: Home) -> None:
    file = an_attachment("packet.edxml", b"<x/>", content_type="text/xml")
    with client(hub, office) as sender:
        accepted = sender.send(a_letter(office, PROVINCE, attachments=(file,)))
    receive(home)
    [(folder, record)] = Shelf(home.inbox).records()
    assert (folder / "packet.edxml").read_bytes() == accepted.packet
    assert [each["sent_as"] for each in record["files"]] == ["packet.edxml"]
    assert (folder / record["files"][0]["name"]).read_bytes() == b"<x/>"


def test_a_name_that_leads_out_of_the_folder_is_stored_inside(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "inbox")
    item = {
        "id": "68dc8b209ec5cae0da8101d6", "type": "document",
        "document": {"sender": "../../G22", "number": "1", "symbol": "a/b"},
    }  # fmt: skip
    note = shelf.note(item, LATER)
    content = replace(
        a_letter(Peer(None, "G22", "", {}, None, None), PROVINCE),  # type: ignore[arg-type]  # only drafts
        attachments=(an_attachment("../../../out.pdf"), an_attachment("..-..-..-out.pdf")),
    )
    shelf.store(note, b"<p/>", content, {}, lambda step: None)
    outside = [path for path in tmp_path.rglob("*") if path.is_file() and shelf.root not in path.parents]
    assert outside == []
    assert len(tree(shelf.root)) == 4


def test_what_is_not_signed_is_kept_and_marked(hub: Served, home: Home) -> None:
    unit = enrolled(hub, "G12", profile="legacy", keyed=False)
    with client(hub, unit) as sender:
        sender.send(unit.packet(a_letter(unit, PROVINCE), signed=False))
    [said] = receive(home)
    assert said["standing"] == "unsigned"
    [record] = letters(home)
    assert record["signature"] == {"standing": "unsigned", "signer": ""}


def test_a_packet_whose_signature_does_not_hold_is_kept_apart_and_its_sender_told(
    hub: Served, office: Peer, home: Home
) -> None:
    letter = a_letter(office, PROVINCE)
    with client(hub, office) as sender:
        accepted = sender.send(letter)
        stranger = enrolled(hub, "G09")
        forged = sign(office.packet(letter, signed=False), stranger.key, stranger.certificate)
        _replace_stored_packet(hub, accepted.id, forged)
        [said] = receive(home)
        assert said["event"] == "unverified"
        assert letters(home) == []
        apart = home.inbox / ".unverified" / accepted.deliveries[0]["id"]
        assert (apart / "packet.edxml").read_bytes() == forged
        assert "certificate-unknown" in (apart / "reason.txt").read_text("utf-8")
        [failed] = [event for event in sender.outbox(limit=500).items if event["document"]["id"] == accepted.id]
        assert failed["what"] == "failed"


def _replace_stored_packet(hub: Served, document: str, forged: bytes) -> None:
    """What a hub that was broken into would hand out: other bytes, with a digest that fits them."""
    with reading(hub.axis.desk.engine) as connection:
        packet = documents.first_packet(connection, document)["id"]
    with hub.axis.desk.engine.begin() as connection:
        p = tables.packet
        values = {"body": forged, "size": len(forged), "sha256": hashlib.sha256(forged).hexdigest()}
        connection.execute(update(p).where(p.c.id == packet).values(**values))


def test_a_status_is_stored_and_confirmed_without_a_report_on_it(
    hub: Served, office: Peer, home: Home, tmp_path: Path
) -> None:
    with client(hub, office) as sender:
        accepted = sender.send(a_letter(office, PROVINCE))
    receive(home)
    own = home_of(tmp_path / "G22", hub.base_url, office)
    assert {said["event"] for said in receive(own)} == {"status-received"}
    [record] = [each for each in letters(own) if each["document"]["id"] == accepted.id]
    assert (record["type"], record["files"]) == ("status", [])
    assert (record["status"]["from"], record["status"]["code"]) == (PROVINCE, "01")
    assert office.inbox() == []


def test_what_another_process_of_the_system_holds_is_left_to_it(hub: Served, office: Peer, home: Home) -> None:
    receiver = enrolled(hub, "H36")
    other = home_of(home.root.parent / "H36", hub.base_url, receiver)
    with client(hub, office) as sender:
        [delivery] = sender.send(a_letter(office, "H36")).deliveries
    receiver.claim(delivery["id"])
    assert receive(other) == []
    assert letters(other) == []
    hub.axis.clock.pass_(minutes=6)
    hub.axis.sweep()
    assert [said["event"] for said in receive(other)] == ["received"]


def test_an_update_a_revocation_and_a_take_back_arrive_like_any_packet(hub: Served, office: Peer, home: Home) -> None:
    letter = a_letter(office, PROVINCE)
    asked = {
        "update": {"business": Business("2", "Cập nhật", letter.document_id)},
        "revocation": {"business": Business("1", "Thu hồi"), "response_for": (reference_to(letter),)},
    }
    with client(hub, office) as sender:
        sender.send(letter)
        receive(home)
        for changes in asked.values():
            sender.send(a_letter(office, PROVINCE, **changes))
        sender.report(replace(a_report(office, letter, "13"), response_for=reference_to(letter, PROVINCE)))
    said = receive(home)
    assert [each["event"] for each in said] == ["received", "received", "status-received"]
    records = [json.loads((Path(each["path"]) / "delivery.json").read_text("utf-8")) for each in said]
    assert [record["document"]["kind"] for record in records[:2]] == list(asked)
    assert (records[2]["status"]["code"], records[2]["document"]["document_id"]) == ("13", letter.document_id)


def reference_to(letter: Document, organ_id: str = "") -> DocumentRef:
    return DocumentRef(organ_id, document_id=letter.document_id, promulgation_date=letter.promulgation_date)


class PausesOnce(Rest):
    """Instead of waiting after a failure ``mend`` is called; the next poll is the end."""

    def __init__(self, mend: Callable[[], None]) -> None:
        super().__init__()
        self.mend, self.pauses = mend, list[float]()

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.mend()

    def during(self, wait: Callable[[], Any]) -> Any:
        if self.pauses:
            raise EndedError
        return wait()


def test_who_is_told_to_end_in_a_poll_that_the_client_repeats_does_not_wait_for_its_answer() -> None:
    """The client's pause before it tries again made the rest forget that the poll around it may be cut short."""
    rest = Rest()

    def a_repeated_poll() -> None:
        rest.pause(0)
        rest.end()  # as the signal's handler does, in this thread

    with pytest.raises(EndedError):
        rest.during(a_repeated_poll)


def test_a_daemon_that_cannot_store_says_so_pauses_and_goes_on(hub: Served, office: Peer, home: Home) -> None:
    with client(hub, office) as sender:
        [delivery] = sender.send(a_letter(office, PROVINCE)).deliveries
    home.inbox.mkdir(exist_ok=True)
    (home.inbox / "2025").write_text("")
    voice, said = a_voice()
    rest = PausesOnce((home.inbox / "2025").unlink)
    with home.client(home.config(), attempts=1) as access:
        Listener(access, home.config(), Shelf(home.inbox), voice, lambda: LATER, rest).run()
    assert [json.loads(line)["event"] for line in said.getvalue().splitlines()] == ["disk", "received"]
    assert standing(hub, delivery["id"]) == "delivered/01"


def test_a_daemon_without_its_hub_says_so_and_goes_on_with_what_it_had_begun(
    hub: Served, office: Peer, home: Home
) -> None:
    with client(hub, office) as sender:
        [delivery] = sender.send(a_letter(office, PROVINCE)).deliveries
    assert dies(receive, home, "claimed")
    voice, said = a_voice()
    rest = PausesOnce(lambda: None)
    with a_line(cuts, to=hub.base_url) as line, moved(home, line.base_url).client(home.config(), attempts=1) as access:
        Listener(access, home.config(), Shelf(home.inbox), voice, lambda: LATER, rest).run()
    assert [json.loads(line)["event"] for line in said.getvalue().splitlines()] == ["hub-away", "received"]
    assert standing(hub, delivery["id"]) == "delivered/01"
