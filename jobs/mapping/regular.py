"""Where the regular entries of one show stand: the whole chain at once, so that no two claim the same episode. Pure.

Rules, in order. Each is named in the placement that it decided:
- `source`: the first source (TMDB's numbering, TVDB's, Otaku's) whose season and episode Trakt lists.
- `split`: the offset runs past the season's end, or the run would cross into a season of exactly its length.
- `merged`: Trakt lists no such season; the run follows the earlier entries of the show.
- `contiguous`: a source's offset leaves a hole behind the entry before and runs into the one after by as much.
- `exact_season`: Trakt lists no such season, and one season that no other TV entry needs has exactly its length.
- `sequel`: no source has an id; the title's number is a season of exactly the entry's length that nobody else claims.
- `only_season`: no source names a season, and the show has one, of exactly its length, that nobody else claims.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from jobs.mapping.chain import Link, Saying, order
from jobs.mapping.numbering import Numbering, Piece
from jobs.mapping.wording import entry, said
from jobs.records import Reason

AIRING = ("RELEASING", "NOT_YET_RELEASED", "HIATUS")
_RANK = {"TV": 0, "TV_SHORT": 1, "ONA": 1, None: 2, "OVA": 2, "SPECIAL": 3, "MOVIE": 4}


@dataclass(slots=True)
class Claim:
    """A run of one entry, or why it has none (`refused`). `cut` says why episodes behind the run have no place."""

    link: Link
    pieces: list[Piece] = field(default_factory=list)
    saying: Saying | None = None
    rule: str = "source"
    after: Link | None = None  # merged: the entry before
    refused: Reason | None = None
    rival: Link | None = None  # who stands where this one would
    cut: Reason | None = None
    needs: tuple[int, ...] = ()  # entries whose length must be known first
    guesses: list[tuple[int, int, str]] = field(default_factory=list)  # candidates: position, length, evidence

    @property
    def start(self) -> int:
        return self.pieces[0].start if self.pieces else -1

    @property
    def end(self) -> int:
        return max((p.start + p.count for p in self.pieces), default=-1)

    def strength(self, trakt_id: int) -> tuple[bool, int, bool, int]:
        """Smaller is stronger, when two want the same episode: a run that Trakt lists whole, TV before the rest,
        an entry that Otaku itself gives to this show, a place by a source before one by the seasons' shape."""
        certainty = {"source": 0, "exact_season": 0, "split": 1, "contiguous": 1, "merged": 2}.get(self.rule, 3)
        return self.cut is not None, _RANK.get(self.link.format, 2), self.link.otaku_show != trakt_id, certainty


def airing(link: Link) -> bool:
    return bool(link.media and link.media.status in AIRING)


def claims_of(
    trakt_id: int, links: Sequence[Link], numbering: Numbering, chosen: Collection[int] = ()
) -> dict[int, Claim]:
    """A claim for every link that no source calls a special, by its key. `links` stand in chain order.

    `chosen`: keys of links whose show a person chose.
    """
    claims = [_literal(link, numbering) for link in links if link.is_regular and not link.sequel]
    starts = sorted({c.start for c in claims if c.pieces})
    for claim in claims:
        if claim.pieces:
            _fit(claim, numbering, [s for s in starts if s != claim.start])
    _close_holes(claims, numbering)
    for claim in claims:
        if not claim.pieces and claim.refused is None:
            _merge(claim, claims, numbering)
    claims.extend(_only_season(link, claims, numbering, link.key in chosen) for link in links if not link.sayings)
    for claim in claims:
        if claim.saying and claim.refused in (Reason.PAST_THE_END, Reason.SEASON_UNKNOWN, Reason.NOT_LISTED_YET):
            _exact_season(claim, claims, numbering)
    claims.extend(_sequels([link for link in links if link.sequel], claims, numbering, chosen))
    _settle(claims, trakt_id)
    return {claim.link.key: claim for claim in claims}


def _literal(link: Link, numbering: Numbering) -> Claim:
    """The first saying that Trakt's seasons bear out; a claim without pieces when none is."""
    length = link.episodes
    for saying in link.sayings:
        if not saying.regular:
            continue
        if saying.rules and length:
            pieces = _by_rules(saying, length, numbering)
            if pieces is not None:
                return Claim(link, pieces, saying)
        start = numbering.find(saying)
        if start is not None:
            past = saying.season is not None and numbering.season_of(start) != saying.season
            return Claim(link, [Piece(1, start, 0)], saying, "split" if past else "source")
    return Claim(link, saying=next(s for s in link.sayings if s.regular))


