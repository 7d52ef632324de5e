"""The built-in demo library: a made-up person's list of real titles, the catalogue behind it, and the truth.

`expected_plays` and `expected_piles` are written from the catalogue's truth (`Title.at`), not from the mapping code.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from webapp.simulator import constants
from webapp.simulator.anime import airing_times, media_dict
from webapp.simulator.catalogue import Catalogue, Episode, Show, epoch
from webapp.simulator.demo_list import (
    COMFORT,
    PILES,
    REMARKS,
    ROWS,
    SCROBBLED_EPISODES,
    SCROBBLED_MOVIES,
    SECOND_ROWS,
    TOGETHER,
    Row,
)
from webapp.simulator.demo_shows import AIRING, MOVIES, SHOWS, ShowFacts
from webapp.simulator.demo_titles import BY_ID, TITLES, Title
from webapp.simulator.library import (
    AniListUser,
    Entry,
    ExpectedPlay,
    Library,
    ListActivity,
    MappingIds,
    SeedPlay,
    fuzzy,
)
from webapp.simulator.mapping_files import build_files, filler

DAY = 86_400
SENT_STATUSES = ("COMPLETED", "CURRENT", "REPEATING", "PAUSED")


def demo_library(born: float) -> Library:
    """The demo as it is at `born` (epoch seconds): what airs is counted from there."""
    schedules = {aid: airing_times(born, *span) for aid, span in AIRING.items()}
    catalogue = Catalogue(_shows(born, schedules), MOVIES)
    media = {title.id: _media(title) for title in TITLES}
    users = _users(born)
    ids = [_mapping_ids(title) for title in TITLES if title.in_files] + filler(400)
    return Library(
        name="demo",
        media=media,
        users=users,
        activities=_activities(born, users),
        catalogue=catalogue,
        seeds={constants.TRAKT_ACCOUNT: list(_seeds())},
        files=build_files(ids, updated=1_763_000_000),
        expected=frozenset(expected_plays()),
        schedules=schedules,
    )


def expected_plays(*, private: bool = False, dropped: bool = False) -> set[ExpectedPlay]:
    """Every place that the watched episodes of the list hold on Trakt: (anilist id, episode, kind, trakt id, season, number).

    Counted are the statuses that are sent by default; a film of several entries is counted once, for the first of
    them. What Trakt does not list at the start is left out. Plays that stand on Trakt already are in the set too
    (`already_on_trakt` names them).
    """
    plays: set[ExpectedPlay] = set()
    movies: set[int] = set()
    lengths = {(f.trakt_id, n): (first, last) for f in SHOWS for n, first, last in f.seasons}
    specials = {(f.trakt_id, number) for f in SHOWS for number, _, _ in f.specials}
    for row in ROWS:
        title = BY_ID[row.id]
        if (row.private and not private) or not (row.status in SENT_STATUSES or (dropped and row.status == "DROPPED")):
            continue
        if title.movie and row.progress and title.movie not in movies:
            movies.add(title.movie)
            plays.add((title.id, 1, "movie", title.movie, 0, 0))
        seen = _seen(row, title)
        for first, last, season, start in title.at:
            for episode in range(first, min(last, seen) + 1):
                number = start + episode - first
                low, high = lengths.get((title.show or 0, season), (1, 0))
                if low <= number <= high or (season == 0 and (title.show, number) in specials):
                    plays.add((title.id, episode, "episode", title.show or 0, season, number))
    return plays


def already_on_trakt() -> set[tuple[str, int, int, int]]:
    """Places that have a play before the first run: (kind, trakt id, season, number)."""
    return {(seed.kind, seed.trakt_id, seed.season, seed.number) for seed in _seeds()}


def expected_piles() -> dict[int, tuple[str, str, str]]:
    """Entries that must not be placed: anilist id -> (pile, reason, why)."""
    return dict(PILES)


def expected_remarks() -> dict[int, tuple[str, str]]:
    """Entries that are placed but do not go out completely: anilist id -> (reason, why)."""
    return dict(REMARKS)


def _seen(row: Row, title: Title) -> int:
    if row.status in ("COMPLETED", "REPEATING"):
        return title.episodes or row.progress
    return min(row.progress, title.episodes or row.progress)


def _air_dates(born: float, schedules: dict[int, list[tuple[int, float]]]) -> dict[tuple[int, int, int], float]:
    """First air times of all places that a title stands on: weekly from its start, an OVA evenly to its end."""
    dates: dict[tuple[int, int, int], float] = {}
    for title in TITLES:
        if not title.show or not (title.start or title.id in schedules):
            continue
        total = max(last for _, last, _, _ in title.at) if title.at else 0
        for first, last, season, start in title.at:
            for episode in range(first, last + 1):
                place = (title.show, season, start + episode - first)
                scheduled = dict(schedules.get(title.id, ()))
                dates[place] = scheduled.get(episode) or min(_aired_at(title, episode, total), born - DAY)
    return dates


def _aired_at(title: Title, episode: int, total: int) -> float:
    begin = _day(title.start)
    if title.format in ("OVA", "SPECIAL") and title.end and total > 1:
        end = _day(title.end)
        return begin + (end - begin) * (episode - 1) / (total - 1)
    return begin + 7 * DAY * (episode - 1)


def _shows(born: float, schedules: dict[int, list[tuple[int, float]]]) -> Iterator[Show]:
    dates = _air_dates(born, schedules)
    for facts in SHOWS:
        show = Show(
            facts.trakt_id, facts.slug, facts.title, facts.year, facts.tvdb, facts.tmdb, facts.imdb, ended=facts.ended
        )
        for number, title, aired in facts.specials:
            when = dates.get((facts.trakt_id, 0, number)) or (_day(aired) if aired else None)
            show.seasons.setdefault(0, {})[number] = Episode(facts.trakt_id, 0, number, 0, title, when)
        for season, first, last in facts.seasons:
            show.seasons[season] = {
                number: Episode(
                    facts.trakt_id,
                    season,
                    number,
                    0,
                    f"Episode {number}",
                    dates.get((facts.trakt_id, season, number)) or _between(facts, season, number, born),
                )
                for number in range(first, last + 1)
            }
        yield show


def _between(facts: ShowFacts, season: int, number: int, born: float) -> float:
    """A plausible air time of an episode that no title of the list stands on: spread from the show's year to now."""
    before = sum(last - first + 1 for n, first, last in facts.seasons if n < season)
    first = next(low for n, low, _ in facts.seasons if n == season)
    week = before + number - first
    begin = epoch(facts.year, 10, 20)
    total = sum(last - low + 1 for _, low, last in facts.seasons)
    return min(begin + 7 * DAY * week, begin + (born - 2 * DAY - begin) * week / max(1, total - 1))


