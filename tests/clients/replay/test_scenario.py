"""Scenario files: what they may say, and how their faults are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clients.replay.plan.defects import DEFECTS
from clients.replay.scenario.lines import lines
from clients.replay.scenario.read import ScenarioError, parse, read, shipped
from clients.replay.scenario.shapes import seconds

ROOT = Path(__file__).parents[3]
NAMES = {
    "smoke", "first-four-months", "peak-morning", "broadcast", "year", "failures-of-2020", "hostile", "load", "crash",
    "soak",
}  # fmt: skip
LEAST = """title = "Nhỏ nhất"

[clock]
mode = "virtual"
start = 2025-10-01T08:00:00+07:00
duration = "1 hour"

[documents]
count = 1

[[agencies]]
codes = ["G22", "H41"]
"""


def faults(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "thử.toml")
    return caught.value.faults


def test_the_shipped_scenarios_are_found_by_name_and_say_what_they_show() -> None:
    assert set(shipped()) == NAMES
    for name in NAMES:
        text = (ROOT / f"clients/replay/scenario/shipped/{name}.toml").read_text("utf-8")
        assert text.startswith("# ")
        assert "—" not in text


def test_a_scenario_is_read_from_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "của-tôi.toml"
    file.write_text(LEAST, "utf-8")
    scenario = read(file)
    assert (scenario.title, scenario.clock.duration, scenario.documents.count) == ("Nhỏ nhất", 3600.0, 1)
    assert read(str(file)) == scenario


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(ScenarioError, match=r"smoek: no such file, and no scenario of that name; .*smoke"):
        read("smoek")


def test_all_faults_are_told_at_once_with_their_lines() -> None:
    text = LEAST.replace('"1 hour"', '"1 huor"').replace("count = 1", "cuont = 1\nurgent = 1.5")
    text += '\n[[agencies]]\ncodes = ["H14"]\npoll = "-5 s"\ndialect = "soap"\n'
    assert faults(text) == [
        'thử.toml:6: clock.duration: a number of seconds, or a text such as "90 s", "5 min", "2 hours", "3 days", '
        '"1 week"',
        "thử.toml:9: documents.cuont: there is no such key; allowed: count, rate, deliveries, fan_out, sizes, kinds, "
        "urgent, forwarded, unsigned, twice, twice_after, curve, month_end, growth",
        "thử.toml:10: documents.urgent: Input should be less than or equal to 1, not 1.5",
        "thử.toml:17: agencies[1].poll: Input should be greater than or equal to 0, not '-5 s'",
        "thử.toml:18: agencies[1].dialect: Input should be 'rest' or 'gateway', not 'soap'",
    ]


def test_what_is_missing_is_told_at_the_table_that_lacks_it() -> None:
    text = LEAST.replace("start = 2025-10-01T08:00:00+07:00\n", "")
    assert faults(text) == ["thử.toml:3: clock.start: is missing"]
    assert faults("") == [f"thử.toml:1: {key}: is missing" for key in ("title", "clock", "documents", "agencies")]


def test_a_start_without_a_zone_is_refused() -> None:
    (told,) = faults(LEAST.replace("+07:00", ""))
    assert told.startswith("thử.toml:5: clock.start: Input should have timezone info")


def test_text_that_is_no_toml_is_told_with_its_line() -> None:
    (told,) = faults(LEAST.replace('"virtual"', "virtual"))
    assert told == "thử.toml: Invalid value (at line 4, column 8)"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('[[agencies]]\ncodes = ["Z99"]', "thử.toml:14: agencies[1].codes[0]: Z99 is not in the directory"),
        ('[[agencies]]\nbelow = ["G01"]\nmade = 2', "thử.toml:14: agencies[1].below[0]: G01 takes no part: name it in "
         "a group before"),
        ('[[agencies]]\ndirectory = "H"\ntake = 40', "thử.toml:15: agencies[1].take: the directory has 34 open "
         "agencies of level 1 that begin with H"),
        ('[[agencies]]\ncodes = ["H14"]\nmade = 3', "thử.toml:13: agencies[1]: below and made go together"),
        ("[defects]\nsender-closed = 0.1", "thử.toml:14: defects.sender-closed: needs an agency that is closed on the "
         "first day"),
        ("[defects]\ndoctpye = 0.1", f"thử.toml:1: the whole: defects: doctpye unknown; there are: "
         f"{', '.join(sorted(DEFECTS))}"),
        ("[replies]\nshares = { 01 = 1.0, 07 = 0.5 }", "thử.toml:14: replies.shares.07: Input should be '01', '02', "
         "'03', '04', '05' or '06', not '07'"),
        ("[faults.network]\ncut = 0.5", "thử.toml:14: faults.network.cut: there is no such key; allowed: cut-request, "
         "cut-answer, delay, duplicate, slow-upload, reset, wrong-length, seconds"),
        ('[[faults.hub.jumps]]\nat = "1 min"\nby = "5"', "thử.toml:15: faults.hub.jumps[0].by: a number of seconds, or "
         'a text such as "90 s", "5 min", "2 hours", "3 days", "1 week"'),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_told_where_it_stands(more: str, told: str) -> None:
    assert faults(LEAST + more) == [told]


def test_a_document_of_another_system_needs_one_that_sends() -> None:
    text = LEAST.replace('["G22", "H41"]', '["G22"]') + '[[agencies]]\ncodes = ["H41"]\nsend = 0\n'
    told = "thử.toml:17: defects.not-your-document: needs two systems that send"
    assert faults(text + "[defects]\nnot-your-document = 0.1\n") == [told]


def test_an_agency_that_closes_during_the_play_cannot_take_part() -> None:
    text = LEAST.replace("2025-10-01", "2025-06-30").replace('"1 hour"', '"3 days"').replace('"H41"', '"H02"')
    assert faults(text) == ["thử.toml:12: agencies[0].codes[1]: H02 is closed on 2025-07-01, during the play"]


def test_shares_of_ranges_must_add_up_and_bounds_be_in_order() -> None:
    text = LEAST.replace("count = 1\n", "count = 1\nfan_out = [\n  { share = 0.5, least = 3, most = 2 },\n]\n")
    assert faults(text) == ["thử.toml:11: documents.fan_out[0]: most is not below least"]
    assert faults(text.replace("most = 2", "most = 4")) == [
        "thử.toml:10: documents.fan_out: the shares must add up to 1"
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [(5, 5.0), (0.25, 0.25), ("90 s", 90), ("5 min", 300), ("2h", 7200), ("1.5 hours", 5400), ("2 days", 172_800),
     ("1 week", 604_800), ("-1 hour", -3600)],
)  # fmt: skip
def test_a_span_of_time_is_a_number_or_a_text(written: object, meant: float) -> None:
    assert seconds(written) == meant


@pytest.mark.parametrize("written", ["", "5", "min", "5 phút", "5 min 3 s", True, None, [5]])
def test_anything_else_is_no_span_of_time(written: object) -> None:
    with pytest.raises(ValueError, match="a number of seconds, or a text"):
        seconds(written)


def test_each_value_has_its_line_however_it_is_written() -> None:
    text = '''# đầu
a.b = 1 # c = 2
"d e" = """
[không]
x = 1
"""
f = [
  1, 2, # [
  { g = "}", 'h' = [3,
    4] },
]
[[t]]
k = 'q'
[t.u]
v = 2019-03-12T08:00:00+07:00
[[t]]
[t.u]
v = { w = true }
[[t.z]]
y = -0.5
'''
    assert lines(text) == {
        ("a",): 2, ("a", "b"): 2, ("d e",): 3, ("f",): 7, ("f", 0): 8, ("f", 1): 8, ("f", 2): 9, ("f", 2, "g"): 9,
        ("f", 2, "h"): 9, ("f", 2, "h", 0): 9, ("f", 2, "h", 1): 10, ("t",): 12, ("t", 0): 12, ("t", 0, "k"): 13,
        ("t", 0, "u"): 14, ("t", 0, "u", "v"): 15, ("t", 1): 16, ("t", 1, "u"): 17, ("t", 1, "u", "v"): 18,
        ("t", 1, "u", "v", "w"): 18, ("t", 1, "z"): 19, ("t", 1, "z", 0): 19, ("t", 1, "z", 0, "y"): 20,
    }  # fmt: skip


def test_the_schema_in_the_documentation_says_what_each_key_means() -> None:
    """That the file is current is tested with the other generated pages."""
    schema = json.loads((ROOT / "docs/replay-scenario.schema.json").read_text("utf-8"))
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Network"]["properties"]["cut-request"]["maximum"] == 1
    assert schema["$defs"]["Group"]["properties"]["poll"]["description"] == "Time between two looks into the inbox."
