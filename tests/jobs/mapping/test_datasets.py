"""The parsers take what fits, in every spelling that was published, and refuse files that are not whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jobs.mapping import anime_lists, fribbs, otaku
from jobs.mapping.rows import AnidbRow, AnidbRule, IdRow
from jobs.mapping.values import UnusableFile
from tests.jobs.mapping_files import OTAKU_COLUMNS, anime, fribbs_file, many_otaku_rows, otaku_file, xml_file


def read_otaku(tmp_path: Path, *rows: dict[str, Any], **options: Any) -> list[IdRow | None]:
    otaku_file(tmp_path / "otaku.db", rows, **options)
    return list(otaku.read(tmp_path / "otaku.db"))


def read_fribbs(tmp_path: Path, *rows: Any) -> list[IdRow | None]:
    (tmp_path / "fribbs.json").write_bytes(fribbs_file(rows))
    return list(fribbs.read(tmp_path / "fribbs.json"))


def read_xml(tmp_path: Path, entries: str) -> list[AnidbRow | None]:
    (tmp_path / "list.xml").write_bytes(xml_file(entries))
    return list(anime_lists.read(tmp_path / "list.xml"))


def test_otaku_row_keeps_seasons_ranges_and_the_kind_of_its_trakt_id(tmp_path: Path) -> None:
    row = {
        "mal_id": 5, "anilist_id": "5", "anidb_id": 219, "thetvdb_id": 76885, "themoviedb_id": 30991,
        "imdb_id": "tt0275277,tt0000001", "trakt_id": 6398, "thetvdb_season": 2, "thetvdb_part": 3,
        "anime_media_type": "tv", "global_media_type": "show", "anime_media_episodes": "1 - 12",
        "globel_media_episodes": "13 - 24",
    }  # fmt: skip
    assert read_otaku(tmp_path, row) == [
        IdRow(
            source="otaku", anilist_id=5, mal_id=5, anidb_id=219, trakt_id=6398, trakt_kind="show", tvdb_id=76885,
            tmdb_show_id=30991, imdb_ids=("tt0275277", "tt0000001"), format="TV", tvdb_season="2", tvdb_part=3,
            media_from=1, media_to=12, global_from=13, global_to=24,
        )
    ]  # fmt: skip


def test_otaku_spells_the_global_episodes_in_two_ways(tmp_path: Path) -> None:
    columns = [name.replace("globel", "global") for name in OTAKU_COLUMNS] + ["mal_title", "score"]
    row = {"mal_id": 1, "global_media_episodes": "25 - 26", "mal_title": "A title"}
    (found,) = read_otaku(tmp_path, row, columns=columns)
    assert found is not None
    assert (found.global_from, found.global_to) == (25, 26)


@pytest.mark.parametrize(("stored", "season"), [(1, "1"), ("1", "1"), (0, "0"), ("a", "a"), (None, None), ("x", None)])
def test_otaku_season_is_a_number_or_a_or_nothing(tmp_path: Path, stored: Any, season: str | None) -> None:
    (found,) = read_otaku(tmp_path, {"mal_id": 1, "thetvdb_season": stored})
    assert found is not None
    assert found.tvdb_season == season


@pytest.mark.parametrize(
    ("kind", "tvdb", "tmdb", "show", "movies"),
    [
        ("TV", 70, 9, 9, ()),
        ("TV", None, 9, 9, ()),
        ("MOVIE", 70, 9, None, (9,)),
        ("OVA", 70, "9", 9, ()),
        ("OVA", "OVA", 9, None, (9,)),
        ("MOVIE", None, "968868,968870", None, (968868, 968870)),
        ("TV", 70, "unknown", None, ()),
        ("TV", 70, None, None, ()),
    ],
)
def test_a_flat_tmdb_id_is_a_show_or_a_movie_by_what_stands_beside_it(
    tmp_path: Path, kind: str, tvdb: Any, tmdb: Any, show: int | None, movies: tuple[int, ...]
) -> None:
    flat = {"mal_id": 1, "thetvdb_id": tvdb, "themoviedb_id": tmdb}
    (by_otaku,) = read_otaku(tmp_path, {**flat, "anime_media_type": kind})
    (by_fribbs,) = read_fribbs(tmp_path, {**flat, "type": kind})
    for found in (by_otaku, by_fribbs):
        assert found is not None
        assert (found.tmdb_show_id, found.tmdb_movie_ids) == (show, movies)


def test_otaku_row_without_an_id_of_a_list_is_counted_but_not_kept(tmp_path: Path) -> None:
    assert read_otaku(tmp_path, {"anidb_id": 1}, {"mal_id": -1, "anilist_id": 2**53 + 1}) == [None, None]


def test_otaku_tells_when_it_last_changed(tmp_path: Path) -> None:
    otaku_file(tmp_path / "a.db", [])
    otaku_file(tmp_path / "b.db", [], last_updated=None)
    assert otaku.last_activity(tmp_path / "a.db") == datetime(2024, 11, 11, 23, 54, 31, tzinfo=UTC)
    assert otaku.last_activity(tmp_path / "b.db") is None


def test_fribbs_reads_the_field_names_of_2026(tmp_path: Path) -> None:
    row = {
        "type": "TV", "anidb_id": 3, "anilist_id": 1225, "mal_id": 1225, "imdb_id": ["tt0102847"],
        "themoviedb_id": {"tv": 62913}, "tvdb_id": 70973, "season": {"tvdb": 2, "tmdb": 1},
        "episode_offset": {"tvdb": -1, "tmdb": 12},
    }  # fmt: skip
    assert read_fribbs(tmp_path, row) == [
        IdRow(
            source="fribbs", anilist_id=1225, mal_id=1225, anidb_id=3, tvdb_id=70973, tmdb_show_id=62913,
            imdb_ids=("tt0102847",), format="TV", season_tvdb=2, season_tmdb=1, offset_tvdb=-1, offset_tmdb=12,
        )
    ]  # fmt: skip


@pytest.mark.parametrize("movie", [128, [128], "128", ["128"]])
def test_fribbs_movie_id_is_a_number_or_a_list(tmp_path: Path, movie: Any) -> None:
    (found,) = read_fribbs(tmp_path, {"type": "MOVIE", "anilist_id": 164, "themoviedb_id": {"movie": movie}})
    assert found is not None
    assert found.tmdb_movie_ids == (128,)


def test_fribbs_reads_the_field_names_of_before(tmp_path: Path) -> None:
    row = {
        "type": "TV", "anilist_id": "290", "mal_id": "unknown", "thetvdb_id": "72025",
        "themoviedb_id": "26209", "imdb_id": "tt0286390",
    }  # fmt: skip
    (found,) = read_fribbs(tmp_path, row)
    assert found == IdRow(
        source="fribbs", anilist_id=290, tvdb_id=72025, tmdb_show_id=26209, imdb_ids=("tt0286390",), format="TV"
    )


def test_fribbs_elements_of_another_shape_hurt_nobody(tmp_path: Path) -> None:
    odd = {"anilist_id": 1, "season": 2, "episode_offset": [1], "themoviedb_id": True, "imdb_id": None, "type": 7}
    assert read_fribbs(tmp_path, None, 7, "x", [], {}, odd) == [None] * 5 + [IdRow(source="fribbs", anilist_id=1)]


def test_fribbs_reads_past_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_bytes(b"\xef\xbb\xbf" + fribbs_file([{"mal_id": 1}]))
    assert list(fribbs.read(tmp_path / "f.json")) == [IdRow(source="fribbs", mal_id=1)]


def test_anime_lists_reads_ids_defaults_and_words(tmp_path: Path) -> None:
    show = anime(
        1, tvdbid="72025", defaulttvdbseason="a", episodeoffset="-2", tmdbtv="26209", tmdbseason="1",
        tmdboffset="12", tmdbid="", imdbid="tt0286390,tt0286391",
    )  # fmt: skip
    movie = anime(7, tvdbid="Movie", defaulttvdbseason="", tmdbid="128,129")
    first, second, third = read_xml(tmp_path, show + movie + "<anime/>")
    assert first == AnidbRow(
        anidb_id=1, name="Title 1", tvdb_id=72025, tvdb_season="a", tvdb_offset=-2, tmdb_show_id=26209,
        tmdb_season="1", tmdb_offset=12, imdb_ids=("tt0286390", "tt0286391"),
    )  # fmt: skip
    assert second == AnidbRow(anidb_id=7, name="Title 7", tvdb_kind="movie", tmdb_movie_ids=(128, 129))
    assert third is None


def test_anime_lists_reads_pairs_ranges_and_both_sides(tmp_path: Path) -> None:
    inner = """<mapping-list>
      <mapping anidbseason="0" tvdbseason="0">;1-4;5-2;6-0;</mapping>
      <mapping anidbseason="1" tvdbseason="3" start="23" end="44" offset="-22">;45-24;46-1+2+3;</mapping>
      <mapping anidbseason="1" tvdbseason="0" tmdbseason="2" start="3">1-3;2-0;nonsense;9-;</mapping>
      <mapping anidbseason="x" tvdbseason="0"/><mapping anidbseason="1" tvdbseason=""/>
    </mapping-list>"""
    (row,) = read_xml(tmp_path, anime(9, inner, tvdbid="1"))
    assert row is not None
    assert row.rules == (
        AnidbRule(0, "tvdb", 0, pairs=((1, (4,)), (5, (2,)), (6, (0,)))),
        AnidbRule(1, "tvdb", 3, start=23, end=44, offset=-22, pairs=((45, (24,)), (46, (1, 2, 3)))),
        AnidbRule(1, "tvdb", 0, start=3, pairs=((1, (3,)), (2, (0,)))),
        AnidbRule(1, "tmdb", 2, start=3, pairs=((1, (3,)), (2, (0,)))),
    )
    assert [AnidbRule.from_json(rule.to_json()) for rule in row.rules] == list(row.rules)
    assert [rule.moves_all for rule in row.rules] == [False, True, True, True]


PAGE = b"\n<!DOCTYPE html><html><body>Not found</body></html>"


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


@pytest.mark.parametrize(
    ("read", "make", "says"),
    [
        (otaku.read, lambda _p: PAGE, "web page"),
        (fribbs.read, lambda _p: PAGE, "web page"),
        (anime_lists.read, lambda _p: PAGE, "web page"),
        (otaku.read, lambda _p: b"", "empty file"),
        (fribbs.read, lambda _p: b" \n", "empty file"),
        (otaku.read, lambda _p: b'{"message": "rate limited"}', "not a SQLite database"),
        (fribbs.read, lambda _p: b'{"message": "rate limited"}', "not a JSON list"),
        (anime_lists.read, lambda _p: b'{"message": "rate limited"}', "damaged or cut off"),
        (otaku.read, lambda p: cut(otaku_file(p / "x.db", many_otaku_rows(500))), "cut off"),
        (fribbs.read, lambda _p: cut(fribbs_file([{"mal_id": n} for n in range(100)])), "cut off"),
        (anime_lists.read, lambda _p: cut(xml_file(anime(1) * 50)), "cut off"),
        (fribbs.read, lambda _p: b'[{"mal_id": 1}, oops]', "JSON"),
        (otaku.read, lambda p: otaku_file(p / "x.db", [], table="series"), "no table named anime"),
        (otaku.read, lambda p: otaku_file(p / "x.db", [], columns=["mal_id", "anilist_id"]), "no column"),
        (anime_lists.read, lambda _p: xml_file(anime(1), root="movie-list"), "root is not anime-list"),
        (
            anime_lists.read,
            lambda _p: b'<!DOCTYPE a [<!ENTITY b "bbbb">]><anime-list><anime anidbid="1"/></anime-list>',
            "not the XML",
        ),
    ],
)
def test_a_file_that_is_not_whole_is_refused_with_a_sentence(
    tmp_path: Path, read: Callable[[Path], Any], make: Callable[[Path], bytes], says: str
) -> None:
    (tmp_path / "file").write_bytes(make(tmp_path))
    with pytest.raises(UnusableFile) as refused:
        list(read(tmp_path / "file"))
    assert says in refused.value.detail
    assert refused.value.detail.endswith(".")


def test_a_damaged_page_inside_a_sqlite_file_is_noticed(tmp_path: Path) -> None:
    content = bytearray(otaku_file(tmp_path / "x.db", many_otaku_rows(500)))
    content[4096 * 3 : 4096 * 5] = b"\xff" * 8192
    (tmp_path / "file").write_bytes(bytes(content))
    with pytest.raises(UnusableFile):
        list(otaku.read(tmp_path / "file"))
