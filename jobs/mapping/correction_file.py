"""Files of corrections: what people exchange, import and subscribe to, as YAML or JSON. Pure.

    format: tsuzuki-corrections
    version: 1
    mappings:                     # which show or movie an entry is, and where its episodes go
      - anilistId: 113415
        title: Jujutsu Kaisen     # for people; not read, like `note`
        kind: show                # show or movie
        traktId: 153660
        tmdbId: 95479             # optional, like imdbId and tvdbId
        spans:                    # optional; without `to` up to the last episode
          - {from: 1, to: 24, season: 1, start: 1}
    overrides:                    # count for everyone on the instance; an administrator imports them
      - {traktId: 37696, abs: 1, season: 1, episode: 1}

An entry without `traktId` corrects episodes only; one without `spans` leaves the spans at hand alone, and `spans: []`
takes them away. A row with an unknown field is refused: it may be a mistyped one.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jobs.mapping.correction_text import UnreadableText, pieces
from jobs.mapping.rows import ListRow
from jobs.mapping.values import MAX_SMALL, UnusableFile, identifier, imdb_ids, small
from jobs.said import Said, said

FORMAT, VERSION = "tsuzuki-corrections", 1
MAX_BYTES = 8 * 1024 * 1024  # some 50,000 rows
MAX_ROWS = 50_000
MOST_SPANS = 500
MAX_SEASON = 9_999
_TITLE_FIELDS = frozenset({"anilistId", "title", "note", "kind", "traktId", "tmdbId", "imdbId", "tvdbId", "spans"})
_OVERRIDE_FIELDS = frozenset({"traktId", "abs", "season", "episode", "title", "note"})
_SPAN_FIELDS = frozenset({"from", "to", "season", "start"})

Span = tuple[int, int | None, int, int]  # first, last (None: to the end), season, start


@dataclass(frozen=True, slots=True)
class TitleRow:
    """One entry. `trakt_id` None: only its spans are corrected; `spans` None: they are left as they are."""

    line: int
    anilist_id: int
    kind: str | None = None
    trakt_id: int | None = None
    tmdb_id: int | None = None
    imdb_id: str | None = None
    tvdb_id: int | None = None
    spans: tuple[Span, ...] | None = None


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """One row of `episode_override`."""

    line: int
    trakt_id: int
    abs: int
    season: int
    episode: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not taken, with one sentence why."""

    line: int
    reason: Said


Row = TitleRow | OverrideRow | RefusedRow


class _Refused(ValueError):
    """Why one row is not taken."""

    def __init__(self, why: Said) -> None:
        super().__init__(why)
        self.why = why


