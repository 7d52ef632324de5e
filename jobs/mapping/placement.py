"""Where the episodes of an entry stand on Trakt, or a named refusal: identity + chain + shape -> placement. Pure.

`place_show` decides for all entries of one show at once (rules in `regular` and `specials`); `corrections` puts
what people set on top.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jobs.mapping.chain import Link
from jobs.mapping.numbering import Numbering
from jobs.mapping.regular import Claim, airing, claims_of
from jobs.mapping.specials import SpecialClaim, special_claims
from jobs.mapping.wording import entry, said
from jobs.records import (
    Candidate,
    Identity,
    OpenEpisodes,
    Pile,
    Placement,
    Reason,
    Refusal,
    Shape,
    Span,
)


@dataclass(frozen=True, slots=True)
class ShowPlaces:
    """Results by `Link.key`, and the AniList ids whose length would settle more of them."""

    results: Mapping[int, Placement | Refusal]
    needs: frozenset[int]


def place_show(trakt_id: int, links: Sequence[Link], shape: Shape, *, chosen: Collection[int] = ()) -> ShowPlaces:
    """Place every entry of the show `trakt_id`. `links`: its whole chain in order; `shape`: what Trakt lists.

    `chosen`: keys of entries for which a person chose this show.
    """
    numbering = Numbering(shape)
    claims = claims_of(trakt_id, links, numbering, chosen)
    specials = special_claims(links, shape)
    results: dict[int, Placement | Refusal] = {}
    needs: set[int] = set()
    for link in links:
        claim = claims.get(link.key)
        if claim is not None:
            needs.update(claim.needs)
            results[link.key] = _regular(claim, numbering, trakt_id, ended=shape.ended)
        else:
            special = specials.get(link.key) or SpecialClaim(link)
            results[link.key] = _special(special, trakt_id)
            if link.episodes is None and link.key > 0 and link.media is None:
                needs.add(link.key)
    return ShowPlaces(results, frozenset(needs))


def place_movie(link: Link, identity: Identity) -> Placement:
    """A movie has one place: itself."""
    return Placement(
        anilist_id=link.key,
        kind="movie",
        trakt_id=identity.trakt_id,
        spans=(),
        source="manual" if identity.source == "manual" else "movie",
        rule="movie",
        reason=identity.reason,
        certainty="likely" if identity.source == "title_year" else "sure",
        sources={identity.source: f"movie {identity.trakt_id}"},
    )


# Regular seasons


def _regular(claim: Claim, numbering: Numbering, trakt_id: int, *, ended: bool) -> Placement | Refusal:
    link = claim.link
    if claim.refused is None and (rival := _disagreement(claim, numbering)):
        claim.refused = Reason.SOURCES_DISAGREE
        claim.guesses = rival
    if claim.refused is not None or not claim.pieces:
        return _refused(claim, numbering, trakt_id, ended=ended)
    _, others = _votes(claim, numbering)
    shaped = claim.rule != "source"
    return Placement(
        anilist_id=link.key,
        kind="show",
        trakt_id=trakt_id,
        spans=numbering.spans(claim.pieces),
        source="trakt_shape" if shaped or claim.saying is None else claim.saying.source,
        rule=claim.rule,
        reason=_sentence(claim, numbering),
        certainty="likely" if others or claim.rule in _BY_SHAPE else "sure",
        sources=_sources(link),
        open=_open(claim, ended=ended),
    )


def _disagreement(claim: Claim, numbering: Numbering) -> list[tuple[int, int, str]]:
    """Two places in TVDB's numbering with no word from TMDB: nothing says which one Trakt follows."""
    saying = claim.saying
    if saying is None or saying.side == "tmdb" or claim.rule != "source":
        return []
    if any(s.side == "tmdb" for s in claim.link.sayings):
        return []
    starts = {s: numbering.find(s) for s in claim.link.sayings if s.regular and not s.rules}
    places = {start: s for s, start in starts.items() if start is not None}
    if len(places) < 2:
        return []
    length = claim.link.episodes or 1
    return [(start, length, said(claim.link, s)) for start, s in places.items()]


