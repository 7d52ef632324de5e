"""Frozen records that travel between stages. They know no framework, no table and no service.

Ids of different services have different names; times are aware UTC; a date of AniList may be partial.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Literal

Kind = Literal["show", "movie"]


class Pile(StrEnum):
    """Where an entry lies (DESIGN 5). Only `needs_you` counts in badges and in `review`."""

    PLACED = "placed"
    NEEDS_YOU = "needs_you"  # there are candidates to choose from
    NO_MATCH = "no_match"  # no source has an id, or not on Trakt: looked at again monthly
    WAITING = "waiting"  # the place is known, Trakt does not list the episode yet


class Reason(StrEnum):
    """Why an entry, or some of its episodes, did not go to Trakt. Each has its sentence in `webapp/words.py`."""

    # no_match
    NO_ID = "no_id"  # no source knows an id for this title
    NOT_ON_TRAKT = "not_on_trakt"  # ids are known, Trakt lists none of them
    MUSIC = "music"  # music videos are not on Trakt
    # needs_you
    SOURCES_DISAGREE = "sources_disagree"  # two sources name two places
    SPECIAL_UNCONFIRMED = "special_unconfirmed"  # a bare special number, confirmed by nothing
    SEASON_UNKNOWN = "season_unknown"  # the show is known, its season is not
    PAST_THE_END = "past_the_end"  # the episodes run past what Trakt lists for an ended show
    CLAIMED_BY_OTHER = "claimed_by_other"  # another entry of the same show stands there
    LENGTH_UNKNOWN = "length_unknown"  # an earlier entry of the chain has no known length
    ABOVE_EPISODES = "above_episodes"  # progress counts above the entry's episodes
    WRONG_KIND = "wrong_kind"  # the id belongs to something that is no match (live action, other medium)
    TRAKT_REFUSED = "trakt_refused"  # Trakt answered not_found for what was posted
    MISPLACED = "misplaced"  # the place changed after plays were sent
    # waiting
    NOT_LISTED_YET = "not_listed_yet"  # Trakt does not list the episode yet
    STILL_AIRING = "still_airing"  # the entry airs and its length is not known
    # outcomes that are no refusal
    SHARED_WITH = "shared_with"  # another entry holds this movie or episode already
    PRIVATE = "private"  # private entries are not sent unless the account says so
    NEVER = "never"  # the person said: never send this title
    LEFT_TO_SCROBBLER = "left_to_scrobbler"  # the person said: my scrobbler does this one
    FILTERED = "filtered"  # its format, its list or its being adult is left out in the settings
    BEFORE_DATE = "before_date"  # was watched before the day from which on plays are sent
    HELD = "held"  # removed by the person or by Undo; only "send again" clears it
    LEFT_OUT = "left_out"  # unticked in the preview
    WATCH_ONLY_ONCE = "watch_only_once"  # Trakt is set to count one play only


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date of AniList; any part may be missing. `full` only when all three are there and valid."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    @property
    def full(self) -> date | None:
        try:
            return date(self.year or 0, self.month or 0, self.day or 0)
        except ValueError:
            return None

    def __str__(self) -> str:
        if not self.year:
            return ""
        if not self.month:
            return f"{self.year:04d}"
        return f"{self.year:04d}-{self.month:02d}" + (f"-{self.day:02d}" if self.day else "")

    @classmethod
    def parse(cls, value: str | None) -> PartialDate:
        """The inverse of `str`: "", "2011", "2011-04", "2011-04-03"."""
        parts = [int(part) for part in (value or "").split("-") if part]
        return cls(*parts[:3])


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """One AniList anime."""

    anilist_id: int
    mal_id: int | None = None
    format: str | None = None  # TV, TV_SHORT, MOVIE, SPECIAL, OVA, ONA, MUSIC
    status: str | None = None  # FINISHED, RELEASING, NOT_YET_RELEASED, CANCELLED, HIATUS
    episodes: int | None = None
    duration: int | None = None  # minutes
    season_year: int | None = None
    start_date: PartialDate = PartialDate()
    end_date: PartialDate = PartialDate()
    romaji: str | None = None
    english: str | None = None
    native: str | None = None
    synonyms: tuple[str, ...] = ()
    is_adult: bool = False
    cover_url: str | None = None
    cover_color: str | None = None
    next_episode: int | None = None
    next_airing_at: datetime | None = None

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(t for t in (self.romaji, self.english, self.native, *self.synonyms) if t))

    @property
    def year(self) -> int | None:
        return self.start_date.year or self.season_year


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One row of an AniList list."""

    media: MediaInfo
    list_entry_id: int
    status: str  # CURRENT, PLANNING, COMPLETED, DROPPED, PAUSED, REPEATING
    progress: int
    repeat: int = 0
    score: int = 0  # 0 to 100, whatever scale the person uses; 0: none
    private: bool = False
    hidden: bool = False
    custom_lists: tuple[str, ...] = ()
    started: PartialDate = PartialDate()
    completed: PartialDate = PartialDate()
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def anilist_id(self) -> int:
        return self.media.anilist_id


