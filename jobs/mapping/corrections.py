"""What people set, on top of an automatic placement, and what one person's progress leaves open. Pure.

`by_hand` (a person's spans) wins over `overridden` (rows of `episode_override`), which wins over `by_list`, which wins
over what was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from jobs.mapping.numbering import Numbering
from jobs.records import Identity, MediaInfo, OpenEpisodes, Pile, Placement, Reason, Refusal, Shape, Span


def by_hand(
    anilist_id: int,
    trakt_id: int,
    corrections: Iterable[tuple[int, int | None, int, int]],
    length: int | None,
    automatic: Placement | Refusal | None,
) -> Placement:
    """A person's spans (first, last or None for "to the end", season, start) over the automatic placement.

    Episodes that no correction names keep their automatic place, as long as it is on the same show.
    """
    spans: list[Span] = []
    for first, last, season, start in sorted(corrections):
        last = last if last is not None else max(length or 0, first, 9999 if length is None else 0)
        if last >= first:
            spans.append(Span(first, last, season, start))
    kept = automatic.spans if isinstance(automatic, Placement) and automatic.trakt_id == trakt_id else ()
    rest = [part for span in kept for part in _without(span, spans)]
    return Placement(
        anilist_id=anilist_id,
        kind="show",
        trakt_id=trakt_id,
        spans=tuple(sorted((*spans, *rest), key=lambda s: s.first)),
        source="manual",
        rule="entry_spans",
        reason="A person set these episodes.",
        sources=automatic.sources if automatic else {},
        open=tuple(
            part
            for item in (automatic.open if isinstance(automatic, Placement) else ())
            for part in _open_without(item, spans)
        ),
    )


def by_list(
    result: Placement | Refusal,
    identity: Identity,
    spans: Sequence[tuple[int, int | None, int, int]],
    length: int | None,
) -> Placement | Refusal:
    """What a subscribed list says, over what was found: its spans, if it has any, and by which list it stands there."""
    sources = {**result.sources, "list": identity.reason}
    if spans:
        placed = by_hand(result.anilist_id, identity.trakt_id, spans, length, result)
        return replace(placed, source="list", rule="list_spans", reason=identity.reason, sources=sources)
    if isinstance(result, Refusal):
        return replace(result, sources=sources)
    reason = result.reason if identity.reason in result.reason else f"{identity.reason} {result.reason}"
    return replace(result, reason=reason, sources=sources)


def _without(span: Span, taken: Sequence[Span]) -> list[Span]:
    """What of `span` no span of `taken` covers, by the entry's episodes."""
    parts = [(span.first, span.last)]
    for other in taken:
        parts = [
            piece
            for first, last in parts
            for piece in ((first, min(last, other.first - 1)), (max(first, other.last + 1), last))
            if piece[0] <= piece[1]
        ]
    return [Span(first, last, span.season, span.number_of(first)) for first, last in parts]


def _open_without(item: OpenEpisodes, taken: Sequence[Span]) -> list[OpenEpisodes]:
    parts = _without(Span(item.first, item.last, 0, 0), taken)
    return [replace(item, first=part.first, last=part.last) for part in parts]


def overridden(result: Placement, overrides: Mapping[int, tuple[int, int]], shape: Shape) -> Placement:
    """Apply the rows of `episode_override` of the show: absolute number in Trakt's regular order -> (season, episode).

    An episode behind the listed ones counts on from the last, so that a row may place what Trakt lists elsewhere.
    """
    if not overrides or result.kind != "show" or result.source == "manual":
        return result
    numbering = Numbering(shape)
    places: list[tuple[int, int, int]] = []
    changed = False
    behind = 0
    episodes = sorted({e for span in result.spans for e in range(span.first, min(span.last, span.first + 9999) + 1)})
    opened = [e for item in result.open for e in range(item.first, item.last + 1)]
    for episode in sorted({*episodes, *opened}):
        place = result.place_of(episode)
        position = numbering.index(*place) if place else None
        if place is None and episode > (episodes[-1] if episodes else 0):
            behind += 1
            position = numbering.total + behind - 1
        moved = overrides.get(position + 1) if position is not None else None
        changed = changed or moved is not None
        target = moved or place
        if target is not None:
            places.append((episode, *target))
    if not changed:
        return result
    spans = _joined(places)
    return replace(
        result,
        spans=spans,
        source="override",
        rule="episode_override",
        reason=f"{result.reason} Corrected by an episode override.",
        open=tuple(part for item in result.open for part in _open_without(item, spans)),
    )


def _joined(places: Iterable[tuple[int, int, int]]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for episode, season, number in places:
        last = spans[-1] if spans else None
        if last and last.season == season and last.last + 1 == episode and last.number_of(episode) == number:
            spans[-1] = replace(last, last=episode)
        else:
            spans.append(Span(episode, episode, season, number))
    return tuple(spans)


def with_progress(result: Placement, media: MediaInfo, progress: int) -> Placement:
    """Add what one person's progress leaves open: above the known length, or airing and not listed yet."""
    if result.kind != "show":
        return result
    covered = max([0, *(s.last for s in result.spans), *(o.last for o in result.open)])
    length = media.episodes
    extra: list[OpenEpisodes] = []
    if length is not None and progress > length:
        first = max(length, covered) + 1
        if first <= progress:
            extra.append(OpenEpisodes(first, progress, Pile.NEEDS_YOU, Reason.ABOVE_EPISODES))
    elif progress > covered:
        waits = media.status in ("RELEASING", "HIATUS", "NOT_YET_RELEASED", None)
        later = Reason.NOT_LISTED_YET if result.spans else Reason.STILL_AIRING
        pile, reason = (Pile.WAITING, later) if waits else (Pile.NEEDS_YOU, Reason.PAST_THE_END)
        extra.append(OpenEpisodes(covered + 1, progress, pile, reason))
    return replace(result, open=(*result.open, *extra)) if extra else result
