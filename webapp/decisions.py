"""What a person decides about titles: this place, never, not now, automatic again, keep or move what stands, take back.

A decision is kept with who, when and what stood before. It is made once: the title is locked, and must still ask.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import delete, select, update

from webapp import snapshots
from webapp.corrections import MappingInput, SpanInput, put_mapping
from webapp.models import OPEN, Decision, Entry, EntrySpan, PlayRow, Run, User, utcnow
from webapp.models import Mapping as MappingRow
from webapp.runs import lock_user, own_transaction

CHOICES: Final = ("never", "scrobbler", "ignored")
PLACES: Final = ("place", "keep")  # decisions that write a mapping

Place = tuple[str, int, str]  # kind, Trakt id, `candidate_key` of the spans
Stood = dict[str, Any]  # {"kind": ..., "trakt_id": ..., "spans": [[first, last, season, start], ...]}


class NothingToChoose(ValueError):
    """The title has no such candidate any more; the page is older than the data."""


class DecidedAlready(ValueError):
    """The title does not ask any more: it was decided, or it found its place, after the page was made."""


@dataclass(frozen=True, slots=True)
class Decided:
    """`action` names what may be taken back; `repeated` when the same was decided a moment ago."""

    action: str | None
    titles: Sequence[int]
    repeated: bool = False
    missed: Sequence[int] = ()  # titles that were to be decided together and don't offer that place any more


@dataclass(slots=True)
class TakenBack:
    """Titles that ask again, and those that were changed since and stay as they are now."""

    titles: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    moving: list[int] = field(default_factory=list)  # their plays are still on the move: nothing was taken back yet
    back: list[int] = field(default_factory=list)  # of `titles`: their plays are to move back to where they stood
    places: bool = False  # a place was taken back, so the titles have to be looked at again


def candidate_key(spans: Sequence[Mapping[str, int]]) -> str:
    """ "1-12:2:1": the spans of a candidate in one word, for a form."""
    return ",".join(f"{s['from']}-{s['to']}:{s['season']}:{s['start']}" for s in spans)


# A place


def use_candidate(
    user: User, anilist_id: int, kind: str, trakt_id: int, spans_key: str, also: Mapping[int, Place] | None = None
) -> Decided:
    """Take one of the places that the entry offers, and those of `also` with it; they become corrections by hand.

    A candidate is named by what it is, not by its position. Raises `NothingToChoose`, `DecidedAlready`.
    """
    wanted: dict[int, Place] = {anilist_id: (kind, trakt_id, spans_key), **(also or {})}
    with own_transaction() as session:
        lock_user(session, user.id)
        before = snapshots.take(session, user.id, wanted, places=True)
        found = {i: _offered(before[i], place) for i, place in wanted.items() if i in before}
        if not _asks(before.get(anilist_id)):
            return _repeated(session, user, before.get(anilist_id), anilist_id, wanted[anilist_id])
        chosen = {i: candidate for i, candidate in found.items() if candidate is not None and _asks(before[i])}
        if anilist_id not in chosen:
            raise NothingToChoose(f"entry {anilist_id} offers no such place")
        for i, candidate in chosen.items():
            spans = [_span(span) for span in candidate.get("spans") or []]
            put_mapping(session, user, MappingInput(i, candidate["trakt_id"], kind=candidate["kind"]), spans)
        _decided(session, user, chosen)
        action = _record(session, user, "place", {i: before[i] for i in chosen})
    return Decided(action, sorted(chosen), missed=sorted(set(wanted) - set(chosen)))


def _asks(state: snapshots.Snapshot | None) -> bool:
    return bool(state) and state["choice"] is None and state["entry"]["pile"] == "needs_you"  # type: ignore[index]  # bool() has ruled None out


def _offered(state: snapshots.Snapshot, place: Place) -> dict[str, Any] | None:
    offers = (state["entry"]["placement"] or {}).get("candidates") or []
    return next((one for one in offers if _place(one) == place), None)


def _place(candidate: Mapping[str, Any]) -> Place:
    return candidate["kind"], candidate["trakt_id"], candidate_key(candidate.get("spans") or [])


def _span(span: Mapping[str, int]) -> SpanInput:
    return SpanInput(span["from"], span["to"], span["season"], span["start"])


def _repeated(session: Any, user: User, state: snapshots.Snapshot | None, anilist_id: int, place: Place) -> Decided:
    """A second click on the same button is the first one; any other decision must be taken back first."""
    last = _last(session, user.id, anilist_id)
    if state and last and last.what == "place" and last.after["mapping"]:
        mapping = last.after["mapping"]
        key = ",".join(f"{f}-{t}:{s}:{e}" for f, t, s, e in last.after["spans"])
        if (mapping["kind"], mapping["trakt_id"], key) == place and snapshots.same_place(state, last.after):
            return Decided(last.action, [anilist_id], repeated=True)
    raise DecidedAlready(f"entry {anilist_id} does not ask any more")


def _last(session: Any, user_id: int, anilist_id: int) -> Decision | None:
    query = select(Decision).where(Decision.user_id == user_id, Decision.anilist_id == anilist_id)
    row: Decision | None = session.scalar(
        query.where(Decision.taken_back_at.is_(None)).order_by(Decision.id.desc()).limit(1)
    )
    return row


def _decided(session: Any, user: User, ids: Collection[int]) -> None:
    """The titles ask nothing any more; where they stand is worked out by the next look at them."""
    session.execute(
        update(Entry)
        .where(Entry.user_id == user.id, Entry.anilist_id.in_(sorted(ids)))
        .values(pile=None, reason=None, choice=None, choice_by=None, changed_at=utcnow()),
        execution_options={"synchronize_session": False},
    )


def _record(session: Any, user: User, what: str, before: Mapping[int, snapshots.Snapshot]) -> str:
    """Keep who decided what, with the state before and after; the word that names the action."""
    session.flush()
    after = snapshots.take(session, user.id, before)
    action, now = secrets.token_hex(8), utcnow()
    session.add_all(
        Decision(user_id=user.id, anilist_id=i, action=action, what=what, decided_by=user.username, decided_at=now, before=state, after=after[i])
        for i, state in sorted(before.items())
    )  # fmt: skip
    return action


def keep_where_it_stands(user: User, anilist_id: int) -> Decided:
    """Answer to `misplaced`: the places of what was sent become the correction. Raises `NothingToChoose`."""
    with own_transaction() as session:
        lock_user(session, user.id)
        before = snapshots.take(session, user.id, [anilist_id], places=True)
        stood = _standing(session, user.id, anilist_id)
        if not before or stood is None:
            raise NothingToChoose(f"entry {anilist_id} has no single place that could be kept")
        last = _last(session, user.id, anilist_id)
        if last and last.what == "keep" and snapshots.same_place(before[anilist_id], last.after):
            return Decided(last.action, [anilist_id], repeated=True)
        _place_by_hand(session, user, anilist_id, stood)
        action = _record(session, user, "keep", before)
    return Decided(action, [anilist_id])


def note_move(user: User, anilist_id: int) -> Decided:
    """Answer to `misplaced`: keep where the plays stand now, so that they can move back there; a run moves them.

    `action` is None when they have no single place that one could go back to.
    """
    with own_transaction() as session:
        lock_user(session, user.id)
        before = snapshots.take(session, user.id, [anilist_id], places=True)
        stood = _standing(session, user.id, anilist_id)
        if not before or stood is None:
            return Decided(None, [])
        last = _last(session, user.id, anilist_id)
        if last and last.what == "move" and last.before["stood"] == stood:
            return Decided(last.action, [anilist_id], repeated=True)
        action = _record(session, user, "move", {anilist_id: {**before[anilist_id], "stood": stood}})
    return Decided(action, [anilist_id])


def _standing(session: Any, user_id: int, anilist_id: int) -> Stood | None:
    """Where the plays of a title stand on Trakt; None when that is not one show or movie."""
    query = select(PlayRow).where(
        PlayRow.user_id == user_id, PlayRow.anilist_id == anilist_id, PlayRow.state == "sent", PlayRow.nth == 1
    )
    plays = list(session.scalars(query.order_by(PlayRow.episode)))
    if not plays or len({(play.kind, play.trakt_id) for play in plays}) != 1:
        return None
    kind = "movie" if plays[0].kind == "movie" else "show"
    spans = [[s.first, s.last, s.season, s.start] for s in _spans_of(plays)] if kind == "show" else []
    return {"kind": kind, "trakt_id": plays[0].trakt_id, "spans": spans}


def _place_by_hand(session: Any, user: User, anilist_id: int, stood: Stood) -> None:
    """Make this place the person's correction."""
    spans = [SpanInput(*span) for span in stood["spans"]]
    put_mapping(session, user, MappingInput(anilist_id, stood["trakt_id"], kind=stood["kind"]), spans)
    _decided(session, user, [anilist_id])


