"""Files that are cut, reordered or made to hurt: the parsers take what fits or raise the one error that has a name."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.mapping import otaku
from jobs.mapping.correction_file import FORMAT, Row, read, read_list, write
from jobs.mapping.correction_text import UnreadableText
from jobs.mapping.datasets import DATASETS
from jobs.mapping.rows import AnidbRow, IdRow, ListRow
from jobs.mapping.values import MAX_ID, MAX_SMALL, UnusableFile
from tests.jobs.mapping_files import OTAKU_COLUMNS, anime, fribbs_file, many_otaku_rows, otaku_file, xml_file

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["movie", "unknown", "tt0123456", "1,2", "a", "12 - 13", "1e999999999", "-0", "\x00", "９"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip
FRIBBS_FIELDS = ("anilist_id", "mal_id", "anidb_id", "type", "tvdb_id", "thetvdb_id", "themoviedb_id", "imdb_id", "season", "episode_offset")  # fmt: skip
XML_FIELDS = ("anidbid", "tvdbid", "defaulttvdbseason", "episodeoffset", "tmdbtv", "tmdbseason", "tmdboffset", "tmdbid", "imdbid")  # fmt: skip
GOOD = {
    "fribbs": fribbs_file({"type": "TV", "anilist_id": n, "tvdb_id": n, "season": {"tvdb": 1}} for n in range(1, 30)),
    "anime_lists": xml_file("".join(anime(n, '<mapping-list><mapping anidbseason="0" tvdbseason="0">;1-4;</mapping></mapping-list>') for n in range(1, 30))),
}  # fmt: skip


def outcome(name: str, path: Path, content: bytes) -> list[Any] | None:
    """Rows, or None for a file that is refused by name; anything else is a crash."""
    path.write_bytes(content)
    try:
        rows = list(DATASETS[name].read(path))
        DATASETS[name].last_activity(path)
    except UnusableFile:
        return None
    for row in rows:
        check(row)
    return rows


def check(row: IdRow | AnidbRow | None) -> None:
    """Every value fits its column on PostgreSQL."""
    if row is None:
        return
    for name in row._fields:
        value = getattr(row, name)
        if isinstance(value, int):
            high = MAX_ID if name.endswith("_id") else MAX_SMALL
            assert -MAX_SMALL <= value <= high, name
        elif isinstance(value, str):
            assert "\x00" not in value
            assert len(value) <= 500
            value.encode()


@QUICK
@given(st.lists(st.dictionaries(st.sampled_from(FRIBBS_FIELDS), ANYTHING, max_size=8) | ANYTHING, max_size=6))
def test_fribbs_takes_any_values_in_any_fields(tmp_path: Path, rows: list[Any]) -> None:
    outcome("fribbs", tmp_path / "f", json.dumps(rows).encode())


@QUICK
@given(
    st.lists(st.dictionaries(st.sampled_from(XML_FIELDS), st.text(max_size=12), max_size=6), max_size=5),
    st.text(max_size=30),
)
def test_anime_lists_takes_any_values_in_any_attributes(tmp_path: Path, rows: list[dict[str, str]], inner: str) -> None:
    def quoted(text: str) -> str:
        kept = "".join(letter for letter in text if letter.isprintable())
        return kept.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")

    entries = "".join(
        "<anime " + " ".join(f'{name}="{quoted(value)}"' for name, value in row.items())
        + f'><name>{quoted(inner)}</name><mapping-list><mapping anidbseason="{quoted(inner)}" tvdbseason="1" start="x" offset="9e9">{quoted(inner)}</mapping></mapping-list></anime>'
        for row in rows
    )  # fmt: skip
    outcome("anime_lists", tmp_path / "x", xml_file(entries))


CELL = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=12)
    | st.binary(max_size=8)
    | st.sampled_from(["1 - 12", "tt1,tt0275277", b"\xff", "a"])
)


@QUICK
@given(
    st.lists(st.dictionaries(st.sampled_from(OTAKU_COLUMNS), CELL, max_size=9), max_size=5),
    st.sets(st.sampled_from(OTAKU_COLUMNS)),
)
def test_otaku_takes_any_cells_and_any_columns(tmp_path: Path, rows: list[dict[str, Any]], missing: set[str]) -> None:
    def storable(value: Any) -> Any:
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value

    columns = [name for name in OTAKU_COLUMNS if name not in missing] or ["x"]
    clean = [{name: storable(value) for name, value in row.items()} for row in rows]
    outcome("otaku", tmp_path / "o", otaku_file(tmp_path / "made", clean, columns=columns))


@pytest.mark.parametrize("name", ["otaku", "fribbs", "anime_lists"])
@QUICK
@given(seed=st.integers(0, 2**32))
def test_a_good_file_that_was_cut_spoiled_or_shuffled_never_crashes(tmp_path: Path, name: str, seed: int) -> None:
    chance = random.Random(seed)
    whole = GOOD.get(name) or otaku_file(tmp_path / "good", many_otaku_rows(30))
    content = bytearray(whole)
    match chance.randrange(4):
        case 0:
            del content[chance.randrange(len(content)) :]
        case 1:
            for _ in range(chance.randrange(1, 30)):
                content[chance.randrange(len(content))] = chance.randrange(256)
        case 2:
            at, other = sorted(chance.randrange(len(content)) for _ in range(2))
            content[:] = content[other:] + content[at:other] + content[:at]
        case _:
            at = chance.randrange(len(content))
            content[at:at] = chance.randbytes(chance.randrange(1, 50)) * chance.randrange(1, 20)
    outcome(name, tmp_path / "spoiled", bytes(content))


NUMBER = b"9" * 5000
BOMB = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><anime-list><anime anidbid="1"><name>&b;</name></anime></anime-list>'


@pytest.mark.parametrize("name", ["otaku", "fribbs", "anime_lists"])
@pytest.mark.parametrize(
    "content",
    [b"", b"   ", b"\x00", b"\x00" * 5000, b"\xff\xfe[\x00]\x00", b"<!DOCTYPE html><html><body>Sorry</body></html>", b"<html", b"null", b"[", b"{}",
     b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'[{"a":' * 20_000, b"<a>" * 50_000, b"SQLite format 3\x00", b"SQLite format 3\x00" + b"\x10\x00" + b"\xff" * 5000, BOMB,
     b'<?xml version="1.0" encoding="utg-8"?><anime-list/>', b'<?xml version="1.0" encoding="utf-7"?><anime-list/>'],
)  # fmt: skip
def test_what_is_no_such_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    assert outcome(name, tmp_path / "f", content) is None


@pytest.mark.parametrize(
    "value",
    [b"1e999999999", b"-1e999999999", b"1e-999999999", b"1E99999999999999999999", b'"1e5"', b"1.5", b"[[[[[1]]]]]", b'{"tv": {"tv": 1}}', b'"\\ud800"', b'"tt\\u0000123456"', b"18446744073709551616"],
)  # fmt: skip
def test_absurd_numbers_and_texts_in_fribbs_cost_neither_memory_nor_the_file(tmp_path: Path, value: bytes) -> None:
    fields = b", ".join(b'"%s": %s' % (name.encode(), value) for name in FRIBBS_FIELDS if name != "anilist_id")
    rows = outcome("fribbs", tmp_path / "f", b'[{"anilist_id": 7, %s}]' % fields)
    assert rows is None or [row.anilist_id for row in rows] == [7]


def test_a_number_of_thousands_of_digits_is_refused(tmp_path: Path) -> None:
    assert outcome("fribbs", tmp_path / "f", b'[{"anilist_id": %s}]' % NUMBER) is None
    assert outcome("anime_lists", tmp_path / "x", xml_file(f'<anime anidbid="{NUMBER.decode()}"/>')) == [None]


def test_xml_keeps_memory_flat_whatever_stands_beside_the_anime(tmp_path: Path) -> None:
    deep = "<x>" * 60 + "</x>" * 60
    assert outcome("anime_lists", tmp_path / "d", xml_file(deep)) is None
    rows = outcome("anime_lists", tmp_path / "x", xml_file("<other/>" * 5000 + anime(1)))
    assert rows is not None
    assert [row.anidb_id for row in rows] == [1]
    long = outcome("anime_lists", tmp_path / "l", xml_file(f'<anime anidbid="1"><name>{"n" * 100_000}</name></anime>'))
    assert long is not None


HOSTILE_SQL = {
    "a view": "CREATE VIEW anime AS SELECT 1 mal_id, 2 anilist_id, 3 thetvdb_id, 4 themoviedb_id, 5 trakt_id, 6 thetvdb_season",
    "a view without end": "CREATE VIEW anime AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x mal_id, x anilist_id, x thetvdb_id, x themoviedb_id, x trakt_id, x thetvdb_season FROM n",
    "a virtual table": "CREATE VIRTUAL TABLE anime USING fts5(mal_id, anilist_id, thetvdb_id, themoviedb_id, trakt_id, thetvdb_season)",
    "generated columns": "CREATE TABLE anime (mal_id, anilist_id AS (length(zeroblob(1000000000))), thetvdb_id, themoviedb_id, trakt_id, thetvdb_season)",
    "no columns that count": "CREATE TABLE anime (a, b)",
    "another table": "CREATE TABLE animes (mal_id)",
}


@pytest.mark.parametrize("sql", HOSTILE_SQL.values(), ids=HOSTILE_SQL.keys())
def test_sqlite_that_would_run_something_is_refused(tmp_path: Path, sql: str) -> None:
    with closing(sqlite3.connect(tmp_path / "made")) as connection:
        connection.execute(sql)
        connection.commit()
    assert outcome("otaku", tmp_path / "o", (tmp_path / "made").read_bytes()) is None


def test_sqlite_beside_a_good_table_may_hold_what_it_likes(tmp_path: Path) -> None:
    otaku_file(tmp_path / "made", many_otaku_rows(3), last_updated=None)
    with closing(sqlite3.connect(tmp_path / "made")) as connection:
        connection.execute("CREATE VIEW activities AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x last_updated FROM n")  # fmt: skip
        connection.execute("CREATE TRIGGER t AFTER INSERT ON anime BEGIN DELETE FROM anime; END")
        connection.execute("ALTER TABLE anime ADD COLUMN huge AS (length(hex(zeroblob(100000000))))")
        connection.commit()
    rows = outcome("otaku", tmp_path / "o", (tmp_path / "made").read_bytes())
    assert rows is not None
    assert len(rows) == 3
    assert otaku.last_activity(tmp_path / "o") is None


def test_a_cell_larger_than_any_value_refuses_the_file(tmp_path: Path) -> None:
    rows = [{"mal_id": 1, "imdb_id": "t" * (otaku.LONGEST_CELL + 1)}]
    assert outcome("otaku", tmp_path / "o", otaku_file(tmp_path / "made", rows)) is None


def test_a_statement_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otaku, "MOST_STEPS", 3)
    monkeypatch.setattr(otaku, "STEP", 100)
    assert outcome("otaku", tmp_path / "o", otaku_file(tmp_path / "made", many_otaku_rows(500))) is None


# Files of corrections


def rows_of(content: bytes) -> list[Row] | None:
    try:
        return list(read(content))
    except UnreadableText:
        return None


@QUICK
@given(
    st.lists(st.dictionaries(st.sampled_from(["anilistId", "traktId", "kind", "spans", "imdbId", "title", "tmdbId"]), ANYTHING, max_size=6) | ANYTHING, max_size=5),
    st.lists(st.dictionaries(st.sampled_from(["traktId", "abs", "season", "episode"]), ANYTHING, max_size=5) | ANYTHING, max_size=3),
    st.sampled_from(["json", "yaml"]),
)  # fmt: skip
def test_corrections_take_any_values_in_any_fields(mappings: list[Any], overrides: list[Any], form: str) -> None:
    text = write(mappings, overrides, form)
    rows = rows_of(text.encode("utf-8", "replace"))
    if rows is not None:
        assert len(rows) == len(mappings) + len(overrides)


@QUICK
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_corrections_of_any_bytes_never_crash(content: bytes) -> None:
    rows_of(content)
    rows_of(f"format: {FORMAT}\nversion: 1\nmappings:\n".encode() + content)


@QUICK
@given(seed=st.integers(0, 2**32), form=st.sampled_from(["json", "yaml"]))
def test_a_good_file_of_corrections_cut_anywhere_is_refused_or_whole(seed: int, form: str) -> None:
    good = write([{"anilistId": n, "kind": "show", "traktId": n} for n in range(1, 20)], [], form).encode()
    chance = random.Random(seed)
    cut = good[: chance.randrange(len(good))]
    if form == "json" and cut != good.rstrip():
        assert rows_of(cut) is None
    spoiled = bytearray(good)
    for _ in range(5):
        spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
    rows_of(bytes(spoiled))


HEAD = f"format: {FORMAT}\nversion: 1\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + "a: &a [x]\nb: *a\n", "Anchors and aliases"),
        (HEAD + "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n", "Anchors and aliases"),
        (HEAD + "mappings: !!python/object/apply:os.system ['true']\n", "Tags"),
        (HEAD + "mappings:\n- !!binary aGk=\n", "Tags"),
        (HEAD + "mappings: [" + "[" * 3000, "nested"),
        (HEAD + "---\n" + HEAD, "one YAML document"),
        (HEAD + "version: 1\n", "twice"),
        (HEAD + "mappings: 5\n", "has to be a list"),
        (HEAD.replace("1", "2"), "version 1"),
        (HEAD.replace("1", "true"), "version 1"),
        ("version: 1\nmappings: []\n", "format"),
        ("- 1\n- 2\n", "begin with names"),
        ("\x00", "no text"),
        ("<html>", "web page"),
        ("", "empty"),
        ('{"format": "tsuzuki-corrections", "version": 1, "mappings": [', "cut off"),
        ('{"format": "tsuzuki-corrections", "version": 1} x', "follows after the end"),
        ('{"a": NaN}', "no number"),
        ('{"a": {"b": 1, "b": 2}}', "twice"),
        ('{"a": ' + "[" * 100_000, "nested"),
        ('{"a": ' + "9" * 5000 + "}", "too long"),
    ],
)  # fmt: skip
def test_hostile_corrections_are_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(UnreadableText, match=says):
        list(read(text.encode()))


def test_a_file_that_is_too_large_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.mapping.correction_file.MAX_BYTES", 100)
    with pytest.raises(UnreadableText, match="larger than"):
        list(read(b"x" * 101))


def test_a_list_gives_the_titles_that_say_all_and_no_overrides(tmp_path: Path) -> None:
    mappings: list[dict[str, object]] = [
        {"anilistId": 1, "kind": "show", "traktId": 2, "spans": [{"from": 1, "to": 12, "season": 2, "start": 3}]},
        {"anilistId": 4, "traktId": 5},
        {"anilistId": 6, "kind": "movie", "traktId": 7, "colour": "red"},
    ]
    overrides = [{"traktId": 2, "abs": 1, "season": 1, "episode": 1}]
    (tmp_path / "list").write_text(write(mappings, overrides, "yaml"))
    assert list(read_list(tmp_path / "list")) == [ListRow(1, "show", 2, spans=((1, 12, 2, 3),)), None, None, None]
    (tmp_path / "list").write_text("<html>")
    with pytest.raises(UnusableFile, match=r"Line 1: .*web page"):
        list(read_list(tmp_path / "list"))
