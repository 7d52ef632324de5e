"""Placing: identity, seasons and placement of a person's entries, kept in the database.

Few questions go out: identities that the caches cannot give, seasons of shows whose shape decides something and is
not at hand or too old, and the length of entries that stand before another one in a merged season.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from jobs import piles
from jobs import placing_store as store
from jobs.library_rows import store_media
from jobs.lookups import ExternalIds, PublicTrakt, answer, in_parallel
from jobs.mapping.chain import Link
from jobs.mapping.corrections import by_hand, by_list, overridden, with_progress
from jobs.mapping.placement import place_movie, place_show
from jobs.mapping.resolver import Answers, Ask, Asking, Known, Lookup, Match, resolve
from jobs.placing_store import Desk, StoredShow, stored_placement
from jobs.records import Identity, MediaInfo, Pile, Placement, Reason, Refusal, Shape, Slot
from jobs.tmdb_specials import filled
from webapp.models import utcnow

__all__ = ["PlacingClients", "place_entries", "stored_placement"]

SAVE_EVERY = 40  # shows that were read, before they are stored
AGE_AIRING, AGE_QUIET, AGE_ENDED = timedelta(hours=20), timedelta(days=7), timedelta(days=30)
MONTH = timedelta(days=30)
SHORT = 13  # a single entry of so few episodes is never split over seasons


@dataclass(frozen=True, slots=True)
class PlacingClients:
    """Who is asked: Trakt without a token, AniList for media by id, TMDB when there is a key."""

    public: PublicTrakt
    media: Callable[[Sequence[int]], list[MediaInfo]]
    tmdb: ExternalIds | None = None


@dataclass(slots=True)
class Work:
    """One go: what was read, what was answered, what came of it."""

    desk: Desk
    clients: PlacingClients
    at: datetime
    single: bool
    answers: dict[Lookup, tuple[Match, ...]] = field(default_factory=dict)
    identities: dict[int, Identity] = field(default_factory=dict)
    results: dict[int, Placement | Refusal] = field(default_factory=dict)
    shows: dict[int, StoredShow] = field(default_factory=dict)
    doubted: set[int] = field(default_factory=set)  # shows of Otaku that do not bear out what the sources say
    assumed: dict[int, Shape] = field(default_factory=dict)  # shows whose shape cannot change the answer

    def shape(self, trakt_id: int) -> Shape | None:
        stored = self.shows.get(trakt_id)
        return stored.shape if stored else self.assumed.get(trakt_id)


def place_entries(
    user_id: int,
    anilist_ids: Collection[int],
    clients: PlacingClients,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[int, Placement | Refusal]:
    """Where these entries stand, as of now; also written into the person's list rows, where there are any.

    Every id must have a row in `media`. Needs an application context and no open transaction. Raises what the
    clients raise; what was learned until then is stored.
    """
    ids = sorted(set(anilist_ids))
    report = on_progress or (lambda _done, _total: None)
    at = utcnow()  # before anything is read: what changes later is for the next look
    work = Work(store.load(user_id, ids), clients, at, single=len(ids) == 1)
    report(0, len(ids))
    try:
        _find_shows(work, ids, lambda done: report(min(done, len(ids)), len(ids)))
    finally:
        store.save_identities(work.identities, work.desk.known, work.at)
    _place(work)
    _look_twice(work)
    _keep_titles(work)
    _finish(work)
    report(len(ids), len(ids))
    return work.results


def _find_shows(work: Work, ids: Sequence[int], report: Callable[[int], None]) -> None:
    """Identities and seasons; an entry whose show is gone from Trakt is looked for once more without that show."""
    pending = [i for i in ids if i in work.desk.media]
    while pending:
        _identify(work, pending)
        gone = _read_shows(work, report)
        pending = [
            anilist_id
            for anilist_id in pending
            if (found := work.identities.get(anilist_id)) is not None
            and found.kind == "show"
            and found.trakt_id in gone
            and not _chosen(work, anilist_id)
        ]
        for anilist_id in pending:
            del work.identities[anilist_id]


def _keep_titles(work: Work) -> None:
    """What Trakt's search called the shows, for the pages."""
    matches = [match for answer_ in work.answers.values() for match in answer_ if match.kind == "show"]
    store.save_titles(
        work.identities.values(), {m.trakt_id: (m.title, m.year) for m in matches if m.trakt_id is not None}
    )