def _by_rules(saying: Saying, length: int, numbering: Numbering) -> list[Piece] | None:
    """Positions of every episode by the lists of Anime-Lists; None when they name a regular place Trakt has not."""
    pieces: list[Piece] = []
    for episode in range(1, length + 1):
        season, number = _target(saying, episode)
        if season == 0 or number == 0:
            continue
        position = numbering.find(Saying(saying.source, saying.side, season, number - 1))
        if position is None:
            return None
        last = pieces[-1] if pieces else None
        if last and last.first + last.count == episode and last.start + last.count == position:
            pieces[-1] = Piece(last.first, last.start, last.count + 1)
        else:
            pieces.append(Piece(episode, position, 1))
    return pieces or None


def _target(saying: Saying, episode: int) -> tuple[int | None, int]:
    for rule in saying.rules:
        for listed, targets in rule.pairs:
            if listed == episode:
                return rule.season, (targets[0] if targets else 0)
    for rule in saying.rules:
        if rule.moves_all and (rule.start or 1) <= episode <= (rule.end or episode):
            return rule.season, episode + rule.offset
    return saying.season, episode + saying.offset


def _fit(claim: Claim, numbering: Numbering, others: Sequence[int]) -> None:
    """Give the run its end: the known length, or where the next entry or the season begins or ends."""
    if claim.pieces[0].count:  # placed episode by episode
        return
    start, link = claim.start, claim.link
    border = numbering.end_of_season(start)
    following = next((s for s in others if s > start), numbering.total)
    length = link.episodes
    if length is None:
        aired = (link.media.next_episode or 1) - 1 if link.media else 0
        end = min(following, border if aired <= border - start else numbering.total)
        claim.pieces = numbering.pieces(start, end - start, end)
        return
    end = start + length
    low = numbering.bounds[numbering.season_of(start)][0]
    if end > border and border < numbering.total:
        next_size = numbering.end_of_season(border) - border
        if low < start and next_size == length and border not in others:
            claim.rule, start, end = "split", border, border + length
        elif border in others or (airing(link) and low == start):
            claim.cut, end = Reason.PAST_THE_END, border
    if end > numbering.total:
        claim.cut = Reason.PAST_THE_END
    claim.pieces = numbering.pieces(start, length, end)


def _close_holes(claims: Iterable[Claim], numbering: Numbering) -> None:
    """Move a run back by the hole before it when it runs into the next entry by exactly as much."""
    placed = sorted((c for c in claims if len(c.pieces) == 1), key=lambda c: c.start)
    for before, claim, after in zip(placed, placed[1:], placed[2:], strict=False):
        overlap = claim.end - after.start
        hole = claim.start - before.end
        same_season = numbering.season_of(before.end - 1) == numbering.season_of(claim.start)
        if overlap > 0 and overlap == hole and same_season and before.end > before.start:
            piece = claim.pieces[0]
            claim.pieces = [Piece(piece.first, piece.start - hole, piece.count)]
            claim.rule, claim.after = "contiguous", before.link


def _merge(claim: Claim, claims: Sequence[Claim], numbering: Numbering) -> None:
    """Trakt lists no such season: follow the earlier entries, where that leaves the run enough room."""
    link, saying = claim.link, claim.saying
    earlier = [c for c in claims if c is not claim and order(c.link)[:2] < order(link)[:2]]
    if not earlier or saying is None:
        claim.refused = Reason.SEASON_UNKNOWN
        return
    unplaced = [c for c in earlier if not c.pieces]
    unknown = [c.link.key for c in earlier if c.link.episodes is None]
    if unplaced or unknown:
        claim.refused = Reason.LENGTH_UNKNOWN if unknown else Reason.SEASON_UNKNOWN
        claim.needs = tuple(key for key in unknown if key > 0)
        return
    before = max(earlier, key=lambda c: c.end)
    start = before.end
    if before.cut or start >= numbering.total:
        claim.refused = Reason.NOT_LISTED_YET if airing(link) or not before.cut else Reason.SEASON_UNKNOWN
        return
    season = numbering.season_of(start)
    if (saying.season is not None and season > saying.season) or start == numbering.bounds[season][0]:
        claim.refused = Reason.SEASON_UNKNOWN
        return
    length = link.episodes
    if length is None and not airing(link):
        claim.refused, claim.needs = Reason.LENGTH_UNKNOWN, (link.key,) if link.key > 0 else ()
        return
    room = numbering.total - start
    if length is not None and length > room and not airing(link):
        claim.refused = Reason.PAST_THE_END
        claim.guesses.append((start, room, "after the earlier entries of the show; too few episodes are listed there"))
        return
    following = min((c.start for c in claims if c.pieces and c.start >= start), default=numbering.total)
    claim.rule, claim.after = "merged", before.link
    claim.pieces = numbering.pieces(start, length or room, following if length is None else numbering.total)
    if length is not None and length > room:
        claim.cut = Reason.NOT_LISTED_YET


