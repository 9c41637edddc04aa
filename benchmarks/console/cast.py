"""Who writes to whom: the agencies of the directory, their departments and communes, and the systems they have."""

from __future__ import annotations

import random
from dataclasses import dataclass

from benchmarks.console.words import Urn, communes
from hub.data import read_agencies
from hub.domain.numbering import abbreviations
from hub.domain.search import fold

BROADCAST = 3355  # every province and commune (exchange rules 10)
_DEPARTMENTS = (
    "Sở Y tế", "Sở Giáo dục và Đào tạo", "Sở Tài chính", "Sở Nội vụ", "Sở Xây dựng", "Sở Tư pháp", "Sở Công Thương",
    "Sở Nông nghiệp và Môi trường", "Sở Khoa học và Công nghệ", "Sở Văn hóa, Thể thao và Du lịch", "Thanh tra tỉnh",
)  # fmt: skip
_OWN_SYSTEM = 15  # every so many-th commune has one, as those had that the province's platform does not serve


@dataclass(frozen=True, slots=True)
class Party:
    """An agency, and the code of the nearest one that has a system. ``symbol``: how those of its documents end."""

    code: str
    name: str
    folded: str
    serves: str
    symbol: str
    weight: float  # how often it is drawn


class Cast:
    """The same for everybody: nothing here is drawn but the weights, and those by a seed of their own."""

    def __init__(self) -> None:
        drawn = random.Random("cast")
        listed = [agency for agency in read_agencies() if agency.closed_on is None]
        provinces = [agency for agency in listed if agency.level == 1 and agency.code.startswith("H")]
        names = communes(BROADCAST - len(provinces))
        self.places = names
        self.tops: list[Party] = []
        self.departments: list[Party] = []
        self.communes: list[Party] = []
        for agency in listed:
            weight = 14.0 if agency.code == "G22" else drawn.paretovariate(1.3)
            weight = min(weight, 14.0) * (1 if agency.level == 1 else 0.3)
            self.tops.append(_party(agency.code, agency.name, agency.code, weight))
        for place, province in enumerate(provinces):
            for n, department in enumerate(_DEPARTMENTS, 1):
                code = f"{province.code}.{n:02}"
                serves = code if department == "Sở Y tế" else province.code
                name = f"{department} {_bare(province.name)}"
                self.departments.append(_party(code, name, serves, min(drawn.paretovariate(1.5), 20)))
            own = names[place :: len(provinces)]
            for n, name in enumerate(own, 101):
                code = f"{province.code}.{n}"
                serves = code if n % _OWN_SYSTEM == 0 else province.code
                self.communes.append(_party(code, f"Ủy ban nhân dân xã {name}", serves, drawn.paretovariate(2)))
        self.everybody = [*(p for p in self.tops if p.code.startswith("H")), *self.communes]
        self.units = [*self.departments, *self.communes]

    def systems(self) -> list[dict[str, str]]:
        """What to enrol."""
        served = {party.serves for party in (*self.tops, *self.units)}
        named = [party for party in (*self.tops, *self.units) if party.code in served]
        return [{"code": party.code, "name": party.name} for party in named]

    def senders(self) -> Urn[Party]:
        """Two thirds ministries and provinces, and few communes."""
        return _mixed((self.tops, 66), (self.departments, 26), (self.communes, 8))

    def recipients(self) -> Urn[Party]:
        return _mixed((self.tops, 58), (self.departments, 22), (self.communes, 20))


def _party(code: str, name: str, serves: str, weight: float) -> Party:
    symbol = min(abbreviations(name), key=lambda text: (len(text), text), default=code.replace(".", ""))
    return Party(code, name, fold(name), serves, symbol, weight)


def _bare(province: str) -> str:
    return province.removeprefix("Ủy ban nhân dân ")


def _mixed(*groups: tuple[list[Party], float]) -> Urn[Party]:
    parties = [party for group, _ in groups for party in group]
    weights = [party.weight * share / sum(p.weight for p in group) for group, share in groups for party in group]
    return Urn(parties, weights)
