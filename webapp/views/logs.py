"""Logs: the newest lines of all runs, live by cursor."""

from __future__ import annotations

import re

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import queries
from webapp.forms import number_arg
from webapp.i18n import gettext as _
from webapp.queries.logs import LEVELS
from webapp.templating import is_htmx, ranges

blueprint = Blueprint("logs", __name__)


@blueprint.get("/logs")
def show() -> ResponseReturnValue:
    """The page; for htmx what came since `after`, without the ids in `seen` ("118-120,125"), or 204."""
    level = request.args.get("level", "info")
    level = level if level in LEVELS else "info"
    after = number_arg("after")
    if is_htmx() and after is not None:
        page = queries.tail(current_user.id, max(after, 0), numbers(request.args.get("seen", "")), level=level)
        if not page.lines:
            return "", 204
        return render_template("logs/_lines.html", page=page, level=level, seen=seen_words(page.seen))
    before = number_arg("before")
    page = queries.logs(current_user.id, level=level, before=before)
    older = url_for("logs.show", level=level, before=page.lines[-1].id) if len(page.lines) == 200 else None
    chips = [
        (code, text, url_for("logs.show", level=code), None)
        for code, text in (
            ("debug", _("Everything")),
            ("info", _("What happened")),
            ("warning", _("Warnings")),
            ("error", _("Errors")),
        )
    ]
    return render_template("logs/logs.html", page=page, level=level, seen=seen_words(page.seen), chips=chips, older=older, live=before is None)  # fmt: skip


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