@dataclass(frozen=True, slots=True)
class Activity:
    """One list activity: "watched episode 3 - 5" -> first 3, last 5; "completed" -> first and last None."""

    activity_id: int
    anilist_id: int
    status: str  # free text, such as "watched episode", "rewatched episode", "completed"
    first: int | None
    last: int | None
    created_at: datetime
    episodes: int | None = None  # length of the title, when known


@dataclass(frozen=True, slots=True)
class Ids:
    """What other services call a show or movie."""

    trakt_id: int | None = None
    tmdb_id: int | None = None
    imdb_id: str | None = None
    tvdb_id: int | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Which show or movie an entry is, with the source that decided and one sentence why."""

    kind: Kind
    trakt_id: int
    ids: Ids
    source: str  # manual, otaku, fribbs, tmdb, trakt_tmdb, trakt_imdb, trakt_tvdb, title_year
    reason: str


@dataclass(frozen=True, slots=True)
class Slot:
    """One episode as Trakt lists it."""

    number: int
    trakt_episode_id: int | None = None
    first_aired: datetime | None = None
    title: str | None = None
    runtime: int | None = None  # minutes


@dataclass(frozen=True, slots=True)
class Shape:
    """The seasons of one Trakt show, numbers as Trakt has them, in ascending order. Season 0 holds the specials."""

    trakt_id: int
    seasons: Mapping[int, tuple[Slot, ...]]
    ended: bool = False
    title: str | None = None

    def regular(self) -> list[tuple[int, Slot]]:
        """All regular episodes in Trakt's order: (season, slot)."""
        return [(s, slot) for s in sorted(self.seasons) if s > 0 for slot in self.seasons[s]]


@dataclass(frozen=True, slots=True)
class Span:
    """Episodes first..last of an entry stand on Trakt from (season, start) on, number by number."""

    first: int
    last: int
    season: int
    start: int

    def number_of(self, episode: int) -> int:
        return self.start + episode - self.first


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that a person may choose, with one line of evidence."""

    kind: Kind
    trakt_id: int
    spans: tuple[Span, ...]
    source: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one entry's episodes stand on Trakt. A movie has no spans. Episodes outside of all spans are in `open`."""

    anilist_id: int
    kind: Kind
    trakt_id: int
    spans: tuple[Span, ...]
    source: str  # who decided: manual, override, fribbs, otaku, anime_lists, trakt_shape, tmdb, movie
    rule: str  # short name of the rule that decided
    reason: str  # one sentence for the person
    certainty: Literal["sure", "likely"] = "sure"
    sources: Mapping[str, str] = field(default_factory=dict)  # what each source said: {"fribbs": "S2 E1"}
    open: tuple[OpenEpisodes, ...] = ()  # episodes with no place yet, with the reason

    def place_of(self, episode: int) -> tuple[int, int] | None:
        """(season, number) of an episode, or None."""
        for span in self.spans:
            if span.first <= episode <= span.last:
                return span.season, span.number_of(episode)
        return None


