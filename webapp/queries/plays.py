"""The ledger as people read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from sqlalchemy import BigInteger, cast, extract, func, select

from webapp import picture_file
from webapp.database import among, unindexed
from webapp.extensions import db
from webapp.models import Connection, Entry, Media, PlayRow, Run, TraktPicture, TraktShow
from webapp.queries.library import matches, matching_titles

ON_HOLD = ("gone", "removed", "rejected")
FEW = 400  # titles whose plays are looked up one title after the other; of more, the newest plays are looked through
LOOKED_THROUGH = 2000  # newest plays that a search of many titles tries first
PLAY_FILTERS = {"sent": ("sent",), "hold": ON_HOLD, "open": ("planned", "sending", "removing")}


@dataclass(frozen=True)
class PlayPage:
    """`plays` newest first; `next` is the id to go on before."""

    plays: Sequence[tuple[PlayRow, Media | None, str | None]]  # the last: the show as Trakt calls it
    next: int | None


def history(
    user_id: int,
    *,
    q: str = "",
    state: str = "",
    anilist_id: int | None = None,
    run_id: int | None = None,
    before: int | None = None,
    limit: int = 40,
) -> PlayPage:
    """Plays of the ledger, newest first; the search looks at every title and synonym. One query, with a search two or three.

    The plays of the page are found first, in the index that suits what is asked; then they are read in full.
    """
    rare = anilist_id is not None or run_id is not None or state in ("hold", "open")
    where = [(unindexed(PlayRow.user_id) if run_id else PlayRow.user_id) == user_id]
    titles = list(db.session.scalars(matching_titles(q).limit(FEW + 1))) if q else []
    few = bool(q) and len(titles) <= FEW
    if few:
        where.append(
            PlayRow.episode >= 0
        )  # which all have: it stands in the index of the titles, and not in that of the states
    if state in PLAY_FILTERS:
        where.append(PlayRow.state.in_(PLAY_FILTERS[state]))
    if state == "hold":
        where.append(PlayRow.held.is_(True))
    if anilist_id is not None:
        where.append(PlayRow.anilist_id == anilist_id)
    if run_id is not None:
        where.append(PlayRow.run_id == run_id)
    if before is not None:
        where.append(PlayRow.id < before)
    found: Any = None
    if q:
        found = None if few or rare else _among_newest(where, q, limit + 1)
        where.append(among(PlayRow.anilist_id, titles) if few else PlayRow.anilist_id.in_(matching_titles(q)))
        rare = rare or few
    if found is None:
        in_order = PlayRow.id if run_id or not rare else unindexed(PlayRow.id)
        found = select(select(PlayRow.id).where(*where).order_by(in_order.desc()).limit(limit + 1).subquery().c.id)
    query = (
        select(PlayRow, Media, TraktShow.title)
        .outerjoin(Media, Media.anilist_id == PlayRow.anilist_id)
        .outerjoin(TraktShow, (TraktShow.trakt_id == PlayRow.trakt_id) & (PlayRow.kind == "episode"))
        .where(PlayRow.id.in_(found))
        .order_by(PlayRow.id.desc())
    )
    rows = list(db.session.execute(query))
    page = [(play, media, show) for play, media, show in rows[:limit]]
    return PlayPage(page, page[-1][0].id if len(rows) > limit else None)


def _among_newest(where: Sequence[Any], q: str, limit: int) -> list[int] | None:
    """Ids of the newest plays whose titles a search finds, looked for among the newest `LOOKED_THROUGH`; None when these have too few."""
    newest = select(PlayRow.id, PlayRow.anilist_id).where(*where).order_by(PlayRow.id.desc()).limit(LOOKED_THROUGH).subquery()  # fmt: skip
    query = select(newest.c.id).where(matches(newest.c.anilist_id, q)).order_by(newest.c.id.desc()).limit(limit)
    found = list(db.session.scalars(query))
    return found if len(found) == limit else None


def held_by_title(user_id: int, *, limit: int = 10) -> list[tuple[Media | None, int, int]]:
    """(media, its AniList id, plays on hold), most plays first."""
    title = unindexed(PlayRow.anilist_id)
    held = (
        select(title.label("anilist_id"), func.count().label("plays"))
        .where(PlayRow.user_id == user_id, PlayRow.state.in_(ON_HOLD), PlayRow.held.is_(True))
        .group_by(title)
        .subquery()
    )
    query = (
        select(Media, held.c.anilist_id, held.c.plays)
        .select_from(held)
        .outerjoin(Media, Media.anilist_id == held.c.anilist_id)
        .order_by(held.c.plays.desc(), held.c.anilist_id)
        .limit(limit)
    )
    return [(media, anilist_id, plays) for media, anilist_id, plays in db.session.execute(query)]


def held_by_run(user_id: int, *, limit: int = 10) -> list[tuple[Run, int]]:
    """Runs whose plays are on hold, newest first, with how many."""
    held = (
        select(PlayRow.run_id, func.count().label("plays"))
        .where(PlayRow.user_id == user_id, PlayRow.state.in_(ON_HOLD), PlayRow.held.is_(True))
        .group_by(PlayRow.run_id)
        .subquery()
    )
    query = select(Run, held.c.plays).join(held, held.c.run_id == Run.id).order_by(Run.id.desc()).limit(limit)
    return [(run, plays) for run, plays in db.session.execute(query)]


def on_trakt(user_id: int, kind: str, trakt_id: int) -> dict[tuple[int, int], tuple[int, datetime | None]]:
    """What the last complete picture of the person's Trakt account has of one show or movie.

    (season, number) -> (plays, last watched); (0, 0) for a movie.
    """
    account = select(Connection.account_id).where(Connection.user_id == user_id, Connection.service == "trakt")
    packed = db.session.scalar(
        select(TraktPicture.content).where(
            TraktPicture.user_id == user_id, TraktPicture.account_id == account.scalar_subquery()
        )
    )
    if packed is None:
        return {}
    if kind == "movie":
        seen = picture_file.unpack_one(packed, "movies", trakt_id)
        return {(0, 0): (seen[0], _moment(seen[1]))} if seen else {}
    return {
        (int(season), int(number)): (plays, _moment(last))
        for season, numbers in (picture_file.unpack_one(packed, "shows", trakt_id) or {}).items()
        for number, (plays, last) in numbers.items()
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True)
class There:
    """A watched episode of a title that stood on Trakt without us. `last`: when it was watched last, if Trakt says."""

    episode: int
    season: int
    number: int
    plays: int
    last: datetime | None


def there_before(user_id: int, anilist_id: int) -> list[There]:
    """Watched episodes of one title that Trakt has and the ledger has not sent. Three queries."""
    entry = db.session.scalar(select(Entry).where(Entry.user_id == user_id, Entry.anilist_id == anilist_id))
    if entry is None or entry.trakt_id is None or entry.kind is None or entry.pile == "needs_you":
        return []
    seen = on_trakt(user_id, entry.kind, entry.trakt_id)
    ours = select(PlayRow.season, PlayRow.number).where(
        PlayRow.user_id == user_id, PlayRow.trakt_id == entry.trakt_id, PlayRow.state.in_(("sending", "sent", "removing"))
    )  # fmt: skip
    sent = {(season, number) for season, number in db.session.execute(ours)}
    spans = (entry.placement or {}).get("spans") or []
    last = max(entry.progress, 1 if entry.status in ("COMPLETED", "REPEATING") else 0)
    if entry.kind == "movie":
        places = [(1, 0, 0)] if last else []
    else:
        places = [
            (episode, span["season"], span["start"] + episode - span["from"])
            for span in spans
            for episode in range(span["from"], min(span["to"], last) + 1)
        ]
    return [
        There(episode, season, number, *seen[season, number])
        for episode, season, number in places
        if (season, number) in seen and (season, number) not in sent
    ]


def held_plays(user_id: int, *, run_id: int | None = None, anilist_id: int | None = None) -> int:
    """Plays that stay off until "send again"."""
    person = PlayRow.user_id if run_id is None else unindexed(PlayRow.user_id)
    query = select(func.count()).select_from(PlayRow).where(
        person == user_id, PlayRow.state.in_(ON_HOLD), PlayRow.held.is_(True)
    )  # fmt: skip
    if run_id is not None:
        query = query.where(PlayRow.run_id == run_id)
    if anilist_id is not None:
        query = query.where(PlayRow.anilist_id == anilist_id)
    return db.session.scalar(query) or 0


def plays_of_entry(user_id: int, anilist_id: int) -> list[PlayRow]:
    query = select(PlayRow).where(PlayRow.user_id == user_id, PlayRow.anilist_id == anilist_id)
    return list(db.session.scalars(query.order_by(PlayRow.nth, PlayRow.episode, PlayRow.id).limit(2000)))


def plays_of_entries(user_id: int, anilist_ids: Collection[int]) -> dict[int, list[PlayRow]]:
    """The same of several titles, in one query."""
    query = select(PlayRow).where(PlayRow.user_id == user_id, PlayRow.anilist_id.in_(sorted(anilist_ids)))
    found: dict[int, list[PlayRow]] = {}
    for play in db.session.scalars(query.order_by(PlayRow.nth, PlayRow.episode, PlayRow.id).limit(8000)):
        found.setdefault(play.anilist_id, []).append(play)
    return found


@dataclass(frozen=True)
class Recent:
    """The newest plays of one title."""

    media: Media
    kind: str
    season: int
    first: int
    last: int
    plays: int
    sent_at: datetime


def plays_by_day(user_id: int, zone: tzinfo, since: datetime) -> dict[date, int]:
    """Plays that stand on Trakt by the local day on which they were watched. Counted by quarter of an hour, which no zone cuts."""
    quarter = cast(extract("epoch", PlayRow.watched_at), BigInteger) // 900
    query = (
        select(quarter, func.count())
        .where(PlayRow.user_id == user_id, PlayRow.state == "sent", PlayRow.watched_at >= since)
        .group_by(quarter)
    )
    days: Counter[date] = Counter()
    for number, count in db.session.execute(query):
        days[datetime.fromtimestamp(number * 900, zone).date()] += count
    return days


def recent_plays(user_id: int, *, limit: int = 7) -> list[Recent]:
    """The titles of the newest 200 plays, newest first, without private entries' secrets: only what was sent."""
    newest = (
        select(PlayRow.anilist_id, PlayRow.kind, PlayRow.season, PlayRow.number, PlayRow.sent_at)
        .where(PlayRow.user_id == user_id, PlayRow.state == "sent", PlayRow.sent_at.is_not(None))
        .order_by(PlayRow.sent_at.desc(), PlayRow.id.desc())
        .limit(200)
        .subquery()
    )
    grouped = (
        select(
            newest.c.anilist_id, newest.c.kind, newest.c.season, func.min(newest.c.number).label("first"),
            func.max(newest.c.number).label("last"), func.count().label("plays"), func.max(newest.c.sent_at).label("sent_at"),
        )
        .group_by(newest.c.anilist_id, newest.c.kind, newest.c.season)
        .subquery()
    )  # fmt: skip
    query = (
        select(Media, grouped.c.kind, grouped.c.season, grouped.c.first, grouped.c.last, grouped.c.plays, grouped.c.sent_at)
        .join(grouped, grouped.c.anilist_id == Media.anilist_id)
        .order_by(grouped.c.sent_at.desc(), Media.anilist_id)
        .limit(limit)
    )  # fmt: skip
    return [Recent(*row) for row in db.session.execute(query)]
