"""Files that pages give away: JSON and CSV that are safe to open."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from flask import make_response
from flask.wrappers import Response

from webapp.models import ExtraRow, Media, PlanExtra, RunItem
from webapp.naming import span, title
from webapp.queries.runs import Part

MOST: Final = 1_000_000  # rows of one file
ITEM_COLUMNS: Final = (
    "anilistId", "title", "outcome", "reason", "wanted", "sent", "already", "rejected", "places", "kind", "value",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # spreadsheets take the wide ones too
_TYPES: Final = {"json": "application/json", "csv": "text/csv", "txt": "text/plain", "svg": "image/svg+xml"}


def answer(text: str, name: str) -> Response:
    """The text as a file to keep; its kind follows from the name."""
    response = make_response(text)
    response.mimetype = _TYPES[name.rsplit(".", 1)[-1]]
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def as_json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1)


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """With a head line. A text that begins like a formula gets an apostrophe, so that no spreadsheet runs it."""
    file = io.StringIO()
    table = csv.DictWriter(file, columns)
    table.writeheader()
    table.writerows({name: _cell(row[name]) for name in columns} for row in rows)
    return file.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = "; ".join(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def item_row(item: RunItem, media: Media | None, parts: Iterable[Part], *, planned: bool) -> dict[str, Any]:
    """One title of a run. `planned`: nothing was sent yet, so that `sent` is called `new`."""
    outcome = item.outcome.replace("sent", "new", 1) if planned and item.outcome in ("sent", "sent_in_part") else item.outcome  # fmt: skip
    return {
        "anilistId": item.anilist_id,
        "title": title(media) if media else None,
        "outcome": outcome,
        "reason": item.reason,
        "wanted": item.wanted,
        "sent": item.sent,
        "already": item.already,
        "rejected": item.rejected,
        "places": [_place(part) for part in parts],
        "kind": "plays",
        "value": None,
    }


def extra_row(extra: ExtraRow | PlanExtra, media: Media | None) -> dict[str, Any]:
    """A rating, a watchlist item or a dropped show of a run, with the columns of its titles; `value`: a rating's, 1 to 10."""
    state = extra.state if isinstance(extra, ExtraRow) else "new"
    return {
        "anilistId": extra.anilist_id,
        "title": title(media) if media else None,
        "outcome": state,
        "reason": None,
        "wanted": 1,
        "sent": int(state == "sent"),
        "already": 0,
        "rejected": int(state == "rejected"),
        "places": [f"S{extra.season}" if extra.target == "season" else extra.target],
        "kind": extra.kind,
        "value": extra.value if extra.kind == "rating" else None,
    }


def _place(part: Part) -> str:
    """ "1-12 to S2 E1-12"."""
    if part.kind == "movie":
        return "movie"
    numbers = span(part.first_number, part.last_number)
    return f"{span(part.first_episode, part.last_episode)} to S{part.season} E{numbers}"