def _chosen(work: Work, anilist_id: int) -> bool:
    """Whether a person chose the show: then another one is never looked for."""
    return work.desk.known.get(anilist_id, Known()).manual is not None


# Identity


def _identify(work: Work, ids: Collection[int]) -> None:
    """Resolve, answer what is asked, resolve again, until nothing is asked any more."""
    pending = list(ids)
    while pending:
        asked: dict[Lookup, None] = {}
        waiting: list[int] = []
        for anilist_id in pending:
            found = resolve(
                work.desk.catalogue.link(work.desk.media[anilist_id]),
                work.desk.catalogue,
                work.desk.known.get(anilist_id, Known()),
                _asking(work),
            )
            if isinstance(found, Ask):
                asked.update(dict.fromkeys(found.lookups))
                waiting.append(anilist_id)
            elif isinstance(found, Identity):
                work.identities[anilist_id] = found
                work.results.pop(anilist_id, None)
            else:
                work.results[anilist_id] = found
        for lookup, matches in in_parallel(asked, lambda one: answer(work.clients.public, work.clients.tmdb, one)):
            work.answers[lookup] = matches
        pending = waiting


def _asking(work: Work) -> Asking:
    answers: Answers = work.answers
    return Asking(answers, work.desk.missing, work.doubted, tmdb=work.clients.tmdb is not None)


# Seasons


def _read_shows(work: Work, report: Callable[[int], None]) -> set[int]:
    """Have the seasons of every show at hand; what Trakt does not have is the answer."""
    by_show: dict[int, list[int]] = defaultdict(list)
    for anilist_id, identity in work.identities.items():
        if identity.kind == "show":
            by_show[identity.trakt_id].append(anilist_id)
    new = {i for i in by_show if i not in work.shows and i not in work.assumed}
    work.shows.update(store.shows(new, work.at))
    corrected = set(store.overrides(new))
    wanted: dict[int, str | None] = {}
    for trakt_id in sorted(new):
        stored = work.shows.get(trakt_id)
        if stored is not None and not _is_old(work, stored, by_show[trakt_id]):
            continue
        shape = None if stored or trakt_id in corrected else _assumed(work, trakt_id, by_show[trakt_id])
        if shape is not None:
            work.assumed[trakt_id] = shape
            continue
        wanted[trakt_id] = stored.etag if stored and stored.shape is not None else None
    _fetch(work, wanted, report)
    gone = {i for i in by_show if (found := work.shows.get(i)) is not None and found.shape is None}
    work.desk.missing.update(("show", i) for i in gone)
    return gone


def _is_old(work: Work, stored: StoredShow, ids: Collection[int]) -> bool:
    """Older than its kind may be: a day while one of the entries airs, a week, a month for ended and missing shows."""
    age = work.at - stored.fetched_at
    if stored.shape is None:
        return age > MONTH
    media = (work.desk.media[i] for i in ids)
    if any(info.status in ("RELEASING", "NOT_YET_RELEASED", "HIATUS") for info in media):
        return age > AGE_AIRING
    return age > (AGE_ENDED if stored.shape.ended else AGE_QUIET)


