"""The doctor names plays that are there twice and plays counted from S1E1, and nothing that has its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from jobs.doctor import Cause, Finding, examine, stands
from jobs.records import Placement, Shape, Slot, Span

AT = datetime(2024, 3, 1, 20, 0, tzinfo=UTC)
JUJUTSU = 158594


@dataclass(frozen=True)
class Row:
    history_id: int
    watched_at: datetime | None
    season: int = 1
    number: int = 1
    action: str = "watch"
    kind: str = "episode"
    trakt_id: int = JUJUTSU
    title: str = "Jujutsu Kaisen"


def shape() -> Shape:
    return Shape(JUJUTSU, {1: tuple(Slot(n) for n in range(1, 48))})


def placed(anilist_id: int, first: int, watched: int) -> Placement:
    return Placement(anilist_id, "show", JUJUTSU, (Span(1, watched, 1, first),), "trakt_shape", "merged", "")


def short(findings: list[Finding]) -> list[tuple[int, str, int | None]]:
    return [(f.event.history_id, f.cause.value, f.keeps) for f in findings]


def test_a_play_at_the_same_second_was_posted_again_and_the_first_stays() -> None:
    rows = [Row(8, AT), Row(5, AT), Row(9, AT.replace(microsecond=900))]
    assert short(examine(rows, [])) == [(8, "posted_again", 5), (9, "posted_again", 5)]


def test_two_trackers_and_one_that_repeats_itself_are_told_apart() -> None:
    rows = [
        Row(1, AT, action="scrobble"),
        Row(2, AT + timedelta(hours=2)),
        Row(3, AT + timedelta(hours=3), action="scrobble"),
    ]
    assert short(examine(rows, [])) == [(2, "two_trackers", 1), (3, "within_a_day", 1)]


def test_a_rewatch_a_day_later_and_plays_without_a_date_are_left_alone() -> None:
    rows = [Row(1, AT), Row(2, AT + timedelta(days=1)), Row(3, None), Row(4, None), Row(5, AT, number=2)]
    assert examine(rows, []) == []


def test_a_season_counted_from_s1e1_belongs_behind_the_first_one() -> None:
    first = [Row(n, AT + timedelta(days=n), number=n) for n in range(1, 25)]
    wrong = [Row(100 + n, AT + timedelta(days=200 + n), number=n) for n in range(1, 24)]
    entries = [stands(placed(113415, 1, 24), 24, shape()), stands(placed(145064, 25, 23), 23, shape())]
    found = examine(first + wrong, entries)
    assert [f.event.history_id for f in found] == [100 + n for n in range(1, 24)]
    assert {f.cause for f in found} == {Cause.FROM_S1E1}
    assert [f.to for f in found] == [("episode", JUJUTSU, 1, 24 + n) for n in range(1, 24)]
    assert {(f.anilist_id, f.episode) for f in found} == {(145064, n) for n in range(1, 24)}


def test_what_stands_at_its_right_place_already_only_has_to_go() -> None:
    wrong = [Row(n, AT + timedelta(days=n), number=n) for n in range(1, 24)]
    right = [Row(100 + n, AT + timedelta(days=n), number=24 + n) for n in range(1, 24)]
    found = examine(wrong + right, [stands(placed(145064, 25, 23), 23, shape())])
    assert [(f.event.history_id, f.to) for f in found] == [(n, None) for n in range(1, 24)]


def test_a_first_season_that_was_watched_explains_its_plays() -> None:
    first = [Row(n, AT + timedelta(days=n), number=n) for n in range(1, 25)]
    entries = [stands(placed(113415, 1, 24), 24, shape()), stands(placed(145064, 25, 23), 23, shape())]
    assert examine(first, entries) == []


def test_a_stray_play_says_nothing_of_a_whole_entry() -> None:
    assert examine([Row(1, AT)], [stands(placed(145064, 25, 23), 23, shape())]) == []


def test_movies_are_looked_at_for_repeats_only() -> None:
    film = Placement(1, "movie", 77, (), "movie", "movie", "")
    rows = [Row(1, AT, 0, 0, kind="movie", trakt_id=77), Row(2, AT, 0, 0, kind="movie", trakt_id=77)]
    assert short(examine(rows, [stands(film, 1, None)])) == [(2, "posted_again", 1)]


@given(
    st.lists(
        st.tuples(st.integers(0, 60) | st.none(), st.integers(1, 30), st.sampled_from(["watch", "scrobble"])),
        max_size=60,
    ),
    st.integers(0, 23),
)
def test_no_event_is_named_twice_and_what_is_kept_is_never_named(
    raw: list[tuple[int | None, int, str]], watched: int
) -> None:
    rows = [
        Row(i + 1, None if hours is None else AT + timedelta(hours=hours), number=number, action=action)
        for i, (hours, number, action) in enumerate(raw)
    ]
    entries = [stands(placed(113415, 1, 24), 24, shape()), stands(placed(145064, 25, 23), watched, shape())]
    found = examine(rows, entries)
    named = [f.event.history_id for f in found]
    doubles = [f for f in found if f.cause is not Cause.FROM_S1E1]
    assert len(named) == len(set(named))
    assert not {f.keeps for f in doubles} & {f.event.history_id for f in doubles}
    assert examine(reversed(rows), entries) == found
