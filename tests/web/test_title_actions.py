"""What the pages of titles do: each action without a script, and what it leaves in the database."""

from __future__ import annotations

import re

import pytest

from tests.web.conftest import Browser, Find
from tests.web.seed import NOW
from webapp.models import Entry, EntrySpan, Mapping, Run

pytestmark = pytest.mark.usefixtures("queue")


def test_the_search_finds_every_title_and_synonym(small: Browser) -> None:
    for words in ("title 16", "in english 16", "進撃の巨人 16", "SNK 16", "16"):
        assert "Title 16" in small.get(f"/mappings?q={words}"), words
    assert "No title fits" in small.get("/mappings?q=100%25")
    assert "Title 16" in small.get("/history?q=english")


def test_a_mapping_by_hand_is_kept_with_who_and_when_and_looked_at(
    small: Browser, find: Find, queue: list[tuple[str, int]]
) -> None:
    data = {"anilist_id": "1", "trakt_id": "70000", "kind": "show", "imdb_id": "tt2560140", "unchecked": "1"}
    assert small.post("/manual", data) == "/mappings/1"
    row = find(Mapping, anilist_id=1)
    assert (row.user_id, row.trakt_id, row.source, row.updated_by, row.imdb_id) == (
        1,
        70_000,
        "manual",
        "hanako",
        "tt2560140",
    )
    assert find(Entry, anilist_id=1).changed_at > NOW
    assert queue[-1] == ("light", find(Run, mode="single", anilist_id=1).id)
    assert "by hanako" in small.get("/mappings/1")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"anilist_id": "", "trakt_id": "1"}, "anilist_id"),
        ({"anilist_id": "1", "trakt_id": "0"}, "trakt_id"),
        ({"anilist_id": "1", "trakt_id": str(2**53 + 1)}, "trakt_id"),
        ({"anilist_id": "1", "trakt_id": "-5"}, "trakt_id"),
        ({"anilist_id": "1", "trakt_id": "٣"}, "trakt_id"),
        ({"anilist_id": "1", "trakt_id": "1", "imdb_id": "nm1"}, "imdb_id"),
        ({"anilist_id": "1", "trakt_id": "1", "tmdb_id": "x"}, "tmdb_id"),
    ],
)
@pytest.mark.parametrize("hx", [False, True])
def test_a_bad_field_says_so_beside_it_and_loses_nothing(
    browser: Browser, data: dict[str, str], field: str, hx: bool
) -> None:
    text = browser.post("/manual", {"kind": "movie", "tvdb_id": "4711", **data}, status=422, hx=hx)
    assert f'id="f-{field}-error"' in text
    assert 'aria-invalid="true"' in text
    assert 'value="4711"' in text
    assert '<option value="movie" selected>' in text
    assert ("<html" in text) is not hx


def test_ranges_are_saved_together_with_the_show(small: Browser, find: Find) -> None:
    data = {
        "kind": "show",
        "trakt_id": "70000",
        "first-0": "1",
        "last-0": "12",
        "season-0": "3",
        "start-0": "1",
        "first-1": "13",
        "last-1": "",
        "season-1": "0",
        "start-1": "5",
        "first-2": "",
    }
    small.post("/mappings/3/spans", data)
    assert find(EntrySpan, anilist_id=3, first=1).last == 12
    assert (find(EntrySpan, anilist_id=3, first=13).last, find(EntrySpan, anilist_id=3, first=13).season) == (None, 0)
    assert find(Entry, anilist_id=3).changed_at > NOW
    page = small.get("/mappings/3")
    assert 'name="first-2"' in page
    assert 'name="first-3"' not in page
    small.post("/mappings/3/reset")
    assert find(EntrySpan, anilist_id=3) is None
    assert find(Mapping, anilist_id=3) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"first-0": "1", "last-0": "12", "season-0": "1", "start-0": "1", "first-1": "12", "season-1": "2", "start-1": "1"}, "Two ranges name the same episode"),
        ({"first-0": "5", "last-0": "4", "season-0": "1", "start-0": "1"}, "comes before the first"),
        ({"first-0": "1", "season-0": "", "start-0": "1"}, "This is needed"),
        ({"first-0": "0", "season-0": "1", "start-0": "1"}, "whole number"),
        ({"trakt_id": "x"}, "whole number"),
    ],
)  # fmt: skip
def test_ranges_that_cannot_be_say_why(small: Browser, find: Find, data: dict[str, str], said: str) -> None:
    text = small.post("/mappings/3/spans", {"kind": "show", "trakt_id": "70000", **data}, status=422)
    assert said in text
    assert find(EntrySpan, anilist_id=3) is None