def _assumed(work: Work, trakt_id: int, ids: Collection[int]) -> Shape | None:
    """One season of the entry's length, where no shape that Trakt may list can lead to another answer.

    That is so for the only regular entry of a show that Trakt itself named, finished and short, when both
    numberings say season 1 from episode 1. Looking at one title always reads its seasons.
    """
    if work.single or len(ids) != 1:
        return None
    anilist_id = next(iter(ids))
    link = work.desk.catalogue.link(work.desk.media[anilist_id])
    length = link.episodes or 0
    plain = {s.side for s in link.sayings} == {"tmdb", "tvdb"} and all(
        s.season == 1 and not s.offset and not s.rules for s in link.sayings
    )
    if not plain or not 0 < length <= SHORT or not link.media or link.media.status != "FINISHED":
        return None
    if not work.identities[anilist_id].source.startswith("trakt_"):
        return None
    if any(other is not link and (other.is_regular or not other.sayings) for other in _chain(work, trakt_id, [link])):
        return None
    return Shape(trakt_id, {1: tuple(Slot(number) for number in range(1, length + 1))})


def _fetch(work: Work, wanted: dict[int, str | None], report: Callable[[int], None]) -> None:
    read: list[tuple[int, Shape | None, str | None]] = []
    unchanged: list[int] = []

    def save() -> None:
        store.save_shows(read, unchanged, work.at)
        read.clear()
        unchanged.clear()

    try:
        replies = in_parallel(wanted.items(), lambda item: work.clients.public.seasons(item[0], item[1]))
        for done, ((trakt_id, _), reply) in enumerate(replies, 1):
            if reply.not_modified:
                unchanged.append(trakt_id)
            else:
                listed = None if reply.missing else reply.shape
                if listed is not None:
                    listed = filled(listed, _tmdb_of_specials(work, trakt_id), work.clients.tmdb)
                shape = None if listed is None else store.without_regular_details(listed, work.at)
                read.append((trakt_id, listed, reply.etag))
                work.shows[trakt_id] = StoredShow(trakt_id, shape, reply.etag, work.at)
            if len(read) + len(unchanged) >= SAVE_EVERY:
                save()
            report(done)
    finally:
        save()


def _tmdb_of_specials(work: Work, trakt_id: int) -> int | None:
    """The show's TMDB id, if one of the entries that are placed here is a special."""
    for anilist_id, identity in work.identities.items():
        if identity.kind == "show" and identity.trakt_id == trakt_id:
            link = work.desk.catalogue.link(work.desk.media[anilist_id])
            if link.sayings and not link.is_regular and (link.tmdb_show_id or identity.ids.tmdb_id):
                return link.tmdb_show_id or identity.ids.tmdb_id
    return None


# Placement


def _chain(work: Work, trakt_id: int, links: Sequence[Link]) -> list[Link]:
    """The whole chain of a show, with these entries in it."""
    tmdb_ids = {i for link in links if (i := link.tmdb_show_id)}
    tvdb_ids = {i for link in links if (i := link.tvdb_id)}
    return work.desk.catalogue.chain(trakt_id, tmdb_ids, tvdb_ids, links)


def _link(work: Work, anilist_id: int) -> Link:
    """The entry's link. Where a person or a list chose another show than the sources mean, what they say of it counts nothing."""
    link = work.desk.catalogue.link(work.desk.media[anilist_id])
    known = work.desk.known.get(anilist_id, Known())
    manual = known.manual or known.listed
    if manual is None or manual.kind == "movie" or link.otaku_show == manual.trakt_id:
        return link
    peers = work.desk.catalogue.shows_of_tmdb(link.tmdb_show_id)
    same = manual.ids.tmdb_id is not None and manual.ids.tmdb_id == link.tmdb_show_id
    if same or manual.trakt_id in peers or not (peers or link.otaku_show):
        return link
    return Link(anilist_id, link.mal_id, media=link.media)


def _place(work: Work) -> None:
    """Place all shows; then once more those where AniList's length of an earlier entry was missing."""
    by_show: dict[int, list[Link]] = defaultdict(list)
    for anilist_id, identity in work.identities.items():
        link = _link(work, anilist_id)
        if identity.kind == "movie":
            work.results[anilist_id] = place_movie(link, identity)
        else:
            by_show[identity.trakt_id].append(link)
    needs: dict[int, set[int]] = {}
    for trakt_id, links in by_show.items():
        needs[trakt_id] = _place_show(work, trakt_id, links)
    lengths = set().union(*needs.values())
    if not lengths:
        return
    found = work.clients.media(sorted(lengths))
    store_media(found)
    for info in found:
        work.desk.catalogue.link(info)
    for trakt_id, missing in needs.items():
        if missing:
            _place_show(work, trakt_id, by_show[trakt_id])


