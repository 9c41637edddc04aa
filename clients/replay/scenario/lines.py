"""On which line of a TOML file each value stands: ``tomllib`` reads values only.

The text has been read by ``tomllib``: it is right, and this reading need not check it.
"""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[ \t]*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*(\.?)""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")|' r"'''.*?'{3,5}(?!')|" r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'", re.DOTALL
)
_BARE = re.compile(r"[^,\]}\n#]*")


def lines(text: str) -> dict[Path, int]:
    """The line, from 1, of each table, key and element of an array, by its path."""
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._found: dict[Path, int] = {}
        self._lengths: dict[Path, int] = {}  # of arrays of tables

    def read(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)
        return self._found

    def _header(self) -> Path:
        array = self._text.startswith("[[", self._at)
        begin = self._at
        self._at += 2 if array else 1
        path: Path = ()
        keys = self._keys()
        for key in keys[:-1]:
            path = self._into((*path, key))
        path = (*path, keys[-1])
        if array:
            self._note(path, begin)
            self._lengths[path] = self._lengths.get(path, 0) + 1
            path = self._into(path)
        self._note(path, begin)
        self._at = self._text.index("]", self._at) + (2 if array else 1)
        return path

    def _into(self, path: Path) -> Path:
        """A table's path; of an array of tables the newest's."""
        return (*path, self._lengths[path] - 1) if path in self._lengths else path

    def _pair(self, table: Path) -> None:
        begin = self._at
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path, begin)
        self._at += 1  # =
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: Path) -> None:
        opened = self._text[self._at]
        if string := _STRING.match(self._text, self._at):
            self._at = string.end()
        elif opened == "[":
            self._elements(path)
        elif opened == "{":
            self._inline(path)
        else:
            self._skip(_BARE)

    def _elements(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self._text[self._skip(_BLANK)] != "]":
            self._note((*path, index), self._at)
            self._value((*path, index))
            index += 1
            if self._text[self._skip(_BLANK)] == ",":
                self._at += 1
        self._at += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        while self._text[self._skip(_BLANK)] != "}":
            self._pair(path)
            if self._text[self._skip(_BLANK)] == ",":
                self._at += 1
        self._at += 1

    def _keys(self) -> list[str]:
        keys = []
        dotted = "."
        while dotted:
            match = _KEY.match(self._text, self._at)
            if match is None:
                raise ValueError(f"no key at character {self._at}")
            key, dotted = match.groups()
            keys.append(key[1:-1] if key[0] in "\"'" else key)
            self._at = match.end()
        return keys

    def _note(self, path: Path, at: int) -> None:
        self._found.setdefault(path, self._text.count("\n", 0, at) + 1)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return self._at
