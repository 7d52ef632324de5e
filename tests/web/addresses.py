"""Addresses of every page and fragment: what the counting of queries, `./run bench pages` and the browser ask for.

`{name}` stands for something of the library at hand. A rule of the app that neither `PAGES` nor `LEFT_OUT` names fails a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import Flask

HX = "hx "  # asked by htmx, which gets a fragment
PAGES: Mapping[str, tuple[str, ...]] = {
    "home.show": ("/", "hx /"),
    "home.changes": ("/changes", "hx /changes"),
    "home.step": ("hx /step?on=/",),
    "home.budgets": ("/budgets", "hx /budgets"),
    "home.caches": ("hx /caches",),
    "review.show": ("/review", "/review?offset={second}", "/review?at={asking}"),
    "review.no_match": ("/review/no-match", "hx /review/no-match"),
    "review.waiting": ("/review/waiting", "hx /review/waiting"),
    "review.decided": ("/review/decided", "hx /review/decided"),
    "sync.show": ("/sync",),
    "history.show": (
        "/history", "hx /history", "/history?q={words}", "/history?q=the", "/history?q=nothing-fits", "/history?state=sent", "/history?state=hold",
        "/history?state=open", "/history?title={title}", "/history?run={run}", "/history?before={play}",
    ),
    "beyond.show": ("/history/beyond", "/history/beyond?kind=rating&state=sent", "/history/beyond?state=hold", "/history/beyond?before=9999"),
    "history.held": ("/history/held", "hx /history/held"),
    "repair.show": ("/history/repair",),
    "runs.index": ("/runs", "/runs?before={run}"),
    "runs.show": ("/runs/{run}", "/runs/{run}?outcome=sent", "/runs/{run}?offset=100", "/runs/{preview}", "/runs/{open_run}", "/runs/{repair}"),
    "runs.progress": ("hx /runs/{run}/progress", "hx /runs/{open_run}/progress"),
    "runs.log": ("hx /runs/{run}/log", "hx /runs/{run}/log?after={line}"),
    "runs.plan_entry": ("/runs/{preview}/plan/{planned}", "hx /runs/{preview}/plan/{planned}"),
    "plans.new_dates": ("hx /runs/{preview}/dates?shown={shown}",),
    "plans.there": ("/runs/{preview}/there", "hx /runs/{preview}/there"),
    "runs.confirm_undo": ("/runs/{run}/undo",),
    "logs.show": ("/logs", "/logs?level=debug", "/logs?level=warning", "/logs?level=error", "/logs?before={line}", "/logs?run={run}", "hx /logs?after={line}"),
    "mappings.show": (
        "/mappings", "hx /mappings", "/mappings?sort=title", "/mappings?sort=progress", "/mappings?sort=state", "/mappings?q={words}",
        "/mappings?q={words}&sort=title", "/mappings?q=the", "/mappings?q=the&sort=title", "/mappings?q={native}", "/mappings?q={title}", "/mappings?q=nothing-fits", "/mappings?state=placed", "/mappings?state=needs_you&sort=title",
        "/mappings?state=manual", "/mappings?state=auto", "/mappings?state=movie&sort=title", "/mappings?state=unknown", "/mappings?state=ignored", "/mappings?offset={offset}",
    ),
    "mappings.progress": ("/mappings/progress", "/mappings/progress?offset={offset}"),
    "mappings.entry": ("/mappings/{title}", "/mappings/{movie}", "/mappings/{asking}", "/mappings/{by_hand}"),
    "mappings.place": ("hx /mappings/{title}/place",),
    "places.found": ("/mappings/{title}/find/{look_up}", "hx /mappings/{title}/find/{look_up}"),
    "why.show": ("/mappings/why", "/mappings/why?q={words}", "/mappings/why?q={title}"),
    "manual.show": ("/manual",),
    "transfer.show": ("/manual/file",),
    "transfer.override": ("/manual/override",),
    "lists.show": ("/manual/lists",),
    "settings.show": ("/settings",),
    "settings.connections": ("/settings/connections",),
    "help.show": ("/help",),
    "api_docs.page": ("/api/docs",),
}  # fmt: skip
LEFT_OUT = {
    "static": "files",
    "account.sign_in": "leads on when signed in",
    "setup.show": "leads on once there is an account",
    "places.another": "leads on",
    "oauth.callback": "a service's answer",
    "oauth.device_state": "a service's answer",
    "cron.check": "starts a run",
    "transfer.export": "a file of all corrections",
    "runs.download": "a file of all titles of a run",
    "runs.picture": "a picture to keep",
    "logs.download": "a file of log lines",
    "transfer.look": "shows a file that was sent",
    "api_health.healthz": "for machines",
    "api_health.readyz": "for machines",
    "api_health.metrics": "for machines",
}


@dataclass(frozen=True, slots=True)
class Address:
    """`fragment`: asked by htmx."""

    path: str
    fragment: bool

    def __str__(self) -> str:
        return f"{self.path} (fragment)" if self.fragment else self.path

    @property
    def headers(self) -> dict[str, str]:
        return {"HX-Request": "true"} if self.fragment else {}


def addresses(known: Mapping[str, object]) -> Iterator[Address]:
    """All of them, with what is known of the library put in."""
    for paths in PAGES.values():
        for path in paths:
            yield Address(path.removeprefix(HX).format_map(known), path.startswith(HX))


def without_a_library() -> dict[str, str]:
    """Endpoint -> the first of its addresses, where that is a page that needs nothing of a library."""
    return {
        endpoint: paths[0] for endpoint, paths in PAGES.items() if not paths[0].startswith(HX) and "{" not in paths[0]
    }


def fragments() -> set[str]:
    """Endpoints that only htmx asks."""
    return {endpoint for endpoint, paths in PAGES.items() if all(path.startswith(HX) for path in paths)}


def unnamed(app: Flask) -> set[str]:
    """Endpoints that answer GET and stand in neither list. The JSON API is no page."""
    found = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.rule.startswith("/api/")}  # fmt: skip
    return found - PAGES.keys() - LEFT_OUT.keys()
