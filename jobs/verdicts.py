"""What planning says of one episode (a verdict) and of one entry (an item). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from jobs.records import ItemOutcome, Pile, Placement, Reason, Refusal, to_json

Place = tuple[str, int, int, int]  # kind, Trakt id, season, number


@dataclass(frozen=True, slots=True)
class Verdict:
    episode: int
    outcome: str  # new, ours, already, or an outcome of `ItemOutcome`
    reason: Reason | None = None
    place: Place | None = None
    due_at: datetime | None = None
    other: int | None = None  # the entry it is shared with


def open_verdict(placement: Placement, episode: int) -> Verdict:
    for part in placement.open:
        if part.first <= episode <= part.last:
            return Verdict(episode, part.pile.value, part.reason, due_at=part.due_at)
    return Verdict(episode, "needs_you", Reason.PAST_THE_END)


def refused_item(refusal: Refusal, last: int, *, ignored: bool) -> ItemOutcome:
    detail: dict[str, Any] = {"detail": refusal.detail}
    if refusal.due_at is not None:
        detail["due_at"] = to_json(refusal.due_at)
    outcome = refusal.pile.value
    if ignored and refusal.pile is not Pile.WAITING:
        outcome, detail["ignored"] = "left_out", True
    return ItemOutcome(refusal.anilist_id, outcome, refusal.reason, last, detail=detail)


# What is said of an entry when several things are true of its episodes: the first one that asks for a person wins.
_WEIGHT = ("needs_you", "refused", "waiting", "no_match", "held", "shared_with", "left_out")


def item_of(
    anilist_id: int, verdicts: Sequence[Verdict], last: int, above: int, *, ignored: bool
) -> ItemOutcome | None:
    new = sum(v.outcome == "new" for v in verdicts)
    there = sum(v.outcome in ("ours", "already") for v in verdicts)
    parts = list(_parts(verdicts))
    if above:
        parts.append(
            {"outcome": "needs_you", "reason": Reason.ABOVE_EPISODES.value, "from": last + 1, "to": last + above}
        )
    if ignored:  # the person has seen these and wants to hear nothing of them
        parts = [part for part in parts if part["outcome"] not in ("needs_you", "no_match")]
    if not parts:
        return ItemOutcome(anilist_id, "sent", None, last, new, there) if new else None
    first = min(parts, key=lambda part: _WEIGHT.index(part["outcome"]))
    return ItemOutcome(
        anilist_id,
        "sent_in_part" if new else first["outcome"],
        Reason(first["reason"]) if first["reason"] else None,
        last,
        new,
        there,
        {"parts": parts},
    )


def with_rewatches(anilist_id: int, item: ItemOutcome | None, last: int, there: int, again: int) -> ItemOutcome | None:
    if not again:
        return item
    if item is None:
        return ItemOutcome(anilist_id, "sent", None, last + again, again, there, {"rewatches": again})
    outcome = item.outcome if item.outcome in ("sent", "sent_in_part") else "sent_in_part"
    detail = {**item.detail, "rewatches": again}
    return replace(item, outcome=outcome, wanted=item.wanted + again, new=item.new + again, detail=detail)


def _parts(verdicts: Sequence[Verdict]) -> Iterator[dict[str, Any]]:
    """Episodes that do not simply go, as ranges that say the same."""
    part: dict[str, Any] | None = None
    for verdict in verdicts:
        if verdict.outcome in ("new", "ours", "already"):
            continue
        said = {
            "outcome": verdict.outcome,
            "reason": verdict.reason.value if verdict.reason else None,
            **({"due_at": to_json(verdict.due_at)} if verdict.due_at else {}),
            **({"with": verdict.other} if verdict.other else {}),
        }
        if (
            part is not None
            and part["to"] == verdict.episode - 1
            and said.items() <= part.items() <= {**said, "from": part["from"], "to": part["to"]}.items()
        ):
            part["to"] = verdict.episode
            continue
        if part is not None:
            yield part
        part = {**said, "from": verdict.episode, "to": verdict.episode}
    if part is not None:
        yield part
