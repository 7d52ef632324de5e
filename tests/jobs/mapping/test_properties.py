"""What holds for every chain and every shape of a show, whatever the sources say."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.mapping.chain import Link, order
from jobs.mapping.placement import place_show
from jobs.mapping.rows import AnidbRow, AnidbRule
from jobs.mapping.sequels import Sequel
from jobs.records import Placement, Refusal, Shape, Slot, Span
from tests.jobs.mapping.builders import TMDB, TRAKT, TVDB, fribbs, media, otaku, place, shape

season_numbers = st.integers(0, 4)
small = st.integers(0, 30)
offsets = st.none() | st.integers(-5, 40)
rules = st.builds(
    AnidbRule,
    anidb_season=st.sampled_from([0, 1]),
    side=st.sampled_from(["tmdb", "tvdb"]),
    season=season_numbers,
    start=st.none() | st.integers(1, 20),
    end=st.none() | st.integers(1, 20),
    offset=st.integers(-15, 15),
    pairs=st.lists(st.tuples(st.integers(1, 15), st.lists(small, max_size=2).map(tuple)), max_size=4).map(tuple),
)


@st.composite
def one_link(draw: st.DrawFn, anilist_id: int) -> Link:
    """An entry with any of the three sources, each saying what it likes."""
    found = Link(anilist_id)
    if draw(st.booleans()):
        found.fribbs = fribbs(
            anilist_id,
            draw(season_numbers),
            season_tvdb=draw(st.none() | season_numbers),
            offset_tmdb=draw(offsets),
            offset_tvdb=draw(offsets),
        )
    if draw(st.booleans()):
        said = draw(st.none() | st.sampled_from(["a", "0", "1", "2", "3"]))
        found.otaku = otaku(anilist_id, said, draw(st.integers(-2, 30)), trakt_id=draw(st.sampled_from([TRAKT, 501])))
    if draw(st.booleans()):
        words = st.sampled_from(["a", "0", "1", "2"])
        found.anidb = AnidbRow(
            1,
            tmdb_show_id=TMDB,
            tvdb_id=TVDB,
            tmdb_season=draw(words),
            tvdb_season=draw(words),
            tmdb_offset=draw(offsets),
            tvdb_offset=draw(offsets),
            rules=tuple(draw(st.lists(rules, max_size=3))),
        )
    if draw(st.booleans()):
        found.media = media(
            anilist_id,
            draw(st.none() | st.integers(0, 30)),
            format=draw(st.sampled_from(["TV", "ONA", "OVA", "SPECIAL", "MOVIE", None])),
            status=draw(st.sampled_from(["FINISHED", "RELEASING", "NOT_YET_RELEASED", "HIATUS", None])),
            next_episode=draw(st.none() | st.integers(-1, 60)),
        )
    if not found.sayings and draw(st.booleans()):
        found.follow(Sequel(AnidbRow(2, "Title", tmdb_show_id=TMDB, tmdb_season="1"), draw(st.integers(2, 4))))
    return found


chains = st.lists(st.integers(1, 8), unique=True, max_size=7).flatmap(
    lambda ids: st.tuples(*(one_link(anilist_id) for anilist_id in ids))
)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Seasons 0 to 4, some missing, some that go on counting, some with holes."""
    seasons: dict[int, tuple[Slot, ...]] = {}
    for season in draw(st.sets(st.integers(0, 4))):
        first = draw(st.sampled_from([1, 1, 1, 0, 13, 62]))
        numbers = range(first, first + draw(st.integers(0, 30)))
        gone = draw(st.sets(st.sampled_from(numbers), max_size=2)) if numbers else set()
        seasons[season] = tuple(Slot(n) for n in numbers if n not in gone)
    return Shape(TRAKT, seasons, ended=draw(st.booleans()))


def places(spans: Iterable[Span]) -> list[tuple[int, int, int]]:
    return [(e, s.season, s.number_of(e)) for s in spans for e in range(s.first, s.last + 1)]


@settings(max_examples=150, deadline=None)
@given(chains, shapes())
def test_whatever_the_sources_say_every_entry_has_one_honest_answer(links: tuple[Link, ...], on: Shape) -> None:
    results = place_show(TRAKT, sorted(links, key=order), on).results
    assert set(results) == {link.key for link in links}
    listed = {(season, slot.number) for season, slots in on.seasons.items() for slot in slots}
    owners: dict[tuple[int, int], int] = {}
    for key, result in results.items():
        if isinstance(result, Refusal):
            assert result.reason
            assert result.detail
            continue
        assert result.reason
        assert result.certainty in ("sure", "likely")
        found = places(result.spans)
        assert len({episode for episode, *_ in found}) == len(found), "an episode stands in two places"
        for episode, *place_ in found:
            at = place_[0], place_[1]
            assert at in listed, "a place that Trakt does not list"
            assert owners.setdefault(at, key) == key, "two entries on one episode"
            assert result.place_of(episode) == at


@settings(max_examples=100, deadline=None)
@given(chains.filter(lambda links: not any(link.anidb and link.anidb.rules for link in links)), shapes())
def test_without_lists_of_episodes_later_ones_stand_behind_earlier_ones(links: tuple[Link, ...], on: Shape) -> None:
    for result in place_show(TRAKT, sorted(links, key=order), on).results.values():
        if isinstance(result, Placement):
            found = [(season, number) for _, season, number in sorted(places(result.spans))]
            assert found == sorted(set(found))


@settings(max_examples=60, deadline=None)
@given(chains, shapes(), st.randoms(use_true_random=False))
def test_the_order_in_which_entries_are_read_changes_nothing(links: tuple[Link, ...], on: Shape, dice: object) -> None:
    mixed = list(links)
    dice.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert place(mixed, on) == place(links, on)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 26), min_size=1, max_size=5), st.lists(st.integers(1, 26), min_size=1, max_size=5))
def test_entries_of_further_seasons_move_no_entry_before_them(before: list[int], after: list[int]) -> None:
    """Each entry is a season of its own; more seasons behind it, with entries of their own, change nothing."""
    from_sizes = [*before, *after]
    links = [_whole(season, size) for season, size in enumerate(from_sizes, 1)]
    few = place(links[: len(before)], shape(*before))
    more = place(links, shape(*from_sizes))
    assert {key: places(_placed(more[key])) for key in few} == {key: places(_placed(few[key])) for key in few}


@settings(max_examples=60, deadline=None)
@given(chains, shapes(), st.integers(0, 6))
def test_entries_that_no_source_puts_anywhere_move_no_other(links: tuple[Link, ...], on: Shape, count: int) -> None:
    strangers = [Link(100 + i, media=media(100 + i, 200)) for i in range(count)]
    with_them = place([*links, *strangers], on)
    assert {key: result for key, result in with_them.items() if key < 100} == place(links, on)


def _whole(season: int, episodes: int) -> Link:
    return Link(season, fribbs=fribbs(season, season), media=media(season, episodes))


def _placed(result: Placement | Refusal) -> tuple[Span, ...]:
    assert isinstance(result, Placement), result
    return result.spans
