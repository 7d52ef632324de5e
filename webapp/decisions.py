"""What a person decides about one title: this place, never, not now, automatic again, keep what stands."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from webapp.corrections import MappingInput, SpanInput, save_mapping
from webapp.database import transaction
from webapp.models import Entry, EntrySpan, Mapping, PlayRow, User, utcnow

CHOICES = ("never", "ignored")


class NothingToChoose(ValueError):
    """The title has no such candidate any more; the page is older than the data."""


def use_candidate(user: User, anilist_id: int, kind: str, trakt_id: int, spans_key: str) -> None:
    """Take one of the places that the entry offers; it becomes a correction by hand, which always wins.

    The candidate is named by what it is, not by its position. Raises `NothingToChoose`.
    """
    with transaction(readonly=True) as session:
        entry = session.scalar(select(Entry).where(Entry.user_id == user.id, Entry.anilist_id == anilist_id))
    found = next(
        (
            candidate
            for candidate in ((entry.placement or {}).get("candidates") or [] if entry else [])
            if (candidate["kind"], candidate["trakt_id"]) == (kind, trakt_id)
            and candidate_key(candidate.get("spans") or []) == spans_key
        ),
        None,
    )
    if found is None:
        raise NothingToChoose(f"entry {anilist_id} offers no such place")
    spans = [SpanInput(span["from"], span["to"], span["season"], span["start"]) for span in found.get("spans") or []]
    save_mapping(user, MappingInput(anilist_id, trakt_id, kind=kind), spans)
    set_choice(user, [anilist_id], None)


def candidate_key(spans: list[dict[str, int]]) -> str:
    """ "1-12:2:1": the spans of a candidate in one word, for a form."""
    return ",".join(f"{s['from']}-{s['to']}:{s['season']}:{s['start']}" for s in spans)


def set_choice(user: User, anilist_ids: list[int], choice: str | None) -> int:
    """`never`: never send; `ignored`: don't ask; None takes it back. How many entries changed."""
    changed = 0
    with transaction() as session:
        for part in (anilist_ids[i : i + 500] for i in range(0, len(anilist_ids), 500)):
            statement = (
                update(Entry)
                .where(Entry.user_id == user.id, Entry.anilist_id.in_(part))
                .values(choice=choice, choice_by=user.username if choice else None, changed_at=utcnow())
            )
            changed += int(getattr(session.execute(statement), "rowcount", 0))
    return changed


def ignore_pile(user: User, pile: str, format_: str | None) -> int:
    """Put a whole pile aside, or what has one format in it (None: an unknown one)."""
    from_media = Entry.media.has(format=format_)
    with transaction(readonly=True) as session:
        ids = list(
            session.scalars(
                select(Entry.anilist_id).where(
                    Entry.user_id == user.id, Entry.pile == pile, Entry.choice.is_(None), from_media
                )
            )
        )
    return set_choice(user, ids, "ignored")


def reset(user: User, anilist_id: int) -> None:
    """Forget every correction of this person for one title: the sources decide again."""
    with transaction() as session:
        session.execute(delete(Mapping).where(Mapping.user_id == user.id, Mapping.anilist_id == anilist_id))
        session.execute(delete(EntrySpan).where(EntrySpan.user_id == user.id, EntrySpan.anilist_id == anilist_id))
        session.execute(
            update(Entry)
            .where(Entry.user_id == user.id, Entry.anilist_id == anilist_id)
            .values(changed_at=utcnow(), choice=None, choice_by=None)
        )


def keep_where_it_stands(user: User, anilist_id: int) -> None:
    """Answer to `misplaced`: the places of what was sent become the correction. Raises `NothingToChoose`."""
    with transaction(readonly=True) as session:
        query = select(PlayRow).where(
            PlayRow.user_id == user.id, PlayRow.anilist_id == anilist_id, PlayRow.state == "sent", PlayRow.nth == 1
        )
        plays = list(session.scalars(query.order_by(PlayRow.episode)))
    if not plays or len({(play.kind, play.trakt_id) for play in plays}) != 1:
        raise NothingToChoose(f"entry {anilist_id} has no single place that could be kept")
    first = plays[0]
    kind = "movie" if first.kind == "movie" else "show"
    spans: list[SpanInput] = []
    for play in plays if kind == "show" else []:
        last = spans[-1] if spans else None
        if last and last.last == play.episode - 1 and (last.season, last.start + play.episode - last.first) == (play.season, play.number):  # fmt: skip
            spans[-1] = SpanInput(last.first, play.episode, last.season, last.start)
        else:
            spans.append(SpanInput(play.episode, play.episode, play.season, play.number))
    save_mapping(user, MappingInput(anilist_id, first.trakt_id, kind=kind), spans)
