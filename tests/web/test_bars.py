"""Seasons as bars and evidence in words: what is drawn, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from webapp.bars import MOST, draw, stretches
from webapp.evidence import listed, said


@pytest.fixture(autouse=True)
def context(words_app: Flask) -> Iterator[None]:
    with words_app.test_request_context():
        yield


def season(first: int, last: int) -> list[list[object]]:
    return [[n, 1000 + n, "2012-04-07T15:00:00Z", f"Episode {n}", 24] for n in range(first, last + 1)]


def span(first: int, last: int, season: int, start: int) -> dict[str, int]:
    return {"from": first, "to": last, "season": season, "start": start}


def test_the_watched_episodes_are_lit_in_their_season_and_the_rest_of_the_title_is_marked() -> None:
    drawing = draw({"1": season(1, 13), "2": season(1, 12)}, [span(1, 12, 2, 1)], watched=5)
    assert drawing is not None
    one, two = drawing.bars
    assert (one.season, one.lit, one.rest) == (1, (), ())
    assert (two.season, two.lit, two.rest) == (2, ((0, 5),), ((5, 7),))
    assert (drawing.widest, drawing.hidden, two.text) == (13, 0, "1-12 of 12")
    assert two.label == "12 episodes; 1-12 would be yours."


def test_numbers_that_go_on_over_seasons_are_drawn_by_their_position() -> None:
    drawing = draw({"1": season(1, 61), "2": season(62, 77)}, [span(1, 4, 2, 64)], watched=4)
    assert drawing is not None
    assert drawing.bars[1].lit == ((2, 4),)
    assert drawing.bars[1].text == "64-67 of 16"
    assert not drawing.cells


def test_places_of_other_titles_are_told_apart() -> None:
    drawing = draw({"1": season(1, 25)}, [span(1, 12, 1, 13)], watched=12, taken=[span(1, 12, 1, 1)])
    assert drawing is not None
    assert drawing.bars[0].taken == ((0, 12),)
    assert "12 belong to other titles." in drawing.bars[0].label


def test_of_many_seasons_only_those_around_the_place_are_drawn() -> None:
    drawing = draw({str(n): season(1, 12) for n in range(1, 31)}, [span(1, 12, 20, 1)], watched=12)
    assert drawing is not None
    assert [bar.season for bar in drawing.bars] == [19, 20, 21]
    assert drawing.hidden == 27


def test_one_title_over_many_seasons_stays_a_drawing_that_fits() -> None:
    spans = [span(12 * n - 11, 12 * n, n, 1) for n in range(1, 31)]
    drawing = draw({str(n): season(1, 12) for n in range(1, 31)}, spans, watched=400)
    assert drawing is not None
    assert len(drawing.bars) == MOST + 1


def test_specials_are_drawn_by_themselves() -> None:
    drawing = draw({"0": season(1, 15), "1": season(1, 12)}, [span(1, 6, 0, 9)], watched=6)
    assert drawing is not None
    assert [bar.season for bar in drawing.bars] == [0]


def test_nothing_is_drawn_of_seasons_that_are_not_known() -> None:
    assert draw({}, [span(1, 12, 2, 1)], watched=12) is None
    assert draw({"1": season(1, 12)}, [], watched=12) is None
    assert draw({"1": []}, [span(1, 12, 1, 1)], watched=12) is None


def test_an_open_end_reaches_to_the_end_of_the_season() -> None:
    drawing = draw({"1": season(1, 12)}, [{"from": 3, "to": None, "season": 1, "start": 3}], watched=4)  # type: ignore[dict-item]  # as stored
    assert drawing is not None
    assert (drawing.bars[0].lit, drawing.bars[0].rest) == (((2, 2),), ((4, 8),))


def test_positions_become_stretches() -> None:
    assert stretches([5, 0, 1, 2, 6, 9]) == ((0, 3), (5, 2), (9, 1))


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        ("fribbs counts it so in TVDB's numbering", "Fribbs gives this number, counted as TVDB counts."),
        (
            "Fribbs says special 3 of TMDB 900; nothing confirms that Trakt counts so",
            "Fribbs says special 3, counted as TMDB counts; nothing confirms that Trakt counts so.",
        ),
        (
            "Fribbs says specials 3 to 5 of TVDB 700; nothing confirms that Trakt counts so",
            "Fribbs says specials 3 to 5, counted as TVDB counts; nothing confirms that Trakt counts so.",
        ),
        (
            "Anime-Lists names the special of each episode of TVDB 700; nothing confirms that Trakt counts so",
            "Anime-Lists names the special of each episode, counted as TVDB counts; nothing confirms that Trakt counts so.",
        ),
        ("Anime-Lists says season 2 of TMDB 900", "Anime-Lists says season 2, counted as TMDB counts."),
        (
            "Otaku says season 1 from episode 13 of TVDB 700; entry 5 stands there too",
            "Otaku says season 1 from episode 13 on, counted as TVDB counts.",
        ),
        ("Otaku says absolute numbering from episode 25 of TVDB 700", "Otaku counts the whole show through."),
        (
            "Trakt's season 2 has 13 episodes, and no other entry stands there",
            "Trakt's season 2 has 13 episodes, and no other title stands there.",
        ),
        (
            "The sources say so, and entry 5 would stand there too",
            "The sources say so, and another title of the show would stand there too.",
        ),
        (
            "By its title it is a sequel of Air, but Trakt's season is taken or has another length",
            "By its title it is a sequel of Air, but Trakt's season is taken or has another length.",
        ),
        ("anime_lists says TMDB S2 E1", "Anime-Lists says season 2, counted as TMDB counts."),
        ("otaku says TVDB S1 E13", "Otaku says season 1 from episode 13 on, counted as TVDB counts."),
        ("otaku says TVDB absolute E25", "Otaku counts the whole show through, and says episode 25."),
        ("season 2 has 13 episodes", "It is long enough, and no other title stands there."),
        ("one source leads to the Trakt show 1390", "One of its ids leads to this show."),
        ("Trakt lists it with the same air date", "It first aired on the same day."),
        ("Otaku files it under movies", "Otaku files it under movies."),
        ("A sentence of its own.", "A sentence of its own."),
        ("some_rule said so", "Named by Trakt's seasons."),
        ("", "Named by Trakt's seasons."),
    ],
)
def test_evidence_is_a_sentence_without_names_of_the_code(evidence: str, words: str) -> None:
    assert said({"evidence": evidence, "source": "trakt_shape"}) == words


def test_what_trakt_lists_at_a_place_is_told_with_its_day() -> None:
    seasons = {"0": season(1, 3), "1": season(1, 13)}
    assert listed(seasons, [span(1, 12, 1, 1)]) == "Trakt lists 13 episodes there, the first of them aired 7 Apr 2012."
    assert listed(seasons, [span(1, 1, 1, 5)]) == "Trakt lists 13 episodes there; number 5 aired 7 Apr 2012."
    assert listed(seasons, [span(1, 1, 0, 2)]) == "Trakt calls it “Episode 2”, aired 7 Apr 2012."
    assert listed(seasons, [span(1, 2, 0, 2)]) == "Trakt calls the first of them “Episode 2”, aired 7 Apr 2012."
    assert listed(seasons, [span(1, 2, 4, 1)]) == "Trakt does not list this place yet."
    assert listed({"1": [[1, None, "no date", None, None]]}, [span(1, 1, 1, 1)]) == "Trakt lists 1 episode there."
