"""Logs: the newest lines of all runs, live by cursor."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import files, queries, times
from webapp.forms import number_arg
from webapp.i18n import lazy_gettext as _l
from webapp.models import utcnow
from webapp.naming import ranges
from webapp.queries.logs import LEVELS
from webapp.templating import is_htmx

blueprint = Blueprint("logs", __name__)
RUNS = 20  # to choose from
LINES = 100  # of one page
FILE = 20_000  # lines of the file


LEVEL_WORDS = {
    "debug": _l("Everything"), "info": _l("What happened"), "warning": _l("Warnings"), "error": _l("Errors"),
}  # fmt: skip


def _wishes() -> tuple[str, int | None]:
    """Level and run that the address asks for."""
    level = request.args.get("level", "info")
    return level if level in LEVELS else "info", number_arg("run") or None


@blueprint.get("/logs")
def show() -> ResponseReturnValue:
    """The page; for htmx what came since `after`, without the ids in `seen` ("118-120,125"), or 204."""
    level, run_id = _wishes()
    after = number_arg("after")
    kept: dict[str, Any] = {"level": level, "run": run_id}
    today = times.local_day(utcnow())
    if is_htmx() and after is not None:
        page = queries.tail(current_user.id, max(after, 0), numbers(request.args.get("seen", "")), level=level, run_id=run_id)  # fmt: skip
        if not page.lines:
            return "", 204
        return render_template("logs/_lines.html", page=page, kept=kept, seen=seen_words(page.seen), today=today)
    before = number_arg("before")
    page = queries.logs(current_user.id, level=level, run_id=run_id, before=before, limit=LINES)
    return render_template(
        "logs/logs.html",
        page=page,
        level=level,
        run=run_id,
        kept=kept,
        today=today,
        seen=seen_words(page.seen),
        chips=[(code, str(text), url_for("logs.show", level=code, run=run_id), None) for code, text in LEVEL_WORDS.items()],
        runs=queries.runs(current_user.id, limit=RUNS),
        older=url_for("logs.show", before=page.lines[-1].id, **kept) if len(page.lines) == LINES else None,
        live=before is None,
        most=FILE,
    )  # fmt: skip


@blueprint.get("/logs/file")
def download() -> ResponseReturnValue:
    """The newest lines of the same level and run as a text, oldest first, times in the person's zone with its offset."""
    level, run_id = _wishes()
    page = queries.logs(current_user.id, level=level, run_id=run_id, limit=FILE)
    zone = times.person_zone()
    lines = [
        f"{line.created_at.astimezone(zone).isoformat(timespec='milliseconds')} {line.level:<7} "
        + (f"run {line.run_id}: " if line.run_id else "")
        + line.message
        for line in reversed(page.lines)
    ]
    return files.answer("".join(f"{line}\n" for line in lines), f"tsuzuki-log-{run_id}.txt" if run_id else "tsuzuki-log.txt")  # fmt: skip


def seen_words(seen: frozenset[int]) -> str:
    return ranges(seen).replace(" ", "")


def numbers(text: str) -> set[int]:
    """The inverse of `seen_words`; what can't be read counts as nothing, and at most 2,000 ids are taken."""
    found: set[int] = set()
    for part in text.split(",")[:500]:
        match = re.fullmatch(r"(\d{1,15})(?:-(\d{1,15}))?", part)
        if match:
            first, last = int(match[1]), int(match[2] or match[1])
            found.update(range(first, min(last, first + 2000) + 1))
        if len(found) > 2000:
            break
    return found