def _spans_of(plays: Sequence[PlayRow]) -> list[SpanInput]:
    """Where plays stand, in order of their episodes, as spans; later episodes follow the last one."""
    spans: list[SpanInput] = []
    for play in plays:
        last = spans[-1] if spans else None
        if last and last.last == play.episode - 1 and (last.season, last.start + play.episode - last.first) == (play.season, play.number):  # fmt: skip
            spans[-1] = SpanInput(last.first, play.episode, last.season, last.start)
        else:
            spans.append(SpanInput(play.episode, play.episode, play.season, play.number))
    if spans:
        spans[-1] = replace(spans[-1], last=None)
    return spans


def reset(user: User, anilist_id: int) -> None:
    """Forget every correction of this person for one title: the sources decide again."""
    with own_transaction() as session:
        session.execute(delete(MappingRow).where(MappingRow.user_id == user.id, MappingRow.anilist_id == anilist_id))
        session.execute(delete(EntrySpan).where(EntrySpan.user_id == user.id, EntrySpan.anilist_id == anilist_id))
        session.execute(
            update(Entry)
            .where(Entry.user_id == user.id, Entry.anilist_id == anilist_id)
            .values(changed_at=utcnow(), choice=None, choice_by=None)
        )


# Aside


def put_aside(user: User, anilist_id: int, choice: str) -> Decided:
    """`never` or `ignored` for a title of review that still asks. Raises `DecidedAlready`."""
    with own_transaction() as session:
        lock_user(session, user.id)
        before = snapshots.take(session, user.id, [anilist_id], places=True)
        state = before.get(anilist_id)
        if state and state["choice"] == choice:
            last = _last(session, user.id, anilist_id)
            return Decided(last.action if last and last.what == choice else None, [anilist_id], repeated=True)
        if not _asks(state):
            raise DecidedAlready(f"entry {anilist_id} does not ask any more")
        action = _put_aside(session, user, {anilist_id: {**before[anilist_id], "entry": {}}}, choice)
    return Decided(action, [anilist_id])