def _media(title: Title) -> dict[str, object]:
    airing = title.id in AIRING
    return media_dict(
        anilist_id=title.id,
        mal_id=title.mal,
        format=title.format,
        status="RELEASING" if airing else "FINISHED",
        episodes=title.episodes,
        minutes=title.minutes,
        titles=(title.romaji, title.english, title.native),
        synonyms=title.synonyms,
        start=fuzzy(title.start),
        end=fuzzy(title.end),
        color=title.color,
    )


def _when(text: str | None, born: float) -> str | None:
    """ "-18" -> the day 18 days before the start; a date stays as it is."""
    if text and text.startswith("-"):
        return datetime.fromtimestamp(born + int(text) * DAY, UTC).strftime("%Y-%m-%d")
    return text


def _day(text: str | None, hour: int = 15) -> float:
    year, month, day = fuzzy(text)
    return epoch(year or 2012, month or 1, day or 1, hour)


def _stamp(text: str | None, born: float) -> int:
    """Evening of that day, or of the middle of that month or year, in epoch seconds."""
    year, month, day = fuzzy(_when(text, born))
    return int(epoch(year or 2012, month or 6, day or 15, 20))


def _users(born: float) -> list[AniListUser]:
    main = AniListUser(constants.ANILIST_USER_ID, constants.ANILIST_USER_NAME, custom_lists=(COMFORT, TOGETHER))
    second = AniListUser(
        constants.SECOND_ANILIST_USER_ID, constants.SECOND_ANILIST_USER_NAME, "ENGLISH", offset="-05:00"
    )
    closed = AniListUser(7_654_323, constants.HIDDEN_ANILIST_USER_NAME, closed=True)
    for user, rows, base in ((main, ROWS, 400_000_000), (second, SECOND_ROWS, 410_000_000)):
        for position, row in enumerate(rows):
            started, completed = _when(row.started, born), _when(row.completed, born)
            updated = _stamp(row.updated or completed or started, born)
            user.entries[row.id] = Entry(
                id=base + position,
                media_id=row.id,
                status=row.status,
                progress=row.progress,
                repeat=row.repeat,
                score=row.score,
                private=row.private,
                hidden=row.hidden,
                custom_lists=row.lists,
                started=fuzzy(started),
                completed=fuzzy(completed),
                created_at=_stamp(started, born) if started else 0,
                updated_at=updated,
            )
    return [main, second, closed]


