"""The elements of one long JSON list, one after another, in memory that depends on the longest of them. Pure.

Python's own decoder reads each element. The usual streaming parsers are not safe here: the C library behind ijson
takes the whole process with it when a file nests deeply or holds a number of thousands of digits.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any

from jobs.said import Said, said

CHUNK = 256 * 1024  # bytes
LONGEST = 1024 * 1024  # letters of one element
_SPACE = re.compile(r"[ \t\r\n]*")


class BrokenList(ValueError):
    """Not one whole JSON list; `why` is a plain sentence part without a full stop."""

    def __init__(self, why: Said) -> None:
        super().__init__(why)
        self.why = why


def elements(file: IO[bytes]) -> Iterator[Any]:
    """Every element. Raises `BrokenList`, possibly only after some of them."""
    reader = _Reader(file)
    if not reader.take("["):
        raise BrokenList(said("it is no list"))
    if not reader.take("]"):
        yield reader.element()
        while reader.take(","):
            yield reader.element()
        if not reader.take("]"):
            raise BrokenList(reader.end_words)
    if reader.letter():
        raise BrokenList(said("something follows after its end"))


class _Reader:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._decoder = json.JSONDecoder(parse_constant=_no_constant)
        self._text = ""
        self._at = 0
        self._ended = False

    @property
    def end_words(self) -> Said:
        return said("it is damaged") if self.letter() else said("it is cut off")

    def letter(self) -> str:
        """The next letter that is no space; empty at the end of the file."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, letter: str) -> bool:
        if self.letter() != letter:
            return False
        self._at += 1
        return True

    def element(self) -> Any:
        self.letter()
        while True:
            if len(self._text) - self._at > LONGEST + CHUNK:
                raise BrokenList(said("one of its elements is longer than %(most)s letters", most=LONGEST))
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                if not self._more():
                    raise BrokenList(
                        self.end_words if self._at >= len(self._text) else said("it is damaged or cut off")
                    ) from None
            except RecursionError:
                raise BrokenList(said("it is nested too deeply")) from None
            except ValueError:
                raise BrokenList(said("it holds a number that is none, or too long")) from None
            else:
                after = _SPACE.match(self._text, end)
                if (after.end() if after else end) < len(self._text) or not self._more():
                    self._at = end
                    return value
                # the element may go on: a number, for example

    def _more(self) -> bool:
        """Read another piece. False at the end of the file."""
        if self._ended:
            return False
        piece = self._file.read(CHUNK)
        self._ended = not piece
        try:
            self._text, self._at = self._text[self._at :] + self._decode(piece, self._ended), 0
        except UnicodeDecodeError:
            raise BrokenList(said("it is no text in UTF-8")) from None
        return not self._ended


def _no_constant(_name: str) -> Any:
    raise ValueError
