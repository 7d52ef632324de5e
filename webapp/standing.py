"""How things stand, in one sentence with a dot: the first line of Home, and the step of the set-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import url_for

from webapp import queries, words
from webapp.i18n import gettext as _
from webapp.i18n import ngettext, number
from webapp.models import Connection, MappingSource, Run, User
from webapp.queries import Latest
from webapp.times import clock, on

CONNECTED = ("connected", "name_only")


@dataclass(frozen=True)
class Standing:
    """`tone` of the dot, the sentence, what explains it, and where to go next (address and words), if anywhere."""

    tone: str
    sentence: str
    detail: str = ""
    url: str = ""
    action: str = ""


@dataclass(frozen=True)
class Step:
    number: int
    words: str
    url: str
    action: str


def is_connected(connection: Connection | None) -> bool:
    return connection is not None and connection.state in CONNECTED


def setup_step(user: User, connections: Mapping[str, Connection]) -> Step | None:
    """What is next in the set-up; None when it is done, which one look at the connections tells."""
    if is_connected(connections.get("anilist")) and is_connected(connections.get("trakt")) and user.hand_consent_at:
        return None
    if not is_connected(connections.get("anilist")):
        return Step(2, _("connect AniList"), url_for("settings.connections"), _("Connect AniList"))
    if any(not row.rows_kept for row in queries.cache_rows()):
        return Step(
            3, _("fill the mapping caches"), url_for("home.show", under=1, _anchor="caches"), _("See the caches")
        )
    plan = queries.newest_plan(user.id)
    if plan is None and (run := next((row for row in queries.open_runs(user.id) if row.preview), None)):
        return Step(4, _("the plan is being made"), url_for("runs.show", run_id=run.id), _("Watch it"))
    if plan is None:
        return Step(4, _("look at the plan"), url_for("sync.show"), _("Make a preview"))
    if not is_connected(connections.get("trakt")):
        return Step(5, _("connect Trakt"), url_for("settings.connections"), _("Connect Trakt"))
    return Step(5, _("send the plan"), url_for("runs.show", run_id=plan.id), _("Look at it"))


def broken(connections: Mapping[str, Connection]) -> Connection | None:
    """A connection that worked and no longer does."""
    return next((row for row in connections.values() if row.state in ("reconnect", "refused")), None)


def standing(connections: Mapping[str, Connection], caches: Sequence[MappingSource], latest: Latest) -> Standing:
    """The most pressing thing first."""
    lost = broken(connections)
    if lost is not None:
        return _lost(lost)
    if not is_connected(connections.get("anilist")):
        return Standing(
            "new",
            _("Let's look at your library first."),
            _("Type your AniList name. Nothing is written anywhere until you have seen the plan and said yes."),
            *((url_for("settings.connections"), _("Connect AniList")) if connections.get("anilist") else ("", "")),
        )
    if (connections["anilist"].details or {}).get("problem") == "wrong_name":
        return Standing(
            "bad",
            _("AniList has no public list of %(name)s.", name=connections["anilist"].account_name or "?"),
            _("Look at the spelling, or sign in instead."),
            url_for("settings.connections"),
            _("Connect AniList"),
        )
    running: Sequence[Run] = latest.open_runs
    if running:
        return _running(running)
    waiting: Sequence[Run] = latest.waiting_approval
    if waiting:
        run = waiting[0]
        return Standing(
            "review", words.run_sentence(run), "", url_for("runs.show", run_id=run.id), _("Look at the plan")
        )
    if any(row.last_error and not row.rows_kept for row in caches):
        return Standing(
            "bad",
            _("The mapping caches could not be filled."),
            _("Nothing can be placed without them. Update them below; the next run tries too."),
            url_for("home.show", under=1, _anchor="caches"),
            _("See the caches"),
        )
    if not is_connected(connections.get("trakt")):
        first = not latest.preview and "trakt" not in connections
        return _first_look(caches) if first else _no_trakt(latest.preview)
    preview: Run | None = latest.preview
    if preview is not None and preview.plays_planned and latest.last_check is None:
        return _ready(preview)
    return _last(latest.last_check)  # fmt: skip


def _lost(row: Connection) -> Standing:
    service = words.label("service", row.service)
    if row.state == "refused":
        text = words.sentence("run_reason", row.state_reason) if row.state_reason else words.sentence("connection", "refused", service=service)  # fmt: skip
        return Standing("bad", text, "", url_for("settings.connections"), _("Check again"))
    return Standing(
        "bad",
        _("%(service)s signed us out %(at)s.", service=service, at=on(row.state_since)),
        _("Nothing is lost: what waits here goes out after you sign in again."),
        url_for("settings.connections"),
        _("Connect %(service)s", service=service),
    )


def _running(running: Sequence[Run]) -> Standing:
    run = next((row for row in running if row.status != "queued"), running[0])
    url = url_for("runs.show", run_id=run.id)
    if run.status == "waiting":
        return Standing("off", words.run_sentence(run), "", url, _("See the run"))
    if run.status == "queued":
        return Standing("off", words.sentence("state", "queued"), words.label("mode", run.mode), url, _("See the run"))
    return Standing("run", _("A run is under way."), words.label("phase", run.phase) if run.phase else "", url, _("Watch it"))  # fmt: skip


def _no_trakt(preview: Run | None) -> Standing:
    if preview is not None and preview.plays_planned:
        text = ngettext(
            "Trakt isn't connected yet. Your plan is ready: %(count)s play.",
            "Trakt isn't connected yet. Your plan is ready: %(count)s plays.",
            preview.plays_planned,
            count=number(preview.plays_planned),
        )
    else:
        text = _("Trakt isn't connected yet.")
    return Standing("new", text, _("Since July 2026 Trakt gives API keys to VIP members only. Without VIP you can still check your list here."), url_for("settings.connections"), _("Connect Trakt"))  # fmt: skip


def _first_look(caches: Sequence[MappingSource]) -> Standing:
    """The plan comes before the key: there is something to see without one."""
    if any(not row.rows_kept for row in caches):
        return Standing(
            "run",
            _("The mapping caches are being filled."),
            _("They say which show and season a title is. It takes a minute; you don't need to do anything."),
            url_for("home.show", under=1, _anchor="caches"),
            _("See the caches"),
        )
    return Standing(
        "new",
        _("Ready for the first look."),
        _("A preview reads your list and shows where everything would go. It sends nothing, and needs no key."),
        url_for("sync.show"),
        _("Make a preview"),
    )


def _ready(preview: Run) -> Standing:
    return Standing(
        "new",
        ngettext(
            "Your plan is ready: %(count)s play.",
            "Your plan is ready: %(count)s plays.",
            preview.plays_planned,
            count=number(preview.plays_planned),
        ),
        _("Nothing has been sent. Look at it, then say yes."),
        url_for("runs.show", run_id=preview.id),
        _("Look at the plan"),
    )


def _last(run: Run | None) -> Standing:
    if run is None:
        return Standing(
            "new",
            _("Ready for the first look."),
            _("A preview reads AniList and Trakt, and sends nothing."),
            url_for("sync.show"),
            _("Make a preview"),
        )
    url = url_for("runs.show", run_id=run.id)
    if run.status == "succeeded":
        detail = ""
        if run.plays_sent:
            detail = _("Sent at %(at)s.", at=clock(run.finished_at))
        return Standing("ok", words.run_sentence(run), detail, url, _("See the run"))
    return Standing(words.tone("state", run.status), words.run_sentence(run), "", url, _("See the run"))  # fmt: skip
