"""What placing reads from the database and writes into it. Short transactions: `READS` ids or `WRITES` rows in each.

How many statements run depends on how many parts there are, never on the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from json import JSONDecoder
from typing import Any

from sqlalchemy import Text, select, type_coerce, update
from sqlalchemy import text as sql

from jobs.mapping.chain import Catalogue
from jobs.mapping.placement import from_json
from jobs.mapping.resolver import Known
from jobs.mapping.rows import AnidbRow, AnidbRule, IdRow
from jobs.mapping.sequels import first_name
from jobs.records import Identity, Ids, Kind, MediaInfo, PartialDate, Placement, Refusal, Shape, Slot, to_json
from jobs.storing import moment
from webapp.database import among, transaction, upsert
from webapp.extensions import Base
from webapp.models import (
    AnidbMap,
    AnimeId,
    Entry,
    EntrySpan,
    EpisodeOverride,
    ListMapping,
    MappingList,
    Media,
    TraktShow,
)
from webapp.models import Mapping as MappingRow

READS = 2000
WRITES = 500
QUIET = timedelta(days=400)  # a show whose newest episode is older counts as ended, whatever Trakt says of it
_ID_LISTS = tuple(IdRow._fields.index(name) for name in ("tmdb_movie_ids", "imdb_ids"))
_ANIDB_LISTS = tuple(AnidbRow._fields.index(name) for name in ("tmdb_movie_ids", "imdb_ids"))
_RULES = AnidbRow._fields.index("rules")
_MAPPING = ("user_id", "anilist_id", "kind", "trakt_id", "tmdb_id", "imdb_id", "tvdb_id", "source", "reason", "shared", "updated_at")  # fmt: skip
_JSON = ("tmdb_movie_ids", "imdb_ids", "rules", "synonyms", "placement", "seasons")
_TITLES = {"romaji": "title_romaji", "english": "title_english", "native": "title_native"}
_MEDIA_FIELDS = tuple(MediaInfo.__dataclass_fields__)
_MEDIA = tuple(_TITLES.get(name, name) for name in _MEDIA_FIELDS)
_START, _END, _SYNONYMS = (_MEDIA_FIELDS.index(name) for name in ("start_date", "end_date", "synonyms"))
_COMPARED = ("kind", "trakt_id", "pile", "reason", "due_at", "waiting_since")
_STORED = ("id", "changed_at", "placement", *_COMPARED)
_SHOW_COLUMNS = ("trakt_id", "title", "ended", "missing", "seasons", "etag", "fetched_at")
_ID_SOURCES = ("otaku", "fribbs")
_PLAIN = {"synchronize_session": False}  # no object of the session stands for these rows
_JSON_READER = JSONDecoder()


@dataclass(slots=True)
class StoredShow:
    """One row of `trakt_shows`: `shape` is None when Trakt has no such show."""

    trakt_id: int
    shape: Shape | None
    etag: str | None
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class EntryState:
    """What placing needs of a list row."""

    row_id: int
    progress: int
    waiting_since: datetime | None


@dataclass(slots=True)
class Desk:
    """Everything that placing some entries of one person needs, read at once."""

    user_id: int
    media: dict[int, MediaInfo]
    entries: dict[int, EntryState]
    known: dict[int, Known]
    spans: dict[int, list[tuple[int, int | None, int, int]]]
    catalogue: Catalogue
    listed_spans: dict[int, list[tuple[int, int | None, int, int]]] = field(default_factory=dict)  # of subscribed lists
    missing: set[tuple[str, int]] = field(default_factory=set)  # shows that Trakt answered 404 for


def parts(ids: Collection[int], size: int = READS) -> Iterator[list[int]]:
    """Sorted ids in lists of at most `size`."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def load(user_id: int, anilist_ids: Collection[int]) -> Desk:
    """Read all that the database knows of these entries, and of every entry of the same shows."""
    entries: dict[int, EntryState] = {}
    spans: dict[int, list[tuple[int, int | None, int, int]]] = {}
    known: dict[int, Known] = {}
    listed_spans: dict[int, list[tuple[int, int | None, int, int]]] = {}
    media = _read_media(anilist_ids)
    for part in parts(anilist_ids):
        with transaction(readonly=True) as session:
            columns = (Entry.anilist_id, Entry.id, Entry.progress, Entry.waiting_since)
            mine = select(*columns).where(Entry.user_id == user_id, among(Entry.anilist_id, part))
            entries.update((anilist_id, EntryState(*rest)) for anilist_id, *rest in session.execute(mine))
            corrections = select(EntrySpan).where(EntrySpan.user_id == user_id, among(EntrySpan.anilist_id, part))
            for row in session.scalars(corrections):
                spans.setdefault(row.anilist_id, []).append((row.first, row.last, row.season, row.start))
            known.update(_known(user_id, _cells(session, MappingRow, _MAPPING, among(MappingRow.anilist_id, part))))
            in_lists = select(ListMapping, MappingList.title).join(MappingList, MappingList.id == ListMapping.list_id)
            in_lists = in_lists.where(among(ListMapping.anilist_id, part)).order_by(ListMapping.list_id.desc())
            for mapping, title in session.execute(in_lists):  # the earliest list comes last and stays
                before = known.get(mapping.anilist_id, Known())
                known[mapping.anilist_id] = replace(before, listed=_listed(mapping, title))
                listed_spans[mapping.anilist_id] = [tuple(span) for span in mapping.spans]
    catalogue = _catalogue(media)
    return Desk(user_id, media, entries, known, spans, catalogue, listed_spans)