def _activities(born: float, users: list[AniListUser]) -> list[ListActivity]:
    """Sittings spread from start to end; the last one of a completed title is swallowed by "completed"."""
    rows: list[ListActivity] = []
    for user, source in ((users[0], ROWS), (users[1], SECOND_ROWS)):
        for row in source:
            rows.extend(_activities_of(user.id, row, born))
        day = _stamp("2023-01-01", born)
        rows.append(ListActivity(0, user.id, 0, "", None, day, kind="TEXT", text="A happy new year to everyone"))
        rows.append(ListActivity(0, user.id, 19, "plans to watch", None, _stamp("2024-11-11", born)))
    rows.sort(key=lambda a: a.created_at)
    for position, activity in enumerate(rows):
        activity.id = 600_000_000 + position * 7
    return rows


def _activities_of(user_id: int, row: Row, born: float) -> Iterator[ListActivity]:
    if not row.sittings:
        return
    begin, end = _stamp(row.started, born), _stamp(row.completed or row.updated or row.started, born)
    verb = "rewatched episode" if row.status == "REPEATING" else "watched episode"
    if row.status == "REPEATING":
        begin = end - 3 * DAY
    done = row.status == "COMPLETED"
    for sitting in range(row.sittings):
        first = row.progress * sitting // row.sittings + 1
        last = row.progress * (sitting + 1) // row.sittings
        when = end if row.sittings == 1 else begin + (end - begin) * sitting // (row.sittings - 1)
        if done and sitting == row.sittings - 1:
            yield ListActivity(0, user_id, row.id, "completed", None, when)
        elif last >= first:
            progress = str(last) if first == last else f"{first} - {last}"
            yield ListActivity(0, user_id, row.id, verb, progress, when)
    if row.status == "PAUSED":
        yield ListActivity(0, user_id, row.id, "paused watching", None, end + 3600)
    if row.status == "DROPPED":
        yield ListActivity(0, user_id, row.id, "dropped", None, end + 3600)


def _seeds() -> Iterator[SeedPlay]:
    for show, season, first, last, when in SCROBBLED_EPISODES:
        begin = _day(when, 18)
        for number in range(first, last + 1):
            yield SeedPlay("episode", show, season, number, begin + (number - first) * 1500)
    for movie, when in SCROBBLED_MOVIES:
        yield SeedPlay("movie", movie, 0, 0, _day(when, 20))


def _mapping_ids(title: Title) -> MappingIds:
    facts = next((f for f in SHOWS if f.trakt_id == title.show), None)
    movie = next((m for m in MOVIES if m.trakt_id == title.movie), None)
    row = MappingIds(title.id, title.romaji, title.format, title.mal, title.anidb, minutes=title.minutes)
    row.episodes = title.counted or title.episodes
    if not title.mapped:
        return row
    if facts:
        row.tvdb, row.tmdb_tv, row.imdb = facts.tvdb, facts.tmdb, facts.imdb
    if movie:
        row.tmdb_movie, row.imdb = movie.tmdb, movie.imdb
    row.tmdb_tv = row.tmdb_tv or title.tmdb_tv
    row.otaku_trakt, row.tvdb_at, row.tmdb_at, row.part = title.otaku_trakt, title.tvdb_at, title.tmdb_at, title.part
    row.xml_pairs = title.xml_pairs
    if title.id == 21 and facts:
        row.xml_ranges = tuple(("tmdb", n, first, last, 1 - first) for n, first, last in facts.seasons)
    return row
