"""Where the specials of one show stand in season 0, and what confirms it. Pure.

Trakt numbers season 0 as TMDB does, the mapping files mostly as TVDB does; so a bare number is worth nothing. It
counts when one of these confirms it:
- `tmdb_rules`: Anime-Lists names the TMDB special of every episode.
- `tmdb_offset`: the TMDB number stands in the source on purpose, since it differs from the TVDB number beside it.
- `whole_season`: the entry is the only one in season 0 and has exactly as many episodes.
- `air_date`: Trakt lists the run with the entry's own dates, and either the number or the title agrees.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from jobs.mapping.chain import Link, Saying
from jobs.mapping.regular import airing
from jobs.mapping.wording import entry, said
from jobs.records import Shape, Slot, Span


@dataclass(slots=True)
class SpecialClaim:
    """The confirmed spans of an entry in season 0, or the guesses that a person may choose from."""

    link: Link
    spans: tuple[Span, ...] = ()
    rule: str = ""
    guesses: list[tuple[tuple[Span, ...], str]] = field(default_factory=list)


def normalised(title: str | None) -> str:
    """A title for comparison: no case, no accents, no punctuation, and `&` as a word."""
    text = unicodedata.normalize("NFKD", (title or "").replace("&", " and ")).casefold()
    return " ".join(re.sub(r"[^\w]+", " ", "".join(c for c in text if not unicodedata.combining(c))).split())


def title_key(title: str | None) -> str:
    """What two spellings of one title share: `normalised` without its spaces ("Highschool", "High School")."""
    return normalised(title).replace(" ", "")


def special_claims(links: Sequence[Link], shape: Shape) -> dict[int, SpecialClaim]:
    """A claim for every link whose sources put it into season 0, by its key. No two confirmed ones overlap."""
    slots = shape.seasons.get(0, ())
    claims = [_claim(link, links, slots) for link in links if link.sayings and not link.is_regular]
    taken: dict[int, SpecialClaim] = {}
    for claim in claims:
        numbers = [n for span in claim.spans for n in range(span.start, span.start + span.last - span.first + 1)]
        rival = next((taken[n] for n in numbers if n in taken), None)
        if rival is None:
            taken.update(dict.fromkeys(numbers, claim))
            continue
        for loser in (claim, rival):
            if loser.spans:
                other = rival if loser is claim else claim
                who = entry(other.link, otherwise="another entry of the show")
                loser.guesses.insert(0, (loser.spans, f"The sources say so, and {who} would stand there too"))
                loser.spans, loser.rule = (), ""
    return {claim.link.key: claim for claim in claims}


def _claim(link: Link, links: Sequence[Link], slots: Sequence[Slot]) -> SpecialClaim:
    claim = SpecialClaim(link)
    length = link.episodes
    if not length or not slots:
        return claim
    numbers = {slot.number for slot in slots}
    tmdb = next((s for s in link.sayings if s.side == "tmdb" and s.season == 0), None)
    tvdb = next((s for s in link.sayings if s.side == "tvdb" and s.season == 0), None)
    for saying in (tmdb, tvdb):
        spans = _said(saying, length, numbers) if saying else None
        if saying and spans and all(spans != known for known, _ in claim.guesses):
            claim.guesses.append((spans, f"{said(link, saying, length=length)}; nothing confirms that Trakt counts so"))
    if tmdb and tmdb.rules and (spans := _said(tmdb, length, numbers)):
        return SpecialClaim(link, spans, "tmdb_rules")
    if tmdb and tvdb and tmdb.offset and tmdb.offset != tvdb.offset and (spans := _said(tmdb, length, numbers)):
        return SpecialClaim(link, spans, "tmdb_offset")
    dated = _by_date(link, length, slots, [spans for spans, _ in claim.guesses])
    if dated and dated[1]:
        return SpecialClaim(link, dated[0], "air_date")
    if dated:
        claim.guesses.insert(0, (dated[0], "Trakt lists it with the same air date"))
    others = [other for other in links if other is not link and other.sayings and not other.is_regular]
    whole = len(slots) == length and slots[0].number == 1 and slots[-1].number == length
    if whole and not others and tmdb and not tmdb.offset and not airing(link):
        return SpecialClaim(link, (Span(1, length, 0, 1),), "whole_season")
    return claim


def _said(saying: Saying, length: int, numbers: set[int]) -> tuple[Span, ...] | None:
    """Spans of a source's numbers when Trakt lists every one of them."""
    pairs = {episode: targets for rule in saying.rules if rule.season == 0 for episode, targets in rule.pairs}
    found: list[int] = []
    for episode in range(1, length + 1):
        targets = pairs.get(episode, (episode + saying.offset,))
        if len(targets) != 1 or targets[0] not in numbers:
            return None
        found.append(targets[0])
    return as_spans(found)


def as_spans(numbers: Iterable[int]) -> tuple[Span, ...]:
    """Numbers of season 0, the first for episode 1, as spans."""
    spans: list[Span] = []
    for episode, number in enumerate(numbers, 1):
        last = spans[-1] if spans else None
        if last and last.number_of(episode) == number:
            spans[-1] = Span(last.first, episode, 0, last.start)
        else:
            spans.append(Span(episode, episode, 0, number))
    return tuple(spans)


def _by_date(
    link: Link, length: int, slots: Sequence[Slot], named_so: Sequence[tuple[Span, ...]]
) -> tuple[tuple[Span, ...], bool] | None:
    """The one run of specials with the entry's first and last day, and whether number or title agree with it.

    Trakt gives moments in UTC, AniList days of Japan: a day's difference is the same day.
    """
    first = link.media.start_date.full if link.media else None
    if first is None or link.media is None:
        return None
    last = first if length == 1 else link.media.end_date.full
    if last is None:
        return None
    runs = [
        slots[i : i + length]
        for i in range(len(slots) - length + 1)
        if _near(slots[i], first) and _near(slots[i + length - 1], last)
    ]
    if len(runs) != 1:
        return None
    run = runs[0]
    spans = as_spans(slot.number for slot in run)
    titles = {normalised(title) for title in link.media.titles} - {""}
    named = {normalised(slot.title) for slot in run} - {""}
    agrees = spans in named_so or any(n == t or (len(n) > 7 and t.endswith(n)) for n in named for t in titles)
    return spans, agrees


def _near(slot: Slot, day: date) -> bool:
    return slot.first_aired is not None and abs(slot.first_aired.date() - day) <= timedelta(days=1)