def read(content: bytes) -> Iterator[Row]:
    """Every row of a file. Raises `UnreadableText` when it is no such file, possibly only at its end."""
    if len(content) > MAX_BYTES:
        raise UnreadableText(said("The file is larger than %(most)s MB.", most=MAX_BYTES // 2**20))
    head: dict[str, Any] = {}
    seen: set[tuple[int, ...]] = set()
    count = 0
    for piece in pieces(content):
        if piece.name not in ("mappings", "overrides") or not piece.in_list:
            if piece.name in ("mappings", "overrides") and piece.value is not None:
                raise UnreadableText(said("%(name)s has to be a list.", name=piece.name), piece.line)
            head.setdefault(piece.name, piece.value)
            continue
        count += 1
        if count > MAX_ROWS:
            raise UnreadableText(said("The file has more than %(most)s rows.", most=MAX_ROWS), piece.line)
        try:
            row: Row = (_title if piece.name == "mappings" else _override)(piece.value, piece.line)
            key = (row.anilist_id,) if isinstance(row, TitleRow) else (row.trakt_id, row.abs)  # type: ignore[union-attr]  # these two give no refusal
            if key in seen:
                raise _Refused(said("stands in the file twice"))
            seen.add(key)
        except _Refused as error:
            row = RefusedRow(piece.line, error.why)
        yield row
    if head.get("format") != FORMAT:
        raise UnreadableText(said("This is no file of corrections: format: %(format)s is missing.", format=FORMAT))
    if head.get("version") != VERSION or isinstance(head["version"], bool):
        raise UnreadableText(said("Only version %(version)s of the format is known here.", version=str(VERSION)))


def _fields(value: Any, known: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Refused(said("is no list of names and values"))
    if unknown := [name for name in value if name not in known]:
        raise _Refused(said("the field %(name)s is not known", name=repr(unknown[0][:40])))
    return value


def _id(fields: Mapping[str, Any], name: str, *, needed: bool = False) -> int | None:
    value = fields.get(name)
    if value is None:
        if needed:
            raise _Refused(said("%(name)s is missing", name=name))
        return None
    found = identifier(value)
    if found is None:
        raise _Refused(said("%(name)s is no id", name=name))
    return found


def _needed(fields: Mapping[str, Any], name: str) -> int:
    found = _id(fields, name, needed=True)
    assert found is not None
    return found


def _number(fields: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = small(fields.get(name), low=low)
    if value is None or value > high:
        raise _Refused(said("%(name)s has to be a number from %(low)s to %(high)s", name=name, low=low, high=high))
    return value


def _title(value: Any, line: int) -> TitleRow:
    fields = _fields(value, _TITLE_FIELDS)
    kind = fields.get("kind")
    if kind not in (None, "show", "movie"):
        raise _Refused(said("kind is show or movie"))
    imdb = fields.get("imdbId")
    if imdb is not None and (not isinstance(imdb, str) or imdb_ids(imdb) != (imdb,)):
        raise _Refused(said("imdbId is no IMDb id"))
    row = TitleRow(
        line=line,
        anilist_id=_needed(fields, "anilistId"),
        kind=kind,
        trakt_id=_id(fields, "traktId"),
        tmdb_id=_id(fields, "tmdbId"),
        imdb_id=imdb,
        tvdb_id=_id(fields, "tvdbId"),
        spans=_spans(fields["spans"]) if "spans" in fields else None,
    )
    if row.trakt_id is None and not row.spans:
        raise _Refused(said("neither traktId nor spans says anything"))
    if row.trakt_id is None and (kind, row.tmdb_id, imdb, row.tvdb_id) != (None, None, None, None):
        raise _Refused(said("traktId is missing"))
    if kind == "movie" and row.spans:
        raise _Refused(said("a movie has no spans"))
    return row


def _spans(value: Any) -> tuple[Span, ...]:
    if not isinstance(value, list) or len(value) > MOST_SPANS:
        raise _Refused(said("spans has to be a list of at most %(most)s", most=MOST_SPANS))
    found: list[Span] = []
    for part in value:
        fields = _fields(part, _SPAN_FIELDS)
        first = _number(fields, "from", 1, MAX_SMALL)
        last = None if fields.get("to") is None else _number(fields, "to", first, MAX_SMALL)
        found.append((first, last, _number(fields, "season", 0, MAX_SEASON), _number(fields, "start", 1, MAX_SMALL)))
    found.sort(key=lambda span: span[0])
    for one, other in itertools.pairwise(found):
        if one[1] is None or one[1] >= other[0]:
            raise _Refused(said("episode %(episode)s stands in two spans", episode=other[0]))
    return tuple(found)


def _override(value: Any, line: int) -> OverrideRow:
    fields = _fields(value, _OVERRIDE_FIELDS)
    return OverrideRow(
        line=line,
        trakt_id=_needed(fields, "traktId"),
        abs=_number(fields, "abs", 1, MAX_SMALL),
        season=_number(fields, "season", 0, MAX_SEASON),
        episode=_number(fields, "episode", 1, MAX_SMALL),
    )


def read_list(path: Path) -> Iterator[ListRow | None]:
    """A file as a mapping source: the titles that say which show or movie they are and of which kind, None for others.

    Overrides count for everyone and are never taken from a list. Raises `UnusableFile`.
    """
    try:
        for row in read(path.read_bytes()):
            if isinstance(row, TitleRow) and row.trakt_id is not None and row.kind is not None:
                yield ListRow(
                    row.anilist_id, row.kind, row.trakt_id, row.tmdb_id, row.imdb_id, row.tvdb_id, row.spans or ()
                )
            else:
                yield None
    except UnreadableText as error:
        line = str(error.line)
        raise UnusableFile(
            said("Line %(line)s: %(why)s", line=line, why=error.why) if error.line else error.why
        ) from None


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # which of the two is known at run time
    """Writes equal parts out instead of pointing at the first, since aliases are not taken back."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def write(mappings: Iterable[Mapping[str, Any]], overrides: Iterable[Mapping[str, Any]], form: str) -> str:
    """A whole file from rows with the names of the format; `form` is yaml or json."""
    data = {"format": FORMAT, "version": VERSION, "mappings": list(mappings), "overrides": list(overrides)}
    if form == "json":
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=200)
    return text
