"""Real PDF documents with Vietnamese text, laid out roughly as NĐ 30/2020 asks; all names in them are invented."""

from __future__ import annotations

import logging
from functools import cache
from importlib.resources import files
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos

_MOTTO = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
_UNDER = "Độc lập - Tự do - Hạnh phúc"


def pdf(*, agency: str, code: str, place_and_date: str, subject: str, lines: tuple[str, ...], signer: str) -> bytes:
    """One page: letterhead, number and symbol, subject, text, signer."""
    page = FPDF(format="A4")
    page.set_margins(25, 20)
    page.add_page()
    page.add_font("BeVietnam", "", _font("Regular"))
    page.add_font("BeVietnam", "B", _font("SemiBold"))
    _line(page, agency.upper(), "B", 11)
    _line(page, f"Số: {code}", "", 11)
    page.ln(4)
    _line(page, _MOTTO, "B", 11, "C")
    _line(page, _UNDER, "B", 11, "C")
    _line(page, place_and_date, "", 10, "R")
    page.ln(6)
    _line(page, subject, "B", 12, "C")
    page.ln(4)
    for line in lines:
        _line(page, line, "", 11)
        page.ln(1)
    page.ln(8)
    _line(page, signer, "B", 11, "R")
    return bytes(page.output())


def _line(page: FPDF, text: str, style: str, size: int, align: str = "L") -> None:
    page.set_font("BeVietnam", style, size)
    page.multi_cell(0, size * 0.6, text, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


@cache
def _font(weight: str) -> Path:
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it reports every table it drops
    return Path(str(files("fontpkg_be_vietnam_pro").joinpath("files", f"BeVietnamPro-{weight}.ttf")))
