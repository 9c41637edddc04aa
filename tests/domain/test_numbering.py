"""Document ids, numbers and symbols, the identity keys, and the issuer beside the sender (exchange rules 1, 4, 5)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders.documents import a_directory, acceptable
from builders.packets import GOVERNMENT_OFFICE
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.agency import Agency
from hub.domain.document import Kind, Organization
from hub.domain.numbering import (
    Issuer,
    abbreviations,
    business_identity,
    canonical_document_id,
    issuer,
    packet_identity,
    plain_number,
    plain_symbol,
    split_code,
    year_in_id,
)


@pytest.mark.parametrize(
    ("written", "counts"),
    [
        ("000.00.00.G22,2015/09/30,7816/VPCP-TTĐT", "G22,2015/09/30,7816/VPCP-TTĐT"),
        (" 000.00.00.G22 , 2015-9-30 ,7816/VPCP-TTĐT\n", "G22,2015/09/30,7816/VPCP-TTĐT"),
        ("000.00.15.H51,2025/01/02,12/QĐ-SNV", "000.00.15.H51,2025/01/02,12/QĐ-SNV"),
        ("H41,2025/02/31,1/UBND-VP", "H41,2025/02/31,1/UBND-VP"),
        ("H41,2025/1/2,1/UBND-VP-2025-1-2", "H41,2025/01/02,1/UBND-VP-2025-1-2"),
        ("000.00.01.H08,2018,10", "000.00.01.H08,2018,10"),
        ("000.00.01.H08,2018-1-2", "000.00.01.H08,2018-1-2"),
        ("6f1c9a4e-2018-4d2b-9c31-0a5b7e8d1f20", "6f1c9a4e-2018-4d2b-9c31-0a5b7e8d1f20"),
        ("H41,2025/01/02,12/BA\u0302-X", "H41,2025/01/02,12/B\u00c2-X"),
    ],
)
def test_spellings_of_one_document_id_become_one(written: str, counts: str) -> None:
    assert canonical_document_id(written) == counts


@settings(max_examples=200)
@given(
    st.one_of(
        st.text(max_size=40),
        st.lists(st.text(alphabet="0123456789/-.GH2 ,\u0323a", max_size=12), max_size=4).map(",".join),
        st.from_regex(r"000\.00\.00\.G22 ?, ?[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2} ?, ?[0-9]+/[A-Z-]+", fullmatch=True),
    )
)
def test_canonical_changes_a_document_id_once(text: str) -> None:
    once = canonical_document_id(text)
    assert canonical_document_id(once) == once


@pytest.mark.parametrize(
    ("document_id", "year"),
    [
        ("000.00.00.G22,2015/09/30,7816/VPCP-TTĐT", 2015),
        ("000.00.00.G22,2015-09-30,7816/VPCP-TTĐT", 2015),
        ("000.00.01.H08,2018,10", 2018),
        ("000.00.01.H08,2018", 2018),
        ("000.00.00.H41-2019-12/QĐ-UBND", 2019),
        ("6f1c9a4e-2018-4d2b-9c31-0a5b7e8d1f20", None),
        ("G22,7816/VPCP-TTĐT", None),
        ("", None),
    ],
)
def test_the_year_is_read_from_every_form_of_id_that_states_one(document_id: str, year: int | None) -> None:
    assert year_in_id(document_id) == year


@pytest.mark.parametrize(
    ("written", "plain"), [("007", "7"), (" 12 ", "12"), ("074a", "74a"), ("000", "0"), ("", ""), ("a07", "a07")]
)
def test_leading_zeros_of_a_number_do_not_count(written: str, plain: str) -> None:
    assert plain_number(written) == plain


@pytest.mark.parametrize(
    ("code", "number", "symbol"),
    [
        ("7816/VPCP-TTĐT", "7816", "VPCP-TTĐT"),
        ("30/2020/NĐ-CP", "30", "NĐ-CP"),
        ("57-NQ/TW", "57", "NQ/TW"),
        ("74a/QĐ-UBND", "74a", "QĐ-UBND"),
        ("15", "15", ""),
        ("15 /VPCP-TTĐT", "15", "VPCP-TTĐT"),
        ("VPCP-TTĐT", "", "VPCP-TTĐT"),
        ("", "", ""),
    ],
)
def test_a_code_in_one_text_is_split_into_number_and_symbol(code: str, number: str, symbol: str) -> None:
    assert split_code(code) == (number, symbol)


def test_a_symbol_keeps_its_case_and_loses_only_a_slash_and_a_year_before_it() -> None:
    assert plain_symbol("/NĐ-CP") == "NĐ-CP"
    assert plain_symbol("2020/NĐ-CP") == "NĐ-CP"
    assert plain_symbol("QyĐ-TTg") == "QyĐ-TTg"
    assert plain_symbol("2020") == "2020"


def test_one_packet_has_one_identity_however_its_id_is_spelt() -> None:
    key = packet_identity("000.00.00.G22", "G22,2025-9-30,7816/VPCP-TTĐT", 2025, Kind.NEW, "a")
    assert key == packet_identity("G22", "000.00.00.G22, 2025/09/30, 7816/VPCP-TTĐT", 2025, Kind.NEW, "b")
    assert len(key) == 64
    assert set(key) <= set("0123456789abcdef")


def test_agency_id_year_and_kind_each_make_another_packet() -> None:
    keys = {
        packet_identity("G22", "15", 2025, Kind.NEW, ""),
        packet_identity("G12", "15", 2025, Kind.NEW, ""),
        packet_identity("G22", "16", 2025, Kind.NEW, ""),
        packet_identity("G22", "15", 2026, Kind.NEW, ""),
        packet_identity("G22", "15", None, Kind.NEW, ""),
        packet_identity("G22", "15", 2025, Kind.UPDATE, ""),
        packet_identity("G221", "5", 2025, Kind.NEW, ""),
    }
    assert len(keys) == 7


@pytest.mark.parametrize("kind", list(Kind))
def test_content_counts_for_what_acts_on_another_document_only(kind: Kind) -> None:
    same = packet_identity("G22", "15", 2025, kind, "a") == packet_identity("G22", "15", 2025, kind, "b")
    assert same is (kind is Kind.NEW)


def test_a_number_is_taken_per_sender_issuer_year_and_symbol() -> None:
    taken = business_identity("000.00.00.G22", "TTg", 2020, "015", " 2020/QĐ-TTg")
    assert taken == business_identity("G22", "TTg", 2020, "15", "QĐ-TTg")
    others = [
        business_identity("G12", "TTg", 2020, "15", "QĐ-TTg"),
        business_identity("G22", "G22", 2020, "15", "QĐ-TTg"),
        business_identity("G22", "TTg", 2021, "15", "QĐ-TTg"),
        business_identity("G22", "TTg", 2020, "150", "QĐ-TTg"),
        business_identity("G22", "TTg", 2020, "15", "QyĐ-TTg"),
        business_identity("G22", "TTg", 2020, "15", "2019/QĐ-TTg"),
    ]
    assert len({taken, *others}) == 7


@pytest.mark.parametrize(
    ("symbol", "code", "basis"),
    [
        ("QĐ-TTg", "TTg", "symbol-TTg"),
        ("2018/QĐ-TTg", "TTg", "symbol-TTg"),
        ("CT-TTg", "TTg", "symbol-TTg"),
        ("TTg-KTTH", "TTg", "symbol-TTg"),
        ("NĐ-CP", "CP", "symbol-CP"),
        ("2020/NĐ-CP", "CP", "symbol-CP"),
        ("NQ-CP", "CP", "symbol-CP"),
        ("CP-KTTH", "CP", "symbol-CP"),
        ("VPCP-TTĐT", "G22", "from"),
        ("VPCP-CP", "CP", "symbol-CP"),
        ("TB-VPCP", "G22", "from"),
        ("QĐ-VPCP", "G22", "from"),
        ("QĐ-TTG", "G22", "from"),
        ("", "G22", "from"),
    ],
)
def test_the_mixed_traffic_of_the_government_office_shows_its_issuers(symbol: str, code: str, basis: str) -> None:
    assert issuer(acceptable(symbol=symbol), a_directory()) == Issuer(code, basis)


@pytest.mark.parametrize(
    ("in_charge", "symbol", "expected"),
    [
        ("UBND tỉnh Nghệ An", "QĐ-UBND", Issuer("H41", "in-charge")),
        ("H41", "QĐ-UBND", Issuer("H41", "in-charge")),
        ("000.00.00.H41", "UBND-NV", Issuer("H41", "in-charge")),
        ("UBND tỉnh Nghệ An", "QĐ-SNV", Issuer("H41.15", "from")),
        ("Hội đồng nhân dân tỉnh Nghệ An", "NQ-HĐND", Issuer("H41.15", "from")),
        ("Bộ Tài chính", "BTC-QLCS", Issuer("G12", "in-charge")),
        ("Bộ Tài chính", "btc-QLCS", Issuer("H41.15", "from")),
        ("Bộ Tài chính", "TTg-BTC", Issuer("TTg", "symbol-TTg")),
        ("", "QĐ-UBND", Issuer("H41.15", "from")),
    ],
)
def test_the_superior_body_is_the_issuer_only_if_the_symbol_carries_its_abbreviation(
    in_charge: str, symbol: str, expected: Issuer
) -> None:
    office = Agency("H41.15", "Sở Nội vụ", 2, "H41")
    document = acceptable(sender=Organization(organ_id="H41.15", in_charge=in_charge), symbol=symbol)
    assert issuer(document, a_directory(office)) == expected


def test_the_issuer_is_told_by_the_code_that_counts() -> None:
    directory = a_directory(aliases={"000.00.18.G12": "G12.18"})
    document = acceptable(sender=replace(GOVERNMENT_OFFICE, organ_id="000.00.18.G12"), symbol="TCT-CS")
    assert issuer(document, directory) == Issuer("G12.18", "from")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Bộ Giáo dục và Đào tạo", {"BGDĐT"}),
        ("Bộ Lao động - Thương binh và Xã hội", {"BLĐTBXH"}),
        ("Bảo hiểm xã hội Việt Nam", {"BHXH", "BHXHVN"}),
        ("Tòa án nhân dân tối cao", {"TANDTC"}),
        ("Uỷ ban nhân dân tỉnh Lâm Đồng", {"UBND"}),
        ("Hội đồng nhân dân Thành phố Huế", {"HĐND"}),
    ],
)
def test_an_agency_is_abbreviated_as_in_its_symbols(name: str, expected: set[str]) -> None:
    assert abbreviations(name) == expected
