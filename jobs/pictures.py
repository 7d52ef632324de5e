"""The stored picture of what a Trakt account has watched: kept, reused, read back (DESIGN 6.1).

A picture is reused while `last_activities` has not moved, and only if its reading began late enough after the newest
watch that Trakt's lagging reads must have shown it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from jobs import readback
from jobs.clients import trakt_for
from jobs.errors import IncompleteRead, Stops, TsuzukiError, Waits
from jobs.records import Picture, Watched, to_json
from jobs.runstate import RunContext, config, lock_key
from jobs.said import counted
from jobs.storing import changed_rows, moment
from webapp import picture_file
from webapp.database import transaction, upsert
from webapp.models import Run, TraktPicture, utcnow

if TYPE_CHECKING:
    from jobs.targets.trakt import Trakt

LOGGER = logging.getLogger("tsuzuki.picture")
READING_CLAIM = timedelta(minutes=15)  # longer than any reading takes
TRY_AGAIN = timedelta(minutes=5)


def current_picture(ctx: RunContext, trakt: Trakt, account_id: str) -> Picture:
    """The complete picture: the stored one (one request) while nothing moved on Trakt, else a new reading, stored.

    Raises `IncompleteRead` and the errors of the client.
    """
    ctx.progress.phase("reading_trakt")
    stored = load(account_id)
    if stored is not None and stored[1] and same_activities(stored[0].activities, trakt.last_activities()):
        return stored[0]
    picture = trakt.picture(account_id)
    store(ctx.user_id, picture)
    ctx.progress.log(
        "info", counted("Read what Trakt has: %(num)s play.", "Read what Trakt has: %(num)s plays.", picture.total)
    )
    return picture


def same_activities(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether the `watched_at` of episodes and movies are the same moments."""
    return all(moment(one.get(key)) == moment(other.get(key)) for key in ("episodes", "movies"))


def is_settled(picture: Picture) -> bool:
    """Whether the reading began at least TRAKT_SETTLE_SECONDS after the newest watch that Trakt told of."""
    times = [at for at in (moment(value) for value in picture.activities.values()) if at is not None]
    settle = timedelta(seconds=config().TRAKT_SETTLE_SECONDS)
    return not times or picture.began_at >= max(times) + settle


def load(account_id: str) -> tuple[Picture, bool] | None:
    """The stored picture of a Trakt account and whether it is settled."""
    with transaction(readonly=True) as session:
        query = select(TraktPicture).where(TraktPicture.account_id == account_id)
        row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        return None
    content = picture_file.unpack(row.content)
    return _unpack(row.account_id, row.began_at, row.activities, content), row.settled


def store(user_id: int, picture: Picture) -> int:
    """Keep this picture in place of an older one of the account; the id of its row."""
    packed = picture_file.pack(_pack(picture))
    values: dict[str, Any] = {
        "user_id": user_id,
        "began_at": picture.began_at,
        "finished_at": utcnow(),
        "activities": dict(picture.activities),
        "settled": is_settled(picture),
        "plays": picture.total,
        "content": packed,
        "updated_at": utcnow(),
    }
    statement = upsert(TraktPicture).values(account_id=picture.account_id, **values)
    with transaction() as session:
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["account_id"], set_=values, where=TraktPicture.began_at <= picture.began_at
            )
        )
        found = session.scalar(select(TraktPicture.id).where(TraktPicture.account_id == picture.account_id))
    assert found is not None  # it was written just now
    return found


def _pack(picture: Picture) -> dict[str, Any]:
    """{"shows": {id: {season: {number: [plays, last]}}}, "movies": {id: [plays, last]}}."""
    shows: dict[str, dict[str, dict[str, list[Any]]]] = {}
    for (show, season, number), watched in picture.episodes.items():
        shows.setdefault(str(show), {}).setdefault(str(season), {})[str(number)] = _pair(watched)
    return {"shows": shows, "movies": {str(movie): _pair(watched) for movie, watched in picture.movies.items()}}


def _pair(watched: Watched) -> list[Any]:
    return [watched.plays, to_json(watched.last_watched_at)]


def _unpack(account_id: str, began_at: datetime, activities: Mapping[str, str], content: dict[str, Any]) -> Picture:
    return Picture(
        account_id=account_id,
        began_at=began_at,
        activities=activities,
        episodes={
            (int(show), int(season), int(number)): Watched(plays, moment(last))
            for show, seasons in content["shows"].items()
            for season, numbers in seasons.items()
            for number, (plays, last) in numbers.items()
        },
        movies={int(movie): Watched(plays, moment(last)) for movie, (plays, last) in content["movies"].items()},
    )


def read_back_later(account_id: str) -> None:
    """After a run that posted: the tick has the account read again once Trakt's reads must show what was sent."""
    due = utcnow() + timedelta(seconds=config().TRAKT_SETTLE_SECONDS + 1)
    with transaction() as session:
        session.execute(
            update(TraktPicture).where(TraktPicture.account_id == account_id).values(read_again_at=due, settled=False)
        )


def read_back(picture_id: int) -> None:
    """The RQ job of a due read-back: read the account once more and keep the picture; it writes no plays.

    What the reading shows is compared with the ledger by the next run, which can ask the person.
    """
    row = _claim_read_back(picture_id)
    if row is None:
        return
    try:
        picture = trakt_for(row.user_id).picture(row.account_id)
    except Waits as error:
        _again(picture_id, utcnow() + timedelta(seconds=error.seconds), error)
    except IncompleteRead as error:
        _again(picture_id, utcnow() + TRY_AGAIN, error)
    except Stops as error:
        _again(picture_id, None, error)
    else:
        store(row.user_id, picture)
        readback.note(row.user_id, picture)
        settled = is_settled(picture)
        later = utcnow() + timedelta(seconds=config().TRAKT_SETTLE_SECONDS + 1)
        _again(picture_id, None if settled else later, None)


def _claim_read_back(picture_id: int) -> TraktPicture | None:
    """None when it is not due any more, or when a run of the account is at work: that one schedules it anew."""
    now = utcnow()
    with transaction() as session:
        row = session.get(TraktPicture, picture_id, populate_existing=True)
        if row is None or row.read_again_at is None or row.read_again_at > now:
            return None
        busy = session.scalar(
            select(Run.id).where(Run.lock_key == lock_key(row.user_id), Run.status == "running").limit(1)
        )
        due = TraktPicture.read_again_at == row.read_again_at
        later = now + (timedelta(seconds=config().TRAKT_SETTLE_SECONDS + 1) if busy else READING_CLAIM)
        claimed = changed_rows(
            session, update(TraktPicture).where(TraktPicture.id == picture_id, due).values(read_again_at=later)
        )
    return None if busy or not claimed else row


def _again(picture_id: int, due: datetime | None, error: TsuzukiError | None) -> None:
    if error is not None:
        LOGGER.warning("read-back %s: %s: %s", picture_id, error.reason, error.detail)
    with transaction() as session:
        session.execute(
            update(TraktPicture)
            .where(TraktPicture.id == picture_id)
            .values(read_again_at=due, note=error.detail if error else None)
        )