def _votes(claim: Claim, numbering: Numbering) -> tuple[int, int]:
    """How many of the sources name the claim's first episode, and how many another one that Trakt lists."""
    starts = [numbering.find(saying) for saying in claim.link.sayings if saying.regular]
    known = [start for start in starts if start is not None]
    return known.count(claim.start), sum(start != claim.start for start in known)


def _open(claim: Claim, *, ended: bool) -> tuple[OpenEpisodes, ...]:
    """Episodes of the known length that have no place, with the reason."""
    length = claim.link.episodes
    if length is None:
        return ()
    found: list[OpenEpisodes] = []
    waits = airing(claim.link) or not ended
    pile, reason = (Pile.WAITING, Reason.NOT_LISTED_YET) if waits else (Pile.NEEDS_YOU, Reason.PAST_THE_END)
    episode = 1
    for piece in [*sorted(claim.pieces, key=lambda p: p.first), None]:
        last = piece.first - 1 if piece else length
        if episode <= last:
            found.append(OpenEpisodes(episode, last, pile, reason))
        if piece:
            episode = piece.first + piece.count
    return tuple(found)


def _sentence(claim: Claim, numbering: Numbering) -> str:
    link, saying = claim.link, claim.saying
    says = said(link, saying) if saying else ""
    season, number = numbering.flat[claim.start]
    before = entry(claim.after, otherwise="the entry before")
    lengths = f"the {claim.after.episodes} episodes of {before}" if claim.after and claim.after.episodes else before
    match claim.rule:
        case "merged":
            missing = f"no season {saying.season}" if saying and saying.season is not None else "no such season"
            return f"{says}; Trakt has {missing}; placed after {lengths}."
        case "split":
            return f"{says}; Trakt's season ends before that, so it goes on at S{season} E{number}."
        case "contiguous":
            return f"{says}, which runs into the next entry; placed right after {lengths}."
        case "exact_season":
            return f"{says}, which Trakt does not have; season {season} has exactly its {link.episodes} episodes."
        case "sequel":
            first = link.sequel.first.name if link.sequel else ""
            return (
                f"No source has an id for it; by its title it is season {season} of {first}, "
                f"which Anime-Lists knows, and that season has exactly its {link.episodes} episodes."
            )
        case "only_season":
            return f"No source names a season; the show has one, with {numbering.total} episodes."
        case _:
            agree, others = _votes(claim, numbering)
            tail = " The sources agree." if agree > 1 and not others else ""
            tail = " TMDB's numbering decides, another source differs." if others else tail
            return f"{says}; Trakt lists it.{tail}"


_BY_SHAPE = ("contiguous", "exact_season", "only_season", "sequel")


def _sources(link: Link) -> dict[str, str]:
    said: dict[str, list[str]] = {}
    for saying in link.sayings:
        said.setdefault(saying.source, []).append(str(saying))
    return {source: ", ".join(words) for source, words in said.items()}


_DETAILS = {
    Reason.SOURCES_DISAGREE: "The sources name different places and nothing says which one Trakt follows.",
    Reason.PAST_THE_END: "The episodes run past what Trakt lists for this show.",
    Reason.NOT_LISTED_YET: "Trakt does not list these episodes yet.",
    Reason.LENGTH_UNKNOWN: "An earlier entry of the show has no known length, so the place behind it is not known.",
    Reason.SEASON_UNKNOWN: "The show is known, but no source names a season that Trakt has.",
}


