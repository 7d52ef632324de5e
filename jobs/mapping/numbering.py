"""The regular episodes of a Trakt show as one row of positions, and what stands where in it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.mapping.chain import Saying
from jobs.records import Shape, Span


@dataclass(frozen=True, slots=True)
class Piece:
    """Episodes first.. of an entry stand at positions start..start+count-1."""

    first: int
    start: int
    count: int


class Numbering:
    """Positions count from 0 over all seasons above 0 in Trakt's order; numbers are whatever Trakt lists."""

    def __init__(self, shape: Shape) -> None:
        self.flat: list[tuple[int, int]] = []
        self.bounds: dict[int, tuple[int, int]] = {}  # season -> positions from, to (exclusive)
        self._broken: set[int] = set()  # seasons with holes in their numbers
        for season in sorted(s for s in shape.seasons if s > 0):
            numbers = [slot.number for slot in shape.seasons[season]]
            if not numbers:
                continue
            start = len(self.flat)
            self.flat.extend((season, number) for number in numbers)
            self.bounds[season] = (start, start + len(numbers))
            if numbers[-1] - numbers[0] + 1 != len(numbers):
                self._broken.add(season)
        self.total = len(self.flat)
        self._index = {place: position for position, place in enumerate(self.flat)}

    def index(self, season: int, number: int) -> int | None:
        return self._index.get((season, number))

    def season_of(self, position: int) -> int:
        return self.flat[position][0]

    def end_of_season(self, position: int) -> int:
        """Position behind the last episode of the season that holds `position`."""
        return self.bounds[self.season_of(position)][1]

    def find(self, saying: Saying, episode: int = 1) -> int | None:
        """Position of an entry's episode as a source says it; None when Trakt has no such season or episode.

        A number that the season lists is that episode. Where a season goes on counting from the one before (its
        first number is above 1) and lists no such number, the offset counts from its start. An offset that runs
        past a whole season's end goes on in the next one: Trakt has split it.
        """
        steps = saying.offset + episode - 1
        if steps < 0:  # an offset below zero puts the episode before the first one
            return None
        if saying.season is None:
            return steps if steps < self.total else None
        if saying.season not in self.bounds:
            return None
        start, end = self.bounds[saying.season]
        listed = self._index.get((saying.season, steps + 1))
        if listed is not None:
            return listed
        if self.flat[start][1] <= 1 and saying.season in self._broken:
            return None
        position = start + steps
        if position < end:
            return position if self.flat[start][1] > 1 else None
        return position if position < self.total else None

    def pieces(self, start: int, length: int, end: int | None = None) -> list[Piece]:
        """A run of `length` episodes from `start` on, at most up to position `end`; what is not listed is left out.

        In a season with holes that counts from 1, episodes keep their distance in numbers, so that a hole is an
        episode which Trakt does not list yet.
        """
        end = min(self.total if end is None else end, self.total)
        season, number = self.flat[start]
        low, high = self.bounds[season]
        if season not in self._broken or self.flat[low][1] > 1:
            return [Piece(1, start, min(length, end - start))] if end > start else []
        found: list[Piece] = []
        for episode in range(1, length + 1):
            position = self._index.get((season, number + episode - 1))
            if position is None or position >= min(high, end):
                continue
            last = found[-1] if found else None
            if last and last.first + last.count == episode and last.start + last.count == position:
                found[-1] = Piece(last.first, last.start, last.count + 1)
            else:
                found.append(Piece(episode, position, 1))
        return found

    def spans(self, pieces: list[Piece]) -> tuple[Span, ...]:
        """Pieces as spans, cut wherever season or numbering breaks."""
        spans: list[Span] = []
        for piece in pieces:
            done = 0
            while done < piece.count:
                season, number = self.flat[piece.start + done]
                room = min(piece.count - done, self.bounds[season][1] - piece.start - done)
                size = 1
                while size < room and self.flat[piece.start + done + size][1] == number + size:
                    size += 1
                spans.append(Span(piece.first + done, piece.first + done + size - 1, season, number))
                done += size
        return tuple(spans)