def _read_media(anilist_ids: Collection[int]) -> dict[int, MediaInfo]:
    found: dict[int, MediaInfo] = {}
    for part in parts(anilist_ids):
        with transaction(readonly=True) as session:
            for row in _cells(session, Media, _MEDIA, among(Media.anilist_id, part)):
                cells = list(row)
                cells[_START], cells[_END] = PartialDate.parse(cells[_START]), PartialDate.parse(cells[_END])
                cells[_SYNONYMS] = _values(cells[_SYNONYMS])
                found[cells[0]] = MediaInfo(*cells)
    return found


def _cells(session: Any, model: type[Base], names: Sequence[str], where: Any) -> Sequence[Any]:
    """Columns of many rows straight from the connection: what the ORM adds for each row costs more than the reading."""
    columns = [_raw(model.__table__.columns[name]) for name in names]
    rows: Sequence[Any] = session.connection().execute(select(*columns).where(where)).all()
    return rows


def _known(user_id: int, rows: Iterable[Any]) -> dict[int, Known]:
    """The person's own row before a shared one, and the automatic one beside it."""
    manual: dict[int, tuple[bool, datetime, Identity]] = {}
    auto: dict[int, Identity] = {}
    for row in rows:
        ids = Ids(row.trakt_id, row.tmdb_id, row.imdb_id, row.tvdb_id)
        kind = "movie" if row.kind == "movie" else "show"
        identity = Identity(kind, row.trakt_id, ids, row.source, row.reason or "A person chose it.")  # type: ignore[arg-type]  # one of two words
        own = row.user_id == user_id
        if row.user_id is None:
            auto[row.anilist_id] = identity
        elif own or row.shared:
            rank = (own, row.updated_at, identity)
            before = manual.get(row.anilist_id)
            manual[row.anilist_id] = rank if before is None or rank[:2] > before[:2] else before
    return {i: Known(manual[i][2] if i in manual else None, auto.get(i)) for i in {*manual, *auto}}


def _listed(row: ListMapping, title: str) -> Identity:
    ids = Ids(row.trakt_id, row.tmdb_id, row.imdb_id, row.tvdb_id)
    kind: Kind = "movie" if row.kind == "movie" else "show"
    return Identity(kind, row.trakt_id, ids, "list", f"The list {title} gives it to the Trakt {kind} {row.trakt_id}.")