def _exact_season(claim: Claim, claims: Sequence[Claim], numbering: Numbering) -> None:
    """One season behind the earlier TV entries has exactly the entry's length and no other TV entry needs it."""
    length = claim.link.episodes
    if length is None or claim.link.format != "TV":
        return
    others = [c for c in claims if c is not claim and c.pieces and c.link.format == "TV"]
    first = max((c.end for c in others if order(c.link) < order(claim.link)), default=0)
    fitting = [
        low
        for low, high in numbering.bounds.values()
        if high - low == length and low >= first and not any(c.start < high and c.end > low for c in others)
    ]
    if len(fitting) == 1 and first:
        claim.pieces, claim.rule = numbering.pieces(fitting[0], length), "exact_season"
        claim.refused, claim.cut = None, None


def _sequels(
    links: Sequence[Link], others: Sequence[Claim], numbering: Numbering, chosen: Collection[int]
) -> list[Claim]:
    """Sequels by title: only the season of that number, free and of exactly the entry's length; a guess otherwise.

    They come last and move nobody: such an entry is in the chain only where it is on somebody's list.
    """
    claims = [_literal(link, numbering) for link in links]
    for claim in claims:
        if claim.pieces:
            claim.pieces = numbering.pieces(claim.start, claim.link.episodes or 1)
    for claim in claims:
        fits = claim.rule == "source" and bool(claim.pieces)
        if fits:
            low, high = numbering.bounds[numbering.season_of(claim.start)]
            rivals = [c for c in (*others, *claims) if c is not claim and c.pieces and c.start < high and c.end > low]
            fits = not rivals and claim.start == low and claim.link.episodes == high - low
        claim.rule = "sequel"
        if not fits:
            claim.refused = Reason.SEASON_UNKNOWN
            first = claim.link.sequel.first.name if claim.link.sequel else ""
            why = f"By its title it is a sequel of {first}, but Trakt's season is taken or has another length"
            claim.guesses = [(p.start, p.count, why) for p in claim.pieces[:1]]
    chosen_ones = {c.link.key: _only_season(c.link, others, numbering, True) for c in claims if c.refused and c.link.key in chosen}  # fmt: skip
    return [chosen_ones.get(claim.link.key, claim) for claim in claims]


def _only_season(link: Link, claims: Sequence[Claim], numbering: Numbering, chosen: bool) -> Claim:
    """No source names a season: placed only where the show has a single season, free and of exactly that length.

    Where a person chose the show, any length that fits will do.
    """
    claim = Claim(link, rule="only_season")
    length = link.episodes or (numbering.total if chosen else 0)
    fits = length == numbering.total or (chosen and length < numbering.total)
    if len(numbering.bounds) == 1 and fits and not any(c.pieces for c in claims):
        claim.pieces = numbering.pieces(0, length)
    else:
        claim.refused = Reason.SEASON_UNKNOWN
        claim.guesses = [
            (low, high - low, f"Trakt's season {season} has {high - low} episodes, and no other entry stands there")
            for season, (low, high) in numbering.bounds.items()
            if (link.episodes or 0) <= high - low
            and not any(c.start < high and c.end > low for c in claims if c.pieces)
        ][:4]
    return claim


def _settle(claims: Sequence[Claim], trakt_id: int) -> None:
    """Two entries never claim the same episode: the stronger one keeps it, equals are both refused."""
    owners: dict[int, Claim] = {}
    strength = {id(claim): claim.strength(trakt_id) for claim in claims}
    for claim in sorted(
        (c for c in claims if c.pieces and c.refused is None), key=lambda c: (strength[id(c)], order(c.link))
    ):
        rivals = {
            id(owner): owner
            for piece in claim.pieces
            for position in range(piece.start, piece.start + piece.count)
            if (owner := owners.get(position)) is not None
        }
        if not rivals:
            for piece in claim.pieces:
                owners.update(dict.fromkeys(range(piece.start, piece.start + piece.count), claim))
            continue
        for rival in rivals.values():
            if strength[id(rival)] == strength[id(claim)] and rival.refused is None:
                _refuse(rival, claim.link)
            claim.rival = rival.link
        _refuse(claim, claim.rival)


def _refuse(claim: Claim, rival: Link | None) -> None:
    claim.refused, claim.rival = Reason.CLAIMED_BY_OTHER, rival
    if claim.pieces:
        piece = claim.pieces[0]
        says = said(claim.link, claim.saying) if claim.saying else "The show has one season of its length"
        who = entry(rival, otherwise="another entry")
        claim.guesses.append((piece.start, sum(p.count for p in claim.pieces), f"{says}; {who} stands there too"))