def ignore_pile(user: User, pile: str, format_: str | None) -> Decided:
    """Put a whole pile aside, or what has one format in it (None: an unknown one)."""
    with own_transaction() as session:
        lock_user(session, user.id)
        ids = session.scalars(
            select(Entry.anilist_id).where(
                Entry.user_id == user.id,
                Entry.pile == pile,
                Entry.gone_at.is_(None),
                Entry.choice.is_(None),
                Entry.media.has(format=format_),
            )
        )
        before = snapshots.take(session, user.id, list(ids))
        action = _put_aside(session, user, before, "ignored") if before else None
    return Decided(action, sorted(before))


def set_choice(user: User, anilist_ids: Sequence[int], choice: str | None) -> int:
    """`never`: never send; `ignored`: don't ask; None takes it back. How many entries there are."""
    with own_transaction() as session:
        lock_user(session, user.id)
        before = snapshots.take(session, user.id, anilist_ids)
        _put_aside(session, user, before, choice)
    return len(before)


def _put_aside(
    session: Any, user: User, before: Mapping[int, snapshots.Snapshot], choice: str | None
) -> str | None:  # fmt: skip
    now = utcnow()
    for part in snapshots.parts(sorted(before)):
        session.execute(
            update(Entry)
            .where(Entry.user_id == user.id, Entry.anilist_id.in_(part))
            .values(choice=choice, choice_by=user.username if choice else None, changed_at=now),
            execution_options={"synchronize_session": False},
        )
        if choice is None:  # the decisions that set it are over
            session.execute(
                update(Decision)
                .where(
                    Decision.user_id == user.id,
                    Decision.anilist_id.in_(part),
                    Decision.what.in_(CHOICES),
                    Decision.taken_back_at.is_(None),
                )
                .values(taken_back_at=now),
                execution_options={"synchronize_session": False},
            )
    changed = {i: state for i, state in before.items() if state["choice"] != choice}
    return _record(session, user, choice, changed) if choice and changed else None


# Take back


def take_back(user: User, action: str) -> TakenBack:
    """Put back what stood before a decision, where nothing newer was decided since. Again: nothing happens."""
    result = TakenBack()
    with own_transaction() as session:
        lock_user(session, user.id)
        query = select(Decision).where(
            Decision.user_id == user.id, Decision.action == action, Decision.taken_back_at.is_(None)
        )
        rows = list(session.scalars(query.order_by(Decision.anilist_id)))
        now = snapshots.take(session, user.id, [row.anilist_id for row in rows])
        asides: dict[str | None, list[int]] = {}
        for row in rows:
            state = now.get(row.anilist_id)
            if state is None or not _stands(row, state):
                result.changed.append(row.anilist_id)
                continue
            if row.what == "move" and _is_moving(session, user.id, row.anilist_id):
                result.moving.append(row.anilist_id)
                continue
            row.taken_back_at = utcnow()
            result.titles.append(row.anilist_id)
            if row.what == "move":
                result.back.append(row.anilist_id)
                _place_by_hand(session, user, row.anilist_id, row.before["stood"])
            elif row.what in PLACES:
                result.places = True
                snapshots.restore_place(session, user.id, row.anilist_id, row.before)
            else:
                asides.setdefault(row.before["choice"], []).append(row.anilist_id)
        for choice, ids in asides.items():
            for part in snapshots.parts(ids):
                session.execute(
                    update(Entry)
                    .where(Entry.user_id == user.id, Entry.anilist_id.in_(part))
                    .values(choice=choice, choice_by=user.username if choice else None, changed_at=utcnow()),
                    execution_options={"synchronize_session": False},
                )
    return result


def _is_moving(session: Any, user_id: int, anilist_id: int) -> bool:
    query = select(Run.id).where(Run.user_id == user_id, Run.mode == "move", Run.anilist_id == anilist_id)
    return session.scalar(query.where(Run.status.in_(OPEN)).limit(1)) is not None


def _stands(row: Decision, state: snapshots.Snapshot) -> bool:
    """Whether what the decision wrote is still what counts."""
    if row.what in (*PLACES, "move"):
        return snapshots.same_place(row.after, state) and state["choice"] is None
    return bool(state["choice"] == row.after["choice"])