def _catalogue(media: Mapping[int, MediaInfo]) -> Catalogue:
    """Rows of the entries, of every entry of their shows, and the other source's rows of those."""
    rows: dict[int, IdRow] = {}
    mal_ids = {info.mal_id for info in media.values() if info.mal_id}
    _read_rows(rows, (AnimeId.anilist_id, set(media)), (AnimeId.mal_id, mal_ids))
    anidb = _read_anidb({i for row in rows.values() if (i := row.anidb_id)} | _named(_first_names(media, rows)))
    both: list[IdRow | AnidbRow] = [*rows.values(), *anidb.values()]
    tmdb_ids = {i for row in both if (i := row.tmdb_show_id)}
    tvdb_ids = {i for row in both if (i := row.tvdb_id)}
    trakt_ids = {row.trakt_id for row in rows.values() if row.trakt_id and row.trakt_kind == "show"}
    _read_rows(rows, (AnimeId.tmdb_show_id, tmdb_ids), (AnimeId.tvdb_id, tvdb_ids), (AnimeId.trakt_id, trakt_ids))
    more_anilist = {i for row in rows.values() if (i := row.anilist_id)} - set(media)
    more_mal = {i for row in rows.values() if (i := row.mal_id)} - mal_ids
    _read_rows(rows, (AnimeId.anilist_id, more_anilist), (AnimeId.mal_id, more_mal))
    anidb |= _read_anidb({row.anidb_id for row in rows.values() if row.anidb_id} - set(anidb))
    chain_media = dict(media) | _read_media({i for row in rows.values() if (i := row.anilist_id)} - set(media))
    ordered = sorted(rows.items(), key=lambda item: (item[1].source != "otaku", item[0]))
    return Catalogue((row for _, row in ordered), anidb, chain_media)


def _first_names(media: Mapping[int, MediaInfo], rows: Mapping[int, IdRow]) -> set[str]:
    """Names under which Anime-Lists may have the beginning of a show whose numbered sequel no row has an id for."""
    found = {info.anilist_id: name for info in media.values() if (name := first_name(info))}
    for row in rows.values():
        if row.anilist_id in found and (row.tmdb_show_id or row.tvdb_id or row.trakt_id):
            del found[row.anilist_id]
    return set(found.values())


def _named(names: Collection[str]) -> set[int]:
    """AniDB ids of the rows with exactly these names."""
    found: set[int] = set()
    ordered = sorted(names)
    for start in range(0, len(ordered), READS):
        with transaction(readonly=True) as session:
            found.update(
                session.scalars(select(AnidbMap.anidb_id).where(AnidbMap.name.in_(ordered[start : start + READS])))
            )
    return found


def _read_rows(rows: dict[int, IdRow], *wanted: tuple[Any, Collection[int]]) -> None:
    """Add the rows that any of the (column, ids) finds. Their ids are read first, so that no row is read twice."""
    ids: set[int] = set()
    of_a_source = AnimeId.source.in_(_ID_SOURCES)  # says nothing, but two of the indexes begin with it
    for column, values in wanted:
        for part in parts(values):
            where = among(column, part)
            if column in (AnimeId.anilist_id, AnimeId.mal_id):
                where = of_a_source & where
            with transaction(readonly=True) as session:
                ids.update(session.scalars(select(AnimeId.id).where(where)))
    for part in parts(ids - set(rows)):
        with transaction(readonly=True) as session:
            for row_id, *cells in _cells(session, AnimeId, ("id", *IdRow._fields), among(AnimeId.id, part)):
                for place in _ID_LISTS:
                    cells[place] = _values(cells[place])
                rows[row_id] = IdRow._make(cells)


def _raw(column: Any) -> Any:
    """A JSON column as the driver gives it: most are empty, and decoding each would cost more than all the rest."""
    return type_coerce(column, Text) if column.name in _JSON else column


def _values(raw: Any) -> tuple[Any, ...]:
    """A JSON list of a cell: text from SQLite, a list already from PostgreSQL."""
    if raw is None or raw in ("", "null", "[]"):
        return ()
    return tuple(_decoded(raw))


def _decoded(raw: Any) -> Any:
    """JSON that this app has written, so without space around it; PostgreSQL's driver has read it already."""
    return _JSON_READER.raw_decode(raw)[0] if isinstance(raw, str) else raw


