"""JSON and YAML text as plain values with line numbers, read piece by piece. Pure.

Only what both have in common is taken: no aliases, anchors or tags in YAML, no key twice, no NaN. A plain YAML word
is a number only when it is written in digits, so that nothing is taken for a date or an octal number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from jobs.said import Said, said

DEEPEST = 8
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is there unless PyYAML was built without


class UnreadableText(ValueError):
    """Not one whole file of this kind; `line` counts from 1, 0 when no line is to blame."""

    def __init__(self, why: Said, line: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.line = line


class Piece(NamedTuple):
    """A value of the file's outer object; elements of a list come one by one."""

    name: str
    value: Any
    line: int
    in_list: bool


def pieces(content: bytes) -> Iterator[Piece]:
    """Every value of the outer object. Raises `UnreadableText`, possibly only after some pieces."""
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise UnreadableText(said("The file is not text in UTF-8.")) from None
    if not text.strip():
        raise UnreadableText(said("The file is empty."))
    if text.lstrip().startswith("<"):
        raise UnreadableText(said("This is a web page, not a file of corrections."), 1)
    if found := _CONTROL.search(text):
        raise UnreadableText(
            said("The file holds characters that are no text."), text.count("\n", 0, found.start()) + 1
        )
    try:
        yield from _json_pieces(text) if text.lstrip().startswith("{") else _yaml_pieces(text)
    except RecursionError:
        raise UnreadableText(said("The file is nested too deeply.")) from None


# JSON


def _json_pieces(text: str) -> Iterator[Piece]:
    reader = _JsonReader(text)
    reader.expect("{")
    seen: set[str] = set()
    if reader.take("}"):
        reader.end()
        return
    while True:
        line = reader.line
        name = reader.value()
        if not isinstance(name, str):
            raise UnreadableText(said("A name in quotation marks is missing."), line)
        if name in seen:
            raise UnreadableText(said("%(name)s stands there twice.", name=_shown(name)), line)
        seen.add(name)
        reader.expect(":")
        if reader.take("["):
            if not reader.take("]"):
                while True:
                    line = reader.line
                    yield Piece(name, reader.value(), line, in_list=True)
                    if not reader.take(","):
                        break
                reader.expect("]")
        else:
            line = reader.line
            yield Piece(name, reader.value(), line, in_list=False)
        if not reader.take(","):
            break
    reader.expect("}")
    reader.end()


class _JsonReader:
    """Reads one value after another and knows the line that it stands in."""

    _SPACE = re.compile(r"[ \t\r\n]*")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted = (0, 1)  # up to here, so many lines
        self._decoder = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_unique)
        self._skip()

    @property
    def line(self) -> int:
        at, line = self._counted
        self._counted = (self._at, line + self._text.count("\n", at, self._at))
        return self._counted[1]

    def value(self) -> Any:
        line = self.line
        try:
            value, self._at = self._decoder.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            raise UnreadableText(said("The JSON is damaged or cut off here."), error.lineno) from None
        except _Odd as error:
            raise UnreadableText(error.why, line) from None
        except ValueError:
            raise UnreadableText(said("A number is too long."), line) from None
        if _depth(value) > DEEPEST:
            raise UnreadableText(said("The file is nested too deeply."), line)
        self._skip()
        return value

    def take(self, letter: str) -> bool:
        if not self._text.startswith(letter, self._at):
            return False
        self._at += 1
        self._skip()
        return True

    def expect(self, letter: str) -> None:
        if not self.take(letter):
            raise UnreadableText(said("The JSON is damaged or cut off here."), self.line)

    def end(self) -> None:
        if self._at != len(self._text):
            raise UnreadableText(said("Something follows after the end."), self.line)

    def _skip(self) -> None:
        found = self._SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at


class _Odd(ValueError):
    """JSON that Python would take and we do not."""

    def __init__(self, why: Said) -> None:
        super().__init__(why)
        self.why = why


def _no_constant(name: str) -> Any:
    raise _Odd(said("%(name)s is no number.", name=name))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Odd(said("%(name)s stands there twice.", name=_shown(next(n for n in names if names.count(n) > 1))))
    return found


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            part
            for holder in level
            if isinstance(holder, dict | list)
            for part in (holder.values() if isinstance(holder, dict) else holder)
        ]
    return depth


# YAML


def _yaml_pieces(text: str) -> Iterator[Piece]:
    try:
        yield from _YamlReader(text).pieces()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise UnreadableText(said("The YAML is damaged or cut off here."), mark.line + 1 if mark else 0) from None


class _YamlReader:
    """Builds values from the parser's events; nothing of what YAML can construct besides is ever reached."""

    def __init__(self, text: str) -> None:
        self._events = yaml.parse(text, Loader=_LOADER)

    def pieces(self) -> Iterator[Piece]:
        self._next(yaml.StreamStartEvent)
        self._next(yaml.DocumentStartEvent)
        outer = self._any()
        if not isinstance(outer, yaml.MappingStartEvent):
            raise UnreadableText(said("The file has to begin with names such as format: and version:."), _line(outer))
        seen: set[str] = set()
        while not isinstance(event := self._any(), yaml.MappingEndEvent):
            name = self._name(event, seen)
            event = self._any()
            if isinstance(event, yaml.SequenceStartEvent):
                while not isinstance(event := self._any(), yaml.SequenceEndEvent):
                    yield Piece(name, self._value(event, 2), _line(event), in_list=True)
            else:
                yield Piece(name, self._value(event, 1), _line(event), in_list=False)
        self._next(yaml.DocumentEndEvent)
        self._next(yaml.StreamEndEvent)

    def _any(self) -> Any:
        event = next(self._events, None)
        if event is None:
            raise UnreadableText(said("The YAML is cut off."))
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise UnreadableText(said("Anchors and aliases (& and *) are not taken."), _line(event))
        if getattr(event, "tag", None) not in (None, "!"):
            raise UnreadableText(said("Tags (!) are not taken."), _line(event))
        return event

    def _next(self, kind: type[Any]) -> None:
        event = self._any()
        if not isinstance(event, kind):
            raise UnreadableText(said("The file has to be one YAML document."), _line(event))

    def _name(self, event: Any, seen: set[str]) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise UnreadableText(said("A name is missing here."), _line(event))
        name = str(event.value)
        if name in seen:
            raise UnreadableText(said("%(name)s stands there twice.", name=_shown(name)), _line(event))
        seen.add(name)
        return name

    def _value(self, event: Any, depth: int) -> Any:
        if depth > DEEPEST:
            raise UnreadableText(said("The file is nested too deeply."), _line(event))
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            parts: list[Any] = []
            while not isinstance(event := self._any(), yaml.SequenceEndEvent):
                parts.append(self._value(event, depth + 1))
            return parts
        found: dict[str, Any] = {}
        seen: set[str] = set()
        while not isinstance(event := self._any(), yaml.MappingEndEvent):
            name = self._name(event, seen)
            found[name] = self._value(self._any(), depth + 1)
        return found


def _scalar(event: Any) -> Any:
    text = str(event.value)
    if event.style:  # quoted
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    return _WORDS.get(text.lower(), text)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _shown(text: str) -> str:
    """What somebody wrote, short and on one line."""
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