def _place_show(work: Work, trakt_id: int, links: Sequence[Link]) -> set[int]:
    """Place the entries of one show; AniList ids whose length would settle more."""
    shape = work.shape(trakt_id)
    if shape is None:
        for link in links:
            detail = f"Trakt has no show {trakt_id}, which a person chose for it."
            work.results[link.key] = Refusal(link.key, Pile.NEEDS_YOU, Reason.NOT_ON_TRAKT, detail, kind="show", trakt_id=trakt_id)  # fmt: skip
        return set()
    chosen = {link.key for link in links if _chosen(work, link.key) or work.identities[link.key].source == "list"}
    places = place_show(trakt_id, _chain(work, trakt_id, links), shape, chosen=chosen)
    work.results.update((link.key, places.results[link.key]) for link in links)
    return set(places.needs)


def _look_twice(work: Work) -> None:
    """Where the seasons of Otaku's show have no place for an entry, ask Trakt whether its TMDB id is another show."""
    doubtful = [
        anilist_id
        for anilist_id, result in work.results.items()
        if isinstance(result, Refusal)
        and result.reason in (Reason.SEASON_UNKNOWN, Reason.PAST_THE_END)
        and (identity := work.identities.get(anilist_id)) is not None
        and identity.source == "otaku"
        and identity.ids.tmdb_id is not None
    ]
    if not doubtful:
        return
    before, refused = dict(work.identities), {i: work.results[i] for i in doubtful}
    work.doubted.update(before[i].trakt_id for i in doubtful)
    for anilist_id in doubtful:
        del work.identities[anilist_id]
    _find_shows(work, doubtful, lambda _done: None)
    if work.identities == before:
        work.results.update(refused)
        return
    store.save_identities(work.identities, work.desk.known, work.at)
    _place(work)


# What one person adds


def _finish(work: Work) -> None:
    """Corrections, progress and due dates on top; then everything into the list rows."""
    corrections = store.overrides({i.trakt_id for i in work.identities.values() if i.kind == "show"})
    states: dict[int, dict[str, Any]] = {}
    for anilist_id, result in work.results.items():
        media = work.desk.media[anilist_id]
        entry = work.desk.entries.get(anilist_id)
        identity = work.identities.get(anilist_id)
        final = _corrected(work, result, identity, corrections)
        if isinstance(final, Placement):
            final = with_progress(final, media, entry.progress if entry else 0)
        final, states[anilist_id] = piles.settled(final, media, entry, work.at)
        work.results[anilist_id] = final
    store.save_results(work.desk, work.results, states, work.at)


def _corrected(
    work: Work,
    result: Placement | Refusal,
    identity: Identity | None,
    corrections: dict[int, dict[int, tuple[int, int]]],
) -> Placement | Refusal:
    """`entry_spans` win over `episode_override`, which wins over a subscribed list, which wins over what was found."""
    if identity is not None and identity.source == "list":
        rows_of_list = work.desk.listed_spans.get(result.anilist_id, ())
        result = by_list(result, identity, rows_of_list, work.desk.media[result.anilist_id].episodes)
    if identity is None or identity.kind != "show":
        return result
    shape = work.shape(identity.trakt_id)
    rows = corrections.get(identity.trakt_id)
    if rows and shape and isinstance(result, Placement):
        result = overridden(result, rows, shape)
    spans = work.desk.spans.get(result.anilist_id)
    if spans:
        return by_hand(result.anilist_id, identity.trakt_id, spans, work.desk.media[result.anilist_id].episodes, result)
    return result