def _read_anidb(ids: Collection[int]) -> dict[int, AnidbRow]:
    found: dict[int, AnidbRow] = {}
    for part in parts(ids):
        with transaction(readonly=True) as session:
            for row in _cells(session, AnidbMap, AnidbRow._fields, among(AnidbMap.anidb_id, part)):
                cells = list(row)
                cells[_RULES] = tuple(AnidbRule.from_json(rule) for rule in _values(cells[_RULES]))
                for place in _ANIDB_LISTS:
                    cells[place] = _values(cells[place])
                found[cells[0]] = AnidbRow._make(cells)
    return found


# Shows


def shows(trakt_ids: Collection[int], at: datetime) -> dict[int, StoredShow]:
    """Stored seasons by Trakt id. Regular episodes are numbers only; specials keep titles and dates."""
    found: dict[int, StoredShow] = {}
    for part in parts(trakt_ids):
        with transaction(readonly=True) as session:
            rows = _cells(session, TraktShow, _SHOW_COLUMNS, among(TraktShow.trakt_id, part))
        for trakt_id, title, ended, missing, seasons, etag, fetched_at in rows:
            shape = None if missing else _shape(trakt_id, title, _decoded(seasons) or {}, ended=ended, at=at)
            found[trakt_id] = StoredShow(trakt_id, shape, etag, fetched_at)
    return found


@lru_cache(maxsize=8192)
def _plain(number: int) -> Slot:
    """Tens of thousands of regular episodes differ by nothing but their number."""
    return Slot(number)


def _shape(trakt_id: int, title: str | None, seasons: Mapping[str, Any], *, ended: bool, at: datetime) -> Shape:
    slots: dict[int, tuple[Slot, ...]] = {}
    newest = ""
    for key, rows in seasons.items():
        season = int(key)
        if season == 0:
            slots[0] = tuple(Slot(n, episode_id, moment(aired), name, minutes) for n, episode_id, aired, name, minutes in rows)  # fmt: skip
        else:
            slots[season] = tuple(_plain(row[0]) for row in rows)
            newest = max([newest, *(row[2] for row in rows if row[2])])
    last = moment(newest or None)
    return Shape(trakt_id, slots, ended=ended or (last is not None and last < at - QUIET), title=title)


def without_regular_details(shape: Shape, at: datetime) -> Shape:
    """A shape as it was just read, with the same idea of `ended` as a stored one."""
    aired = [slot.first_aired for season, slot in shape.regular() if slot.first_aired]
    quiet = bool(aired) and max(aired) < at - QUIET
    return Shape(shape.trakt_id, shape.seasons, ended=shape.ended or quiet, title=shape.title)


def save_shows(read: Sequence[tuple[int, Shape | None, str | None]], unchanged: Collection[int], at: datetime) -> None:
    """Store seasons as they were read (None: Trakt has no such show), and when those that had not changed were seen."""
    if not read and not unchanged:
        return
    with transaction() as session:
        for trakt_id, shape, etag in read:
            values: dict[str, Any] = {"missing": shape is None, "etag": etag, "fetched_at": at}
            if shape is not None:
                values |= {"seasons": _seasons_json(shape), "ended": shape.ended}
            statement = upsert(TraktShow).values({"trakt_id": trakt_id, "seasons": {}, "ended": False, **values})
            session.execute(statement.on_conflict_do_update(index_elements=["trakt_id"], set_=values))
        if unchanged:
            session.execute(update(TraktShow).where(TraktShow.trakt_id.in_(unchanged)).values(fetched_at=at))


def _seasons_json(shape: Shape) -> dict[str, list[list[Any]]]:
    return {
        str(season): [[s.number, s.trakt_episode_id, to_json(s.first_aired), s.title, s.runtime] for s in slots]
        for season, slots in shape.seasons.items()
    }