def _refused(claim: Claim, numbering: Numbering, trakt_id: int, *, ended: bool) -> Refusal:
    link, reason = claim.link, claim.refused or Reason.SEASON_UNKNOWN
    if not numbering.total and not ended:
        reason = Reason.NOT_LISTED_YET
    detail = _DETAILS.get(reason, "")
    if reason is Reason.CLAIMED_BY_OTHER:
        rival = entry(claim.rival, otherwise="another entry")
        detail = f"{rival[0].upper()}{rival[1:]} of the same show stands there."
    waits = reason is Reason.NOT_LISTED_YET and not (ended and not airing(link))
    candidates = tuple(
        Candidate("show", trakt_id, spans, "trakt_shape", evidence)
        for position, length, evidence in claim.guesses
        if (spans := numbering.spans(numbering.pieces(position, length)))
    )
    return Refusal(
        anilist_id=link.key,
        pile=Pile.WAITING if waits else Pile.NEEDS_YOU,
        reason=reason if waits or reason is not Reason.NOT_LISTED_YET else Reason.PAST_THE_END,
        detail=detail,
        candidates=candidates,
        kind="show",
        trakt_id=trakt_id,
        sources=_sources(link),
    )


# Specials

_SPECIAL_WORDS = {
    "tmdb_rules": ("anime_lists", "Anime-Lists names the TMDB special of every episode."),
    "tmdb_offset": ("tmdb", "The source gives a number of its own for TMDB, whose numbering Trakt follows."),
    "whole_season": ("trakt_shape", "The entry is the only special of the show and fills Trakt's season 0 exactly."),
    "air_date": ("trakt_shape", "Trakt lists these specials with the entry's own dates."),
}


def _special(claim: SpecialClaim, trakt_id: int) -> Placement | Refusal:
    link = claim.link
    if claim.spans:
        source, reason = _SPECIAL_WORDS[claim.rule]
        return Placement(link.key, "show", trakt_id, claim.spans, source, claim.rule, reason, "likely", _sources(link))
    candidates = [Candidate("show", trakt_id, spans, "anime_lists", evidence) for spans, evidence in claim.guesses]
    if link.otaku_movie:
        candidates.append(Candidate("movie", link.otaku_movie, (), "otaku", "Otaku files it under movies"))
    return Refusal(
        anilist_id=link.key,
        pile=Pile.NEEDS_YOU,
        reason=Reason.SPECIAL_UNCONFIRMED,
        detail="The sources call it a special, and nothing confirms which number Trakt gives it.",
        candidates=tuple(candidates),
        kind="show",
        trakt_id=trakt_id,
        sources=_sources(link),
    )


def no_place(link: Link, reason: Reason, detail: str, candidates: Collection[Candidate] = ()) -> Refusal:
    """A refusal before any show or movie is known."""
    pile = Pile.NEEDS_YOU if candidates else Pile.NO_MATCH
    return Refusal(link.key, pile, reason, detail, tuple(candidates), sources=_sources(link))


# Stored form


def from_json(data: Mapping[str, Any]) -> Placement | Refusal | None:
    """The inverse of `jobs.records.to_json` for a placement or a refusal; None for an empty or unreadable value."""
    if not data or "anilist_id" not in data:
        return None
    if "spans" not in data:
        return Refusal(
            anilist_id=data["anilist_id"],
            pile=Pile(data["pile"]),
            reason=Reason(data["reason"]),
            detail=data["detail"],
            candidates=tuple(
                Candidate(c["kind"], c["trakt_id"], _spans(c["spans"]), c["source"], c["evidence"])
                for c in data.get("candidates", ())
            ),
            kind=data.get("kind"),
            trakt_id=data.get("trakt_id"),
            sources=data.get("sources") or {},
            due_at=_moment(data.get("due_at")),
        )
    return Placement(
        anilist_id=data["anilist_id"],
        kind=data["kind"],
        trakt_id=data["trakt_id"],
        spans=_spans(data["spans"]),
        source=data["source"],
        rule=data["rule"],
        reason=data["reason"],
        certainty=data.get("certainty", "sure"),
        sources=data.get("sources") or {},
        open=tuple(
            OpenEpisodes(o["first"], o["last"], Pile(o["pile"]), Reason(o["reason"]), _moment(o.get("due_at")))
            for o in data.get("open", ())
        ),
    )


def _spans(rows: Iterable[Mapping[str, int]]) -> tuple[Span, ...]:
    return tuple(Span(row["from"], row["to"], row["season"], row["start"]) for row in rows)


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value).astimezone(UTC) if value else None
