"""Seasons as bars: what Trakt lists, with the episodes that a title would take lit up. Pure; `ui.season_bars` draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from webapp.i18n import gettext as _
from webapp.i18n import ngettext

Seasons = Mapping[str, Sequence[Sequence[Any]]]  # as in `models.TraktShow.seasons`
Spans = Sequence[Mapping[str, int]]  # {"from", "to", "season", "start"}
Stretch = tuple[int, int]  # position of the first episode within its season, from 0, and how many

MOST: Final = 6  # bars of one drawing
CELLS: Final = 60  # up to so many episodes are drawn one by one


@dataclass(frozen=True, slots=True)
class Bar:
    """One season. `lit`: episodes that the person has watched; `rest`: the title's others; `taken`: other titles'; `wrong`: where a
    count that starts elsewhere would put them.
    """

    season: int
    total: int
    lit: tuple[Stretch, ...]
    rest: tuple[Stretch, ...]
    taken: tuple[Stretch, ...]
    wrong: tuple[Stretch, ...]
    text: str  # what stands beside it: "1-12 of 13"
    label: str  # all that it shows, in words


@dataclass(frozen=True, slots=True)
class Drawing:
    """`widest`: episodes of the longest bar, the unit of all; `hidden`: seasons that are left out."""

    bars: tuple[Bar, ...]
    widest: int
    hidden: int

    @property
    def cells(self) -> bool:
        return self.widest <= CELLS


def draw(seasons: Seasons, spans: Spans, watched: int, taken: Spans = (), wrong: Spans = ()) -> Drawing | None:
    """The seasons that the spans touch with their neighbours, of specials those alone; None where Trakt's seasons are not known.

    `watched`: episodes of the title, from 1, that were watched. `taken`: places of other titles; `wrong`: places that the title would have by mistake.
    """
    listed = {int(name): [int(row[0]) for row in rows] for name, rows in seasons.items() if rows}
    touched = {span["season"] for span in spans}
    regular = sorted(number for number in listed if number > 0)
    beside = _near(regular, touched) if touched != {0} else ()
    shown = sorted({*(touched & listed.keys()), *beside})[: MOST + 1]
    if not shown or not touched:
        return None
    bars = tuple(_bar(season, listed[season], spans, watched, taken, wrong) for season in shown)
    return Drawing(bars, max(bar.total for bar in bars), len(set(regular) - set(shown)) if beside else 0)


def _near(regular: Sequence[int], touched: set[int]) -> Sequence[int]:
    """All regular seasons when they are few, else those that are touched and the ones beside them."""
    if len(regular) <= MOST:
        return regular
    at = [i for i, number in enumerate(regular) if number in touched]
    return sorted({regular[j] for i in at for j in (i - 1, i, i + 1) if 0 <= j < len(regular)})


def _bar(season: int, numbers: Sequence[int], spans: Spans, watched: int, taken: Spans, wrong: Spans) -> Bar:
    mine = {at: episode for at, number in enumerate(numbers) if (episode := _episode(spans, season, number))}
    lit = [at for at, episode in mine.items() if episode <= watched]
    rest = [at for at, episode in mine.items() if episode > watched]
    others = [at for at, number in enumerate(numbers) if at not in mine and _episode(taken, season, number)]
    mistaken = [at for at, number in enumerate(numbers) if at not in mine and _episode(wrong, season, number)]
    total = len(numbers)
    all_of = ngettext("%(num)s episode", "%(num)s episodes", total)
    text, label = all_of, _("%(all)s, none of them yours.", all=all_of)
    if mine:
        words = _stretch_words(numbers, mine)
        text = _("%(which)s of %(all)s", which=words, all=total)
        label = _("%(all)s; %(which)s would be yours.", all=all_of, which=words)
    if others:
        label += " " + ngettext("%(num)s belongs to another title.", "%(num)s belong to other titles.", len(others))
    if mistaken:
        text = text if mine else _("%(which)s by mistake", which=_stretch_words(numbers, mistaken))
        label += " " + _("Counted from S1E1, yours would stand on %(which)s.", which=_stretch_words(numbers, mistaken))
    return Bar(season, total, stretches(lit), stretches(rest), stretches(others), stretches(mistaken), text, label)


def _stretch_words(numbers: Sequence[int], positions: Iterable[int]) -> str:
    return ", ".join(_span_words(numbers, stretch) for stretch in stretches(positions))


def _span_words(numbers: Sequence[int], stretch: Stretch) -> str:
    first, last = numbers[stretch[0]], numbers[stretch[0] + stretch[1] - 1]
    return str(first) if first == last else f"{first}-{last}"


def _episode(spans: Spans, season: int, number: int) -> int | None:
    """The episode of the title that stands on this number, or None."""
    for span in spans:
        episode = span["from"] + number - span["start"]
        if span["season"] == season and span["from"] <= episode <= (span["to"] or episode):
            return episode
    return None


def stretches(positions: Iterable[int]) -> tuple[Stretch, ...]:
    """[0, 1, 2, 5] -> ((0, 3), (5, 1))."""
    found: list[tuple[int, int]] = []
    for at in sorted(positions):
        if found and at == sum(found[-1]):
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((at, 1))
    return tuple(found)