def save_titles(identities: Iterable[Identity], titles: Mapping[int, tuple[str | None, int | None]]) -> None:
    """Fill in title, year and ids of stored shows where Trakt's search gave them."""
    rows = [i for i in {i.trakt_id: i for i in identities if i.kind == "show"}.values() if i.trakt_id in titles]
    if not rows:
        return
    with transaction() as session:
        for identity in rows:
            title, year = titles[identity.trakt_id]
            ids = identity.ids
            session.execute(
                update(TraktShow)
                .where(TraktShow.trakt_id == identity.trakt_id)
                .values(title=title, year=year, tmdb_id=ids.tmdb_id, tvdb_id=ids.tvdb_id, imdb_id=ids.imdb_id)
            )


def overrides(trakt_ids: Collection[int]) -> dict[int, dict[int, tuple[int, int]]]:
    """Rows of `episode_override` by show: {trakt_id: {abs: (season, episode)}}."""
    found: dict[int, dict[int, tuple[int, int]]] = {}
    with transaction(readonly=True) as session:
        for row in session.scalars(select(EpisodeOverride)):
            if row.trakt_id in trakt_ids:
                found.setdefault(row.trakt_id, {})[row.abs] = (row.season, row.episode)
    return found


# Results


def save_identities(identities: Mapping[int, Identity], known: Mapping[int, Known], at: datetime) -> None:
    """Write automatic mappings that are new or changed; people's rows are never touched."""
    changed = {
        anilist_id: identity
        for anilist_id, identity in identities.items()
        if identity.source not in ("manual", "list")
        and (i := known.get(anilist_id, Known())).manual is None
        and i.auto != identity
    }
    for part in parts(changed, WRITES):
        values = [
            {
                "user_id": None,
                "anilist_id": i,
                "kind": changed[i].kind,
                "trakt_id": changed[i].trakt_id,
                "tmdb_id": changed[i].ids.tmdb_id,
                "imdb_id": changed[i].ids.imdb_id,
                "tvdb_id": changed[i].ids.tvdb_id,
                "source": changed[i].source,
                "reason": changed[i].reason,
                "shared": False,
                "created_at": at,
                "updated_at": at,
            }
            for i in part
        ]
        statement = upsert(MappingRow).values(values)
        changing = [name for name in values[0] if name not in ("user_id", "anilist_id", "shared", "created_at")]
        with transaction() as session:
            session.execute(
                statement.on_conflict_do_update(
                    index_elements=["anilist_id"],
                    index_where=sql("user_id IS NULL"),
                    set_={name: statement.excluded[name] for name in changing},
                )
            )


def save_results(
    desk: Desk, results: Mapping[int, Placement | Refusal], states: Mapping[int, dict[str, Any]], at: datetime
) -> None:
    """Write where each entry stands into its list row; `states` holds pile, reason, due_at and waiting_since.

    What a person changed after `at`, when placing began, keeps its row: the next look at it knows of the change.
    """
    listed = [i for i in results if i in desk.entries]
    for part in parts(listed, WRITES):
        rows = [
            {
                "id": desk.entries[i].row_id,
                "kind": results[i].kind,
                "trakt_id": results[i].trakt_id,
                "placement": to_json(results[i]),
                "placed_at": at,
                **states[i],
            }
            for i in part
        ]
        with transaction() as session:
            stored = select(*(_raw(getattr(Entry, name)) for name in _STORED)).where(
                among(Entry.id, [row["id"] for row in rows])
            )
            before = {row.id: row for row in session.execute(stored.with_for_update())}
            rows = [row for row in rows if not ((since := before[row["id"]].changed_at) and since > at)]
            known = {row["id"] for row in rows if _is_stored(before[row["id"]], row)}
            if known:
                session.execute(
                    update(Entry).where(among(Entry.id, sorted(known))).values(placed_at=at), execution_options=_PLAIN
                )
            if moved := [row for row in rows if row["id"] not in known]:
                session.execute(update(Entry), moved)


def _is_stored(before: Any, row: Mapping[str, Any]) -> bool:
    """Whether the list row says this already; most do when everything is looked at again."""
    known = all(getattr(before, name) == row[name] for name in _COMPARED)
    return known and bool(_decoded(before.placement) == row["placement"])


def stored_placement(entry: Entry) -> Placement | Refusal | None:
    """The placement or refusal in an entry's row; None when it was not looked at yet."""
    return from_json(entry.placement) if entry.pile is not None else None
