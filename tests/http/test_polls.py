"""When systems last asked: noted with each poll in either dialect, written once for all of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from builders.api import a_hub
from builders.axis import START, Axis
from builders.databases import statements
from builders.gateway import signed

from hub.exchange.polled import polled
from hub.store import polls
from hub.store.engine import reading


def last(axis: Axis, *system_ids: str) -> list[datetime | None]:
    with reading(axis.desk.engine) as connection:
        found = polls.last(connection, list(system_ids))
    return [found.get(system_id) for system_id in system_ids]


def test_a_poll_writes_nothing_by_itself_and_a_minute_s_polls_are_written_together(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        office, province, silent = hub.axis.enrol("G22"), hub.axis.enrol("H41"), hub.axis.enrol("H27")
        assert hub.portal.call(hub.face.polls.write) == 0
        with statements(hub.axis.desk.engine) as seen:
            for peer in (office, province, office):
                assert hub.ask("GET", "/v1/inbox", peer.credentials["token"]).status_code == 200
        assert not [sql for sql, _ in seen if "system_poll" in sql]
        hub.axis.clock.pass_(minutes=2)
        hub.ask("GET", "/v1/inbox", office.credentials["token"])
        assert hub.portal.call(hub.face.polls.write) == 2
        ids = office.system_id, province.system_id, silent.system_id
        assert last(hub.axis, *ids) == [START + timedelta(minutes=2), START, None]
        assert hub.portal.call(hub.face.polls.write) == 0


def test_a_later_process_does_not_set_the_clock_back(axis: Axis) -> None:
    province = axis.enrol("H41")
    for moment in (START, START - timedelta(minutes=1)):
        axis.desk.writer.run(polled, {province.system_id: moment})
    assert last(axis, province.system_id) == [START]


def test_a_list_of_the_gateway_is_a_poll_too(tmp_path: Path) -> None:
    with a_hub(tmp_path) as hub:
        province = hub.axis.enrol("H41")
        asked = hub.http.post("/axis/getReceivedEdocList", headers=signed(province, {"messagetype": "edoc"}))
        assert hub.portal.start_task_soon(lambda: asked).result(30).status_code == 200
        assert hub.portal.call(hub.face.polls.write) == 1
        assert last(hub.axis, province.system_id) == [START]
