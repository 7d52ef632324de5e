"""What a later reading of Trakt shows of what a run has sent: noted with the run, for its page (DESIGN 6.1).

It changes no play: what is missing is looked into by the next run, which holds the ledger against the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select, update

from jobs.records import Picture, to_json
from webapp.database import transaction
from webapp.models import PlayRow, Run, utcnow

NOTED_FOR: Final = timedelta(days=1)  # an older run is not looked at any more
AT_MOST: Final = 20
_MODES: Final = ("full", "completed", "watching", "title")
_ENDED: Final = ("succeeded", "partial", "cancelled", "failed")


def note(user_id: int, picture: Picture) -> None:
    """Write `readBack` {"at": iso, "plays": sent and not taken back, "there": of these} into the results of the person's runs that sent
    something and ended before this reading began. One that was complete before stays as it is.
    """
    with transaction(readonly=True) as session:
        runs = session.scalars(
            select(Run)
            .where(
                Run.user_id == user_id,
                Run.mode.in_(_MODES),
                Run.status.in_(_ENDED),
                Run.plays_sent > 0,
                Run.finished_at <= picture.began_at,
                Run.finished_at > utcnow() - NOTED_FOR,
            )
            .order_by(Run.id.desc())
            .limit(AT_MOST)
        ).all()
        open_runs = [run for run in runs if not _is_complete(run.result)]
        found = {run.id: _count(session.execute(_places(run.id)).all(), picture) for run in open_runs}
    for run in open_runs:
        plays, there = found[run.id]
        if not plays:
            continue
        said = {"at": to_json(picture.began_at), "plays": plays, "there": there}
        with transaction() as session:
            result = session.scalar(select(Run.result).where(Run.id == run.id).with_for_update())
            session.execute(update(Run).where(Run.id == run.id).values(result={**(result or {}), "readBack": said}))


def _is_complete(result: Any) -> bool:
    said: dict[str, Any] = (result or {}).get("readBack") or {}
    return bool(said) and said["there"] >= said["plays"]


def _places(run_id: int) -> Any:
    return select(PlayRow.kind, PlayRow.trakt_id, PlayRow.season, PlayRow.number, PlayRow.before).where(
        PlayRow.run_id == run_id, PlayRow.state == "sent"
    )


def _count(rows: Sequence[Any], picture: Picture) -> tuple[int, int]:
    """(plays, of these there). Several plays of one episode need as many above what was there before."""
    wanted: dict[tuple[str, int, int, int], list[int]] = {}
    for kind, trakt_id, season, number, before in rows:
        wanted.setdefault((kind, trakt_id, season, number), []).append(before)
    there = sum(min(len(before), max(picture.plays_of(*place) - min(before), 0)) for place, before in wanted.items())
    return len(rows), there