def test_the_choice_of_a_candidate_becomes_a_correction(small: Browser, find: Find) -> None:
    page = small.get("/review")
    assert 'value="1-12:3:1"' in page
    assert small.post("/review/1/use", {"kind": "show", "trakt_id": "70000", "spans": "1-12:3:1"}) == "/review"
    span = find(EntrySpan, anilist_id=1)
    assert (span.first, span.last, span.season, span.start) == (1, 12, 3, 1)
    assert find(Mapping, anilist_id=1).source == "manual"
    assert find(Run, mode="single", anilist_id=1).status == "queued"


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "show", "trakt_id": "70000", "spans": "1-12:9:1"},
        {"kind": "movie", "trakt_id": "70000", "spans": "1-12:2:1"},
        {"kind": "show", "trakt_id": "x", "spans": ""},
    ],
)
def test_a_candidate_that_is_gone_changes_nothing(small: Browser, find: Find, data: dict[str, str]) -> None:
    small.post("/review/1/use", data)
    assert find(Mapping, anilist_id=1) is None
    assert "no longer among the choices" in small.get("/review")


def test_a_title_is_never_sent_until_one_takes_it_back(small: Browser, find: Find) -> None:
    assert small.post("/mappings/1/choice", {"choice": "never", "back": "review"}) == "/review"
    assert (find(Entry, anilist_id=1).choice, find(Entry, anilist_id=1).choice_by) == ("never", "hanako")
    assert "Where does Title 1 go?" not in small.get("/review")
    assert "9 titles to decide" in small.get("/review")
    small.post("/mappings/1/choice", {"choice": ""})
    assert find(Entry, anilist_id=1).choice is None
    small.post("/mappings/1/choice", {"choice": "nonsense"}, status=400)


def test_what_has_no_match_is_put_aside_by_format(small: Browser, find: Find) -> None:
    small.post("/review/ignore", {"format": "MUSIC"})
    assert find(Entry, reason="music").choice == "ignored"
    assert find(Entry, reason="no_id").choice is None


def test_one_title_is_sent_previewed_and_looked_at(quiet: Browser, find: Find) -> None:
    quiet.post("/mappings/16/sync", {"do": "send"})
    assert (find(Run).mode, find(Run).preview, find(Run).anilist_id) == ("title", False, 16)
    quiet.post("/mappings/16/sync", {"do": "preview"})
    assert (find(Run).mode, find(Run).preview) == ("title", True)
    quiet.post("/mappings/16/refresh")
    assert find(Run).mode == "single"
    assert "looks at this title now" in quiet.get("/mappings/16")
    assert "every 2s" in quiet.get("/mappings/16/place", hx=True)


def test_plays_at_an_old_place_are_moved_or_kept(quiet: Browser, find: Find) -> None:
    quiet.post("/mappings/16/move", {"do": "move"})
    assert (find(Run).mode, find(Run).anilist_id) == ("move", 16)
    quiet.post("/mappings/16/move", {"do": "keep"})
    spans = find(EntrySpan, anilist_id=16)
    assert (spans.first, spans.last, spans.season, spans.start) == (3, None, 2, 3)
    assert find(Mapping, anilist_id=16, user_id=1).trakt_id == 70_000
    quiet.post("/mappings/1/move", {"do": "keep"})
    assert "no single place" in quiet.get("/mappings/1")


def test_the_numbers_of_the_whole_list_do_not_stand_beside_a_search(quiet: Browser) -> None:
    chips = re.compile(r'<ul class="chips">.*?</ul>', re.DOTALL)
    (whole,), (searched,) = chips.findall(quiet.get("/mappings")), chips.findall(quiet.get("/mappings?q=title"))
    assert "All <span>19</span>" in whole
    assert "<span>" not in searched
    assert "q=title" in searched
