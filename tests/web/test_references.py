"""What a person pastes: ids, slugs and addresses of five services, and titles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.references import MAX_ID, Reference, parse


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("https://trakt.tv/shows/jujutsu-kaisen/seasons/1", Reference("trakt", "jujutsu-kaisen", "show")),
        ("app.trakt.tv/movies/akira-1988", Reference("trakt", "akira-1988", "movie")),
        ("trakt:jujutsu-kaisen", Reference("trakt", "jujutsu-kaisen")),
        ("158594", Reference("trakt", "158594")),
        ("https://www.themoviedb.org/tv/95479-jujutsu-kaisen?language=de", Reference("tmdb", "95479", "show")),
        ("https://www.themoviedb.org/movie/149", Reference("tmdb", "149", "movie")),
        ("tmdb 95479", Reference("tmdb", "95479")),
        ("https://thetvdb.com/dereferrer/series/377543", Reference("tvdb", "377543", "show")),
        ("TVDB: 377543", Reference("tvdb", "377543")),
        ("https://m.imdb.com/title/tt0094625/", None),
        ("https://www.imdb.com/title/tt0094625/?ref_=x", Reference("imdb", "tt0094625")),
        ("tt0094625", Reference("imdb", "tt0094625")),
        ("https://anilist.co/anime/145064/Jujutsu-Kaisen-2nd-Season/", Reference("anilist", "145064")),
        ("anilist 145064", Reference("anilist", "145064")),
    ],
)
def test_ids_slugs_and_addresses_are_understood(text: str, meant: Reference | None) -> None:
    if meant is None:
        with pytest.raises(ValueError, match="imdb"):
            parse(text)
    else:
        assert parse(f"  {text} ") == meant


@pytest.mark.parametrize(
    "text", ["Jujutsu Kaisen", "86", "tt12", "imdb: nonsense", "trakt: What is this", "呪術廻戦", ""]
)
def test_titles_are_searched_for(text: str) -> None:
    assert parse(text) is None if text != "86" else parse(text) == Reference("trakt", "86")


@pytest.mark.parametrize(
    "text",
    ["https://example.org/tv/1", "https://trakt.tv/users/me", "https://www.themoviedb.org/tv/", "https://thetvdb.com/series/naruto",
     "javascript://trakt.tv/shows/x", "https://[trakt.tv/shows/x", "0", str(MAX_ID + 1), "tmdb 0"],
)  # fmt: skip
def test_an_address_or_number_that_names_nothing_is_refused(text: str) -> None:
    if text.startswith("javascript"):
        assert parse(text) is None
    else:
        with pytest.raises(ValueError, match=r".*"):
            parse(text)


@given(st.text(max_size=80) | st.from_regex(r"https?://(trakt\.tv|www\.imdb\.com|anilist\.co|themoviedb\.org)/.{0,60}"))
def test_nothing_that_is_pasted_breaks_it(text: str) -> None:
    try:
        found = parse(text)
    except ValueError:
        return
    if found is not None and found.value.isdecimal():
        assert 0 < int(found.value) <= MAX_ID
