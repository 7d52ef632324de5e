"""The report as one SVG file that stands alone: no link, no script, no font of its own, nothing private."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from flask import render_template

from webapp import bars
from webapp.naming import title
from webapp.report import Case, Report

WIDTH: Final = 1200
MARGIN: Final = 60
COLUMN: Final = 510  # two of them, 60 apart
BAR: Final = 300  # the longest season
LINE: Final = 22  # from one season to the next
TOP: Final = 300  # where the cases begin
HEAD: Final = 62  # of a case, above its seasons
GAP: Final = 26
LONGEST: Final = 46  # letters of a title; wide ones count twice


@dataclass(frozen=True)
class Stretch:
    """A part of a season in units of the picture. `kind`: lit, rest, taken, wrong."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True)
class Row:
    """One season: its line, its number, how long it is."""

    y: int
    season: int
    width: float
    stretches: Sequence[Stretch]
    text: str


@dataclass(frozen=True)
class Drawn:
    """One case at its place in the picture."""

    x: int
    y: int
    name: str
    case: Case
    rows: Sequence[Row]


def draw(report: Report) -> str:
    """The SVG. Cases without a drawing are left out."""
    drawn = list(_placed([case for case in report.cases if case.drawing]))
    height = max((one.y + HEAD + LINE * len(one.rows) for one in drawn), default=TOP) + 80
    return render_template("report/picture.svg", report=report, cases=drawn, width=WIDTH, height=height, margin=MARGIN)


def _placed(cases: Sequence[Case]) -> Iterator[Drawn]:
    """Each case goes to the column that is shorter."""
    ends = [TOP, TOP]
    for case in cases:
        column = ends.index(min(ends))
        assert case.drawing is not None  # for the type checker; those without are left out
        rows = _rows(case.drawing)
        yield Drawn(MARGIN + column * (COLUMN + MARGIN), ends[column], shortened(title(case.entry.media)), case, rows)
        ends[column] += HEAD + LINE * len(rows) + GAP


def _rows(drawing: bars.Drawing) -> list[Row]:
    unit = BAR / drawing.widest
    rows = []
    for at, bar in enumerate(drawing.bars):
        kinds = (("taken", bar.taken), ("wrong", bar.wrong), ("rest", bar.rest), ("lit", bar.lit))
        stretches = [Stretch(kind, round(start * unit, 1), round(count * unit, 1)) for kind, parts in kinds for start, count in parts]  # fmt: skip
        rows.append(Row(HEAD + LINE * at, bar.season, round(bar.total * unit, 1), stretches, bar.text))
    return rows


def shortened(text: str) -> str:
    """As much of it as fits on a line."""
    width = 0
    for at, letter in enumerate(text):
        width += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if width > LONGEST:
            return text[: max(at - 1, 1)].rstrip() + "…"
    return text
