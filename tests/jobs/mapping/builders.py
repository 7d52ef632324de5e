"""Made-up rows for tests of placing: chains, shapes and answers, with as few words as possible."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from jobs.mapping.chain import Catalogue, Link, order
from jobs.mapping.placement import place_show
from jobs.mapping.resolver import Match
from jobs.mapping.rows import AnidbRow, AnidbRule, IdRow
from jobs.records import Ids, Kind, MediaInfo, PartialDate, Placement, Refusal, Shape, Slot

TMDB, TVDB, TRAKT = 900, 700, 500


def media(anilist_id: int, episodes: int | None = 12, **more: object) -> MediaInfo:
    values: dict[str, object] = {"format": "TV", "status": "FINISHED", "romaji": f"Title {anilist_id}"}
    return MediaInfo(anilist_id, episodes=episodes, **{**values, **more})  # type: ignore[arg-type]  # made up


def fribbs(anilist_id: int, season: int | None, offset: int = 0, **more: object) -> IdRow:
    """A Fribbs row with the same place on TMDB and TVDB."""
    values: dict[str, object] = {
        "tmdb_show_id": TMDB,
        "tvdb_id": TVDB,
        "season_tmdb": season,
        "season_tvdb": season,
        "offset_tmdb": offset or None,
        "offset_tvdb": offset or None,
    }
    return IdRow("fribbs", anilist_id, **{**values, **more})  # type: ignore[arg-type]  # made up


def otaku(anilist_id: int, season: str | None, first: int = 1, **more: object) -> IdRow:
    values: dict[str, object] = {"trakt_id": TRAKT, "trakt_kind": "show", "tvdb_id": TVDB, "tmdb_show_id": TMDB}
    return IdRow("otaku", anilist_id, tvdb_season=season, global_from=first, **{**values, **more})  # type: ignore[arg-type]  # made up


def link(
    anilist_id: int,
    season: int | None,
    offset: int = 0,
    episodes: int | None = 12,
    *,
    rules: Iterable[AnidbRule] = (),
    rows: dict[str, object] | None = None,
    **more: object,
) -> Link:
    """One entry of a chain: sources say `season` and `offset`; `more` goes to its media, `rows` to its Fribbs row."""
    rules = tuple(rules)
    return Link(
        anilist_id,
        fribbs=fribbs(anilist_id, season, offset, **(rows or {})) if season is not None else None,
        anidb=AnidbRow(anilist_id, tmdb_show_id=TMDB, tvdb_id=TVDB, rules=rules) if rules else None,
        media=media(anilist_id, episodes, **more),
    )


def shape(
    *sizes: int, first: dict[int, int] | None = None, specials: int | Iterable[Slot] = 0, ended: bool = True
) -> Shape:
    """A show with seasons of these sizes, 1, 2, 3, ...; `first` gives the first number of a season other than 1."""
    seasons = {
        season: tuple(Slot((first or {}).get(season, 1) + i) for i in range(size))
        for season, size in enumerate(sizes, 1)
    }
    extra = tuple(Slot(i + 1) for i in range(specials)) if isinstance(specials, int) else tuple(specials)
    return Shape(TRAKT, {**({0: extra} if extra else {}), **seasons}, ended=ended)


def place(links: Iterable[Link], on: Shape) -> dict[int, Placement | Refusal]:
    """Results of a whole chain by AniList id."""
    return dict(place_show(TRAKT, sorted(links, key=order), on).results)


def spans(result: Placement | Refusal) -> list[tuple[int, int, int, int]]:
    """(first, last, season, start) of each span."""
    assert isinstance(result, Placement), result
    return [(s.first, s.last, s.season, s.start) for s in result.spans]


def match(
    kind: Kind, trakt_id: int, *, title: str = "Title", year: int | None = 2010, tmdb: int | None = None
) -> Match:
    return Match(kind, trakt_id, title, year, Ids(trakt_id, tmdb))


def catalogue(*rows: IdRow, anidb: Iterable[AnidbRow] = ()) -> Catalogue:
    return Catalogue(sorted(rows, key=lambda row: row.source != "otaku"), {row.anidb_id: row for row in anidb})


def day(year: int, month: int, number: int) -> PartialDate:
    return PartialDate(year, month, number)


def moment(year: int, month: int, number: int) -> datetime:
    return datetime(year, month, number, 15, tzinfo=UTC)
