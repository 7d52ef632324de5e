"""The measuring of exactness, on a truth file of four made-up titles."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from jobs import bench_mapping, bench_world
from tests.jobs.mapping_files import anime, fribbs_file, otaku_file, xml_file

SHOW = {"id": 500, "slug": "a", "title": "A", "year": 2010, "tvdb": 700, "tmdb": 900, "imdb": "tt5"}
MOVIE = {"id": 77, "slug": "m", "title": "M", "year": 2012, "tmdb": 42, "imdb": "tt42"}


def _media(anilist_id: int, format_: str, episodes: int, **more: Any) -> dict[str, Any]:
    return {"id": anilist_id, "idMal": anilist_id, "title": f"T{anilist_id}", "english": None, "format": format_, "episodes": episodes, "year": 2010, **more}  # fmt: skip


def _eps(season: int, start: int, count: int) -> dict[str, list[int]]:
    return {str(i + 1): [season, start + i] for i in range(count)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A show whose second entry is merged, an unconfirmed special, a movie, and one entry that truth puts elsewhere."""
    row = {"thetvdb_id": 700, "themoviedb_id": 900, "trakt_id": 500, "global_media_type": "show"}
    otaku_file(tmp_path / "anime_mappings.db", [{"mal_id": 1, "anilist_id": 1, "anime_media_type": "TV", "thetvdb_season": 1, **row}])  # fmt: skip
    show = {"themoviedb_id": {"tv": 900}, "tvdb_id": 700}
    rows = [
        {"type": "TV", "anilist_id": 1, "mal_id": 1, "season": {"tvdb": 1, "tmdb": 1}, **show},
        {"type": "TV", "anilist_id": 2, "mal_id": 2, "season": {"tvdb": 2, "tmdb": 2}, **show},
        {"type": "OVA", "anilist_id": 3, "mal_id": 3, "season": {"tvdb": 0, "tmdb": 0}, **show},
        {"type": "MOVIE", "anilist_id": 4, "mal_id": 4, "themoviedb_id": {"movie": [42]}},
        {"type": "MOVIE", "anilist_id": 5, "mal_id": 5, "themoviedb_id": {"movie": [42]}},
    ]
    (tmp_path / "anime-list-full.json").write_bytes(fribbs_file(rows))
    (tmp_path / "anime-list-master.xml").write_bytes(xml_file(anime(1, tvdbid="700")))
    truth = {
        "media": [
            _media(1, "TV", 12, trakt=500, eps=_eps(1, 1, 12), how="agreed3"),
            _media(2, "TV", 12, trakt=500, eps=_eps(1, 13, 12), how="curated"),
            _media(3, "OVA", 1, trakt=500, eps=_eps(0, 2, 1), how="special"),
            _media(4, "MOVIE", 1, movie=77),
            _media(5, "MOVIE", 1, movie=78),
        ],
        "shows": [{**SHOW, "seasons": {"0": [1, 2], "1": list(range(1, 25))}}],
        "movies": [MOVIE],
    }
    with gzip.open(tmp_path / bench_world.TRUTH, "wt", encoding="utf-8") as file:
        json.dump(truth, file)
    return tmp_path


def test_the_bench_counts_right_wrong_and_refused_apart(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_mapping.main(["--data", str(folder), "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    groups = {name: (g["right"], g["wrong"], g["refused"]) for name, g in numbers["groups"].items()}
    assert groups == {"shows": (2, 0, 0), "shows away from S1E1": (1, 0, 0), "specials": (0, 0, 1), "movies": (1, 1, 0)}
    assert numbers["groups"]["shows"]["playsRight"] == 24
    assert numbers["baselines"]["shows: absolute from S1E1"]["playsWrong"] == 12
    assert numbers["baselines"]["shows: Fribbs literally"]["playsWrong"] == 12
    assert numbers["refusals"] == {"specials": {"special_unconfirmed": 1}}
    assert [(case["anilistId"], case["verdict"]) for case in numbers["worst"]] == [(5, "wrong"), (3, "refused")]
    assert {name: g["entries"] for name, g in numbers["formats"].items()} == {
        "TV": 2, "TV (shows)": 2, "OVA": 1, "OVA (specials)": 1, "MOVIE": 2, "MOVIE (movies)": 2
    }  # fmt: skip
    assert {name: g["entries"] for name, g in numbers["certainty"].items()} == {"shows: sure": 2, "movies: sure": 2}


def test_a_source_may_be_left_out_to_see_what_hangs_on_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench_mapping.main(["--data", str(folder), "--without", "fribbs", "--json"])
    numbers = json.loads(capsys.readouterr().out)
    assert [numbers["groups"]["shows"][key] for key in ("right", "wrong", "refused")] == [1, 0, 1]
    assert numbers["data"]["fribbsRows"] == 0


def test_the_report_names_the_worst_cases_and_the_deciding_rule(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench_mapping.main(["--data", str(folder), "--truth", str(folder / bench_world.TRUTH)])
    text = capsys.readouterr().out
    assert "shows: trakt_shape / merged" in text
    assert "expected movie 78, said movie 77" in text


def test_a_truth_file_need_not_be_packed(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = tmp_path / "truth.json"
    plain.write_bytes(gzip.decompress((folder / bench_world.TRUTH).read_bytes()))
    printed = []
    for more in ([], ["--truth", str(plain)]):
        assert bench_mapping.main(["--data", str(folder), "--json", *more]) == 0
        printed.append(json.loads(capsys.readouterr().out)["groups"])
    assert printed[0] == printed[1]


def test_a_folder_without_the_files_is_named_and_nothing_is_measured(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "anime-list-full.json").unlink()
    with pytest.raises(SystemExit) as end:
        bench_mapping.main(["--data", str(folder)])
    assert end.value.code == 2
    assert f"there is no file {folder}/anime-list-full.json" in capsys.readouterr().err
    assert bench_mapping.main(["--data", str(folder), "--without", "fribbs"]) == 0
