"""What pages say, by key: Vietnamese and English. Each room has its module, whose keys begin with the room's name."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

Texts = dict[str, tuple[str, str]]


def collected() -> Texts:
    """Those of all rooms."""
    found: Texts = {}
    for each in iter_modules(__path__):
        found |= import_module(f"{__name__}.{each.name}").TEXTS
    return found
