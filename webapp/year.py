"""A year of plays as squares, a column for each week; pure. `ui.heat` draws it, `months` is the same in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from babel.dates import format_skeleton

from webapp.i18n import gettext as _
from webapp.i18n import locale, ngettext, number
from webapp.times import day_words

WEEKS: Final = 53
STEPS: Final = (0, 2, 5, 10)  # most plays of the levels 0 to 3; more is level 4


@dataclass(frozen=True, slots=True)
class Year:
    """`levels`: the path of each level's squares, one unit wide and high; `months`: (name, plays, days), newest first."""

    weeks: int
    levels: tuple[str, ...]
    label: str
    months: tuple[tuple[str, int, int], ...]


def draw(days: Mapping[date, int], today: date) -> Year | None:
    """The 53 weeks that end with the one of `today`, Monday on top; None when nothing was watched in them."""
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    shown = {day: count for day, count in days.items() if first <= day <= today and count > 0}
    if not shown:
        return None
    parts: list[list[str]] = [[] for _level in range(len(STEPS) + 1)]
    for offset in range((today - first).days + 1):
        count = shown.get(first + timedelta(days=offset), 0)
        parts[level(count)].append(f"M{offset // 7}.1 {offset % 7}.1h.8v.8h-.8z")
    months: dict[date, list[int]] = {}
    for day, count in sorted(shown.items(), reverse=True):
        months.setdefault(day.replace(day=1), []).append(count)
    most = max(shown, key=lambda day: (shown[day], day))
    return Year(
        WEEKS,
        tuple("".join(squares) for squares in parts),
        _(
            "%(plays)s on %(days)s. Most on %(day)s: %(count)s.",
            plays=ngettext("%(num)s play", "%(num)s plays", sum(shown.values())),
            days=ngettext("%(num)s day", "%(num)s days", len(shown)),
            day=day_words(most),
            count=number(shown[most]),
        ),
        tuple((_month(month), sum(counts), len(counts)) for month, counts in months.items()),
    )


def _month(day: date) -> str:
    """November 2026"""
    return str(format_skeleton("yMMMM", day, locale=locale().replace("-", "_")))


def level(count: int) -> int:
    """0 for none, to 4 for more than ten."""
    return next((number for number, most in enumerate(STEPS) if count <= most), len(STEPS))