@dataclass(frozen=True, slots=True)
class OpenEpisodes:
    """Episodes of a placed entry that have no place of their own yet."""

    first: int
    last: int
    pile: Pile
    reason: Reason
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an entry was not placed: named, in its pile, with what a person can choose from."""

    anilist_id: int
    pile: Pile
    reason: Reason
    detail: str  # one sentence
    candidates: tuple[Candidate, ...] = ()
    kind: Kind | None = None
    trakt_id: int | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """What Trakt has of one episode or movie."""

    plays: int
    last_watched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that a Trakt account has watched, from one complete reading."""

    account_id: str
    began_at: datetime
    activities: Mapping[str, str]  # watched_at of last_activities: {"episodes": iso, "movies": iso}
    episodes: Mapping[tuple[int, int, int], Watched]  # (trakt show id, season, number)
    movies: Mapping[int, Watched]  # trakt movie id

    def plays_of(self, kind: str, trakt_id: int, season: int, number: int) -> int:
        row = self.movies.get(trakt_id) if kind == "movie" else self.episodes.get((trakt_id, season, number))
        return row.plays if row else 0

    @property
    def total(self) -> int:
        return sum(w.plays for w in self.episodes.values()) + sum(w.plays for w in self.movies.values())


@dataclass(frozen=True, slots=True)
class Play:
    """One play that a plan wants on Trakt: both ends and its exact time (None: sent as "unknown")."""

    anilist_id: int
    episode: int
    nth: int
    kind: Literal["episode", "movie"]
    trakt_id: int
    season: int  # 0 for movies
    number: int  # 0 for movies
    target_nth: int
    before: int  # plays that Trakt had of it when this was planned
    watched_at: datetime | None
    date_source: str

    @property
    def source_key(self) -> tuple[int, int, int]:
        return self.anilist_id, self.episode, self.nth

    @property
    def target_key(self) -> tuple[str, int, int, int, int]:
        return self.kind, self.trakt_id, self.season, self.number, self.target_nth


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What a plan says of one entry that sends, waits, is refused or needs the person."""

    anilist_id: int
    outcome: str  # see models.RunItem.outcome
    reason: Reason | None = None
    wanted: int = 0
    new: int = 0
    already: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. Deterministic: the same input gives the same plan."""

    plays: tuple[Play, ...]
    items: tuple[ItemOutcome, ...]
    found: int  # entries looked at
    already_entries: int  # entries that need nothing
    settled: Mapping[int, int]  # anilist_id -> last_abs that sync_progress may hold now


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one POST of plays."""

    status: Literal["applied", "refused", "doubt"]
    added: int = 0  # added + updated, plays
    http_status: int | None = None
    code: str | None = None  # run reason of DESIGN 7 when the run must stop or wait
    detail: str = ""
    retry_after: float | None = None
    not_found: Sequence[Mapping[str, Any]] = ()
    elapsed: float = 0.0  # seconds
    readable: bool = False  # a 2xx with a whole JSON body came: what it leaves out was refused, not lost


def to_json(record: Any) -> Any:
    """A record as plain JSON values: spans as {"from", "to", "season", "start"}, times as ISO with Z."""
    if record is None or type(record) in (str, int, bool, float):  # most values, and looking at abstract types is slow
        return record
    if isinstance(record, Span):
        return {"from": record.first, "to": record.last, "season": record.season, "start": record.start}
    if isinstance(record, datetime):
        return record.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(record, date | PartialDate):
        return str(record)
    if isinstance(record, StrEnum):
        return record.value
    if isinstance(record, Mapping):
        return {str(key): to_json(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [to_json(value) for value in record]
    if hasattr(record, "__dataclass_fields__"):
        return {name: to_json(getattr(record, name)) for name in record.__dataclass_fields__}
    return record
