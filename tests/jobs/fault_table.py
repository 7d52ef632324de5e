"""The fault table: one row per fault and service, with what the run does and says.

Seven plays are to be sent. A row's fault is there from the beginning of the run until the row says that it passes, or
until the test mends it; then the same run goes on, or the next one begins, and each play must be on Trakt once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from tests.jobs.fault_world import Stage
from webapp.simulator.catalogue import Kind

Given = Callable[[Stage], None]
Ending = tuple[str, str | None]  # state, reason

WAITS_RATE: Ending = ("waiting", "rate_limited")
WAITS_DOWN: Ending = ("waiting", "service_down")
WAITS_LOOK: Ending = ("waiting", "settling")
DONE: Ending = ("succeeded", None)


def failed(reason: str) -> Ending:
    return "failed", reason


@dataclass(frozen=True, slots=True)
class Row:
    """`ends`: the states in order while the fault lasts; after each that waits, its time comes."""

    service: str  # the address that misbehaves: anilist, trakt, trakt-auth
    fault: str
    ends: tuple[Ending, ...]
    says: str  # part of the sentence that the person reads at the last of `ends`
    tries: int | None  # requests of the faulty kind that left until then
    there: int = 0  # of the seven plays, on Trakt by then
    wait: float | None = None  # seconds until the run goes on by itself, at the first of `ends`
    mend: Literal["", "sign in", "send again"] = ""  # what a person does, besides waiting
    hits: Mapping[str, Any] = field(default_factory=dict)  # which requests: fields of the simulator's Fault
    spec: Mapping[str, Any] = field(default_factory=dict)  # what goes wrong: fields of the simulator's Fault
    given: Given | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    notice: str = ""  # the connection's state afterwards, where the reason alone does not say it
    passes: bool = False  # the same fault, once, is absorbed: the run asks again
    alike: bool = False  # goes the same way as another row: only with --all

    @property
    def name(self) -> str:
        return f"{self.service}-{self.hits.get('method', '')}{self.hits.get('path', '')}-{self.fault}".replace(" ", "_")


def status(code: int, body: str = "", **headers: str) -> dict[str, Any]:
    return {"kind": "status", "status": code, "body": body, "headers": headers}


def graphql(code: int, message: str) -> str:
    return json.dumps({"data": None, "errors": [{"message": message, "status": code}]})


def refused(service: str) -> Given:
    return lambda stage: stage.refuse(service)


SHORT = {"HTTP_READ_SECONDS": 1.2, "HTTP_WRITE_SECONDS": 1.2, "SYNC_MAX_RETRIES": 0}
BATCHES = {"TRAKT_BATCH_SIZE": 4}
SILENCE = {"kind": "silence", "seconds": 3.0}
CLOUDFLARE_200 = {"kind": "html", "status": 200}
CLOUDFLARE_403 = {"kind": "html", "status": 403}
BROKEN_JSON = status(200, '{"data": [')
SLOWER = {"Retry-After": "7"}
MUCH_SLOWER = {"Retry-After": "90"}
ASKED = 6  # the first try and SYNC_MAX_RETRIES more

UNUSABLE = "A service answered something that we could not use"
INCOMPLETE = "answer was incomplete, so nothing was sent on it"

# AniList: reading the list, after asking who is there

LIST = {"service": "anilist", "method": "POST", "path": "/graphql", "nth": 2}
NO_TOKEN = graphql(400, "Invalid token")


def anilist(fault: str, spec: Mapping[str, Any], *ends: Ending, says: str, tries: int, **more: Any) -> Row:
    return Row("anilist", fault, ends, says, tries + 1, hits=LIST, spec=spec, **more)


DOWN_ANILIST = "AniList does not answer. We look again at"
ANILIST: tuple[Row, ...] = (
    anilist("429 with a short Retry-After", status(429, graphql(429, "Too Many Requests."), **SLOWER), WAITS_RATE, says="AniList asked us to slow down", tries=ASKED, wait=60, passes=True),
    anilist("429 with a long Retry-After", status(429, graphql(429, "Too Many Requests."), **MUCH_SLOWER), WAITS_RATE, says="AniList asked us to slow down", tries=1, wait=90),
    anilist("429 without Retry-After", status(429), WAITS_RATE, says="AniList asked us to slow down", tries=ASKED, wait=60, passes=True),
    anilist("500", status(500, graphql(500, "Internal Server Error")), WAITS_DOWN, says=DOWN_ANILIST, tries=ASKED, wait=300, passes=True),
    anilist("502", status(502), WAITS_DOWN, says=DOWN_ANILIST, tries=ASKED, wait=300, passes=True, alike=True),
    anilist("503", status(503), WAITS_DOWN, says=DOWN_ANILIST, tries=ASKED, wait=300, passes=True),
    anilist("504", status(504), WAITS_DOWN, says=DOWN_ANILIST, tries=ASKED, wait=300, passes=True, alike=True),
    anilist("Cloudflare with 200", CLOUDFLARE_200, WAITS_DOWN, says=DOWN_ANILIST, tries=ASKED, wait=300, passes=True),
    anilist("Cloudflare with 403", CLOUDFLARE_403, WAITS_DOWN, says=DOWN_ANILIST, tries=1, wait=900),
    anilist("switched off (403)", status(403, graphql(403, "The AniList API has been temporarily disabled")), WAITS_DOWN, says=DOWN_ANILIST, tries=1, wait=900),
    Row("anilist", "connection refused", (WAITS_DOWN,), DOWN_ANILIST, 0, wait=300, given=refused("anilist"), hits=LIST),
    anilist("dropped", {"kind": "drop_before"}, WAITS_DOWN, says=DOWN_ANILIST, tries=ASKED, wait=300, passes=True),
    anilist("dropped after reading", {"kind": "drop_after_apply"}, WAITS_DOWN, says=DOWN_ANILIST, tries=ASKED, wait=300, passes=True),
    anilist("half a body", {"kind": "half_body"}, WAITS_DOWN, says=DOWN_ANILIST, tries=ASKED, wait=300, passes=True),
    anilist("silence", SILENCE, WAITS_DOWN, says=DOWN_ANILIST, tries=1, wait=300, settings=SHORT),
    anilist("invalid JSON", BROKEN_JSON, WAITS_DOWN, says=DOWN_ANILIST, tries=ASKED, wait=300, passes=True),
    anilist("errors of its own with 200", {"kind": "graphql_error_200"}, WAITS_DOWN, says=DOWN_ANILIST, tries=ASKED, wait=300, passes=True),
    anilist("errors about us with 200", status(200, graphql(400, "validation")), failed("bad_data"), says=UNUSABLE, tries=1),
    anilist("401 once", {**status(401, graphql(401, "Unauthorized.")), "count": 1}, failed("reconnect_anilist"), says="AniList signed us out", tries=1, mend="sign in"),
    anilist("401 always", status(401, graphql(401, "Unauthorized.")), failed("reconnect_anilist"), says="AniList signed us out", tries=1, mend="sign in"),
    anilist("invalid token (400)", status(400, NO_TOKEN), failed("reconnect_anilist"), says="AniList signed us out", tries=1, mend="sign in"),
    anilist("409", status(409), failed("bad_data"), says=UNUSABLE, tries=1),
    anilist("412", status(412), failed("bad_data"), says=UNUSABLE, tries=1, alike=True),
    anilist("420", status(420), failed("bad_data"), says=UNUSABLE, tries=1, alike=True),
    anilist("423", status(423), failed("bad_data"), says=UNUSABLE, tries=1, alike=True),
    anilist("426", status(426), failed("bad_data"), says=UNUSABLE, tries=1, alike=True),
    anilist("a part of the list repeated", {"kind": "repeated_page", "nth": 3}, failed("incomplete_read"), says=INCOMPLETE, tries=2, given=Stage.small_pages),
)  # fmt: skip

# Trakt: reading what the account has

SHOWS = {"service": "trakt", "method": "GET", "path": "/sync/watched/shows"}
MOVIES = {"service": "trakt", "method": "GET", "path": "/sync/watched/movies"}
ACTIVITIES = {"service": "trakt", "method": "GET", "path": "/sync/last_activities"}


def shows(fault: str, spec: Mapping[str, Any], *ends: Ending, says: str, tries: int | None, hits: Any = SHOWS, **more: Any) -> Row:  # fmt: skip
    return Row("trakt", fault, ends, says, tries, hits=hits, spec=spec, **more)


def blocked(stage: Stage) -> None:
    stage.world.refused_apps["5173a7ed00000000000000000000000000000000000000000000000000c11e47"] = "deleted"


def trouble(kind: str) -> Given:
    def given(stage: Stage) -> None:
        for account in stage.world.accounts.values():
            account.trouble = kind

    return given


DOWN_TRAKT = "Trakt does not answer. We look again at"
SLOW_TRAKT = "Trakt asked us to slow down. The run goes on by itself at"
SIGNED_OUT = "Trakt signed us out. Nothing is lost"
AT_LIMIT = "The Trakt account is at its limit"
APP_GONE = "Trakt refused this app"
TRAKT_READS: tuple[Row, ...] = (
    shows("429 with a short Retry-After", status(429, **SLOWER), WAITS_RATE, says=SLOW_TRAKT, tries=ASKED, wait=60, passes=True),
    shows("429 with a long Retry-After", status(429, **MUCH_SLOWER), WAITS_RATE, says=SLOW_TRAKT, tries=1, wait=90),
    shows("429 without Retry-After", status(429), WAITS_RATE, says=SLOW_TRAKT, tries=ASKED, wait=60, passes=True),
    shows("500", status(500), WAITS_DOWN, says=DOWN_TRAKT, tries=ASKED, wait=300, passes=True),
    shows("502", status(502), WAITS_DOWN, says=DOWN_TRAKT, tries=ASKED, wait=300, passes=True, alike=True),
    shows("503", status(503), WAITS_DOWN, says=DOWN_TRAKT, tries=ASKED, wait=300, passes=True),
    shows("504", status(504), WAITS_DOWN, says=DOWN_TRAKT, tries=ASKED, wait=300, passes=True, alike=True),
    shows("Cloudflare with 200", CLOUDFLARE_200, WAITS_DOWN, says=DOWN_TRAKT, tries=ASKED, wait=300, passes=True),
    shows("Cloudflare with 403", CLOUDFLARE_403, failed("app_refused"), says=APP_GONE, tries=1),
    Row("trakt", "connection refused", (WAITS_DOWN,), DOWN_TRAKT, 0, wait=300, given=refused("trakt"), hits=SHOWS),
    shows("dropped", {"kind": "drop_before"}, WAITS_DOWN, says=DOWN_TRAKT, tries=ASKED, wait=300, passes=True),
    shows("dropped after reading", {"kind": "drop_after_apply"}, WAITS_DOWN, says=DOWN_TRAKT, tries=ASKED, wait=300, passes=True),
    shows("half a body", {"kind": "half_body"}, WAITS_DOWN, says=DOWN_TRAKT, tries=ASKED, wait=300, passes=True),
    shows("silence", SILENCE, WAITS_DOWN, says=DOWN_TRAKT, tries=1, wait=300, settings=SHORT),
    shows("invalid JSON", BROKEN_JSON, WAITS_DOWN, says=DOWN_TRAKT, tries=ASKED, wait=300, passes=True),
    shows("an error list with 200", status(200, '{"errors": [{"message": "Oops"}]}'), failed("incomplete_read"), says=INCOMPLETE, tries=1),
    shows("an error list with 200", status(200, '{"errors": [{"message": "Oops"}]}'), failed("bad_data"), says=UNUSABLE, tries=1, hits=ACTIVITIES),
    shows("401 once", {**status(401), "count": 1}, DONE, says="on Trakt", tries=2, there=7),
    shows("401 always", status(401), failed("reconnect_trakt"), says=SIGNED_OUT, tries=2, mend="sign in"),
    shows("403, the app is gone", {}, failed("app_refused"), says=APP_GONE, tries=1, hits=ACTIVITIES, given=blocked),
    shows("409", status(409), failed("bad_data"), says=UNUSABLE, tries=1),
    shows("412", status(412), failed("bad_data"), says=UNUSABLE, tries=1, alike=True),
    shows("420", status(420), failed("account_limit"), says=AT_LIMIT, tries=1),
    shows("423", {}, failed("account_locked"), says="Trakt has locked this account", tries=1, hits=ACTIVITIES, given=trouble("locked")),
    shows("426", {}, failed("vip_required"), says="without VIP", tries=1, hits=ACTIVITIES, given=trouble("vip")),
    shows("shows that end early", {"kind": "short_list"}, failed("incomplete_read"), says=INCOMPLETE, tries=1),
    shows("movies that end early", {"kind": "short_list", "nth": 2}, failed("incomplete_read"), says=INCOMPLETE, tries=2, hits=MOVIES, given=Stage.small_pages),
    shows("a page of shows repeated", {"kind": "repeated_page", "nth": 2}, failed("incomplete_read"), says=INCOMPLETE, tries=2, given=Stage.small_pages),
    shows("a page of movies repeated", {"kind": "repeated_page", "nth": 2}, failed("incomplete_read"), says=INCOMPLETE, tries=2, hits=MOVIES, given=Stage.small_pages),
    shows("a count of shows that does not fit", {"kind": "wrong_item_count"}, failed("incomplete_read"), says=INCOMPLETE, tries=2, given=Stage.small_pages),
    shows("a count of movies that does not fit", {"kind": "wrong_item_count"}, failed("incomplete_read"), says=INCOMPLETE, tries=2, hits=MOVIES, given=Stage.small_pages),
)  # fmt: skip

# Trakt without a sign-in: what it lists. A search or a season that fails is never "not on Trakt".

SEASONS = {"service": "trakt", "method": "GET", "path": "/shows/"}
SEARCH = {"service": "trakt", "method": "GET", "path": "/search/"}
TRAKT_PUBLIC: tuple[Row, ...] = tuple(
    row
    for hits, tries in ((SEASONS, None), (SEARCH, 1))  # seasons are read side by side: how often is not said
    for row in (
        shows("429 with a long Retry-After", status(429, **MUCH_SLOWER), WAITS_RATE, says=SLOW_TRAKT, tries=tries, wait=90, hits=hits, given=Stage.forget_places),
        shows("503", status(503), WAITS_DOWN, says=DOWN_TRAKT, tries=tries and ASKED, wait=300, hits=hits, given=Stage.forget_places),
        shows("Cloudflare with 200", CLOUDFLARE_200, WAITS_DOWN, says=DOWN_TRAKT, tries=tries and ASKED, wait=300, hits=hits, given=Stage.forget_places, alike=hits is SEARCH),
        shows("Cloudflare with 403", CLOUDFLARE_403, failed("app_refused"), says=APP_GONE, tries=tries, hits=hits, given=Stage.forget_places),
        shows("half a body", {"kind": "half_body"}, WAITS_DOWN, says=DOWN_TRAKT, tries=tries and ASKED, wait=300, hits=hits, given=Stage.forget_places, alike=hits is SEARCH),
        shows("invalid JSON", BROKEN_JSON, WAITS_DOWN, says=DOWN_TRAKT, tries=tries and ASKED, wait=300, hits=hits, given=Stage.forget_places, alike=hits is SEARCH),
        shows("an error list with 200", status(200, '{"errors": [{"message": "Oops"}]}'), failed("bad_data"), says=UNUSABLE, tries=tries, hits=hits, given=Stage.forget_places),
    )
)  # fmt: skip

# Trakt: posting plays. Sent once, whatever happens; only a 401 is sent again, with a new token.

POST = {"service": "trakt", "method": "POST", "path": "/sync/history"}
LOOKED = "Trakt did not answer clearly, or its history was changing. Before sending more we look at what arrived"
FAILING = (WAITS_LOOK, WAITS_LOOK, WAITS_LOOK, WAITS_DOWN)  # three answers lost in a row leave Trakt alone for minutes


def post(fault: str, spec: Mapping[str, Any], *ends: Ending, says: str, tries: int, **more: Any) -> Row:
    return Row("trakt", fault, ends, says, tries, hits=POST, spec=spec, **more)


def once(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {**spec, "count": 1}


def before_post(act: Given) -> Given:
    return lambda stage: stage.before_post.append(lambda: act(stage))


def echo(form: str, kind: Kind, season: int = 0, number: int = 0) -> Given:
    """Trakt does not know this place any more when the plays arrive, and says so in that form."""
    trakt_id = 115 if kind == "movie" else 60417

    def given(stage: Stage) -> None:
        stage.world.settings.not_found_echo = form
        stage.before_post.append(lambda: stage.unlist((kind, trakt_id, season, number)))

    return given


def expired(stage: Stage) -> None:
    stage.token_ends(-timedelta(hours=1))


def nearly(stage: Stage) -> None:
    stage.token_ends(timedelta(hours=1))


def lagging(stage: Stage) -> None:
    stage.world.settings.lag_seconds = 30.0


TAKEN_BUT_ONE = "6 of 7 plays are on Trakt. 1 is not. 1 play was refused by Trakt. Look at where it goes"
TAKEN_BUT_FOUR = "3 of 7 plays are on Trakt. 4 are not. 4 plays were refused by Trakt. Look at where they go"
REJECTED: tuple[Ending, ...] = (WAITS_LOOK, ("partial", "bad_data"))
TRAKT_WRITES: tuple[Row, ...] = (
    post("429 with Retry-After", status(429, **MUCH_SLOWER), WAITS_RATE, says=SLOW_TRAKT, tries=1, wait=90),
    post("429 without Retry-After", status(429), WAITS_RATE, says=SLOW_TRAKT, tries=1, wait=60),
    post("500", once(status(500)), WAITS_LOOK, says=LOOKED, tries=1, wait=60),
    post("502", once(status(502)), WAITS_LOOK, says=LOOKED, tries=1, wait=60, alike=True),
    post("503", once(status(503)), WAITS_LOOK, says=LOOKED, tries=1, wait=60, alike=True),
    post("503 again and again", status(503), *FAILING, says=DOWN_TRAKT, tries=3),
    post("504", once(status(504)), WAITS_LOOK, says=LOOKED, tries=1, wait=60),
    post("504 after it was applied", once({"kind": "applied_then_status", "status": 504}), DONE, says="on Trakt", tries=1, there=7),
    post("Cloudflare with 200", once(CLOUDFLARE_200), WAITS_LOOK, says=LOOKED, tries=1, wait=60),
    post("Cloudflare with 403", CLOUDFLARE_403, failed("app_refused"), says=APP_GONE, tries=1),
    Row("trakt", "connection refused", (WAITS_DOWN,), DOWN_TRAKT, 0, wait=300, given=before_post(refused("trakt")), hits=POST),
    post("dropped before it was applied", once({"kind": "drop_before"}), WAITS_LOOK, says=LOOKED, tries=1, wait=60),
    post("dropped after it was applied", once({"kind": "drop_after_apply"}), DONE, says="on Trakt", tries=1, there=7),
    post("dropped after it was applied, and readings lag", once({"kind": "drop_after_apply"}), WAITS_LOOK, says=LOOKED, tries=1, there=7, wait=60, given=lagging),
    post("half a body", once({"kind": "half_body"}), DONE, says="on Trakt", tries=1, there=7),
    post("silence", once(SILENCE), WAITS_LOOK, says=LOOKED, tries=1, wait=60, settings=SHORT),
    post("an answer after the time-out", once({"kind": "late_answer", "seconds": 3.0}), DONE, says="on Trakt", tries=1, there=7, settings=SHORT),
    post("invalid JSON, applied", once({"kind": "invalid_json"}), DONE, says="on Trakt", tries=1, there=7),
    post("invalid JSON, not applied", once(status(201, '{"added": {')), WAITS_LOOK, says=LOOKED, tries=1, wait=60),
    post("an error list with 200", once(status(200, '{"errors": [{"message": "Oops"}]}')), WAITS_LOOK, says=LOOKED, tries=1, wait=60),
    post("401 once", once(status(401)), DONE, says="on Trakt", tries=2, there=7),
    post("401 always", status(401), failed("reconnect_trakt"), says=SIGNED_OUT, tries=2, mend="sign in"),
    post("403, the app is gone", {}, failed("app_refused"), says=APP_GONE, tries=1, given=before_post(blocked)),
    post("409, nothing applied", once(status(409)), WAITS_LOOK, says=LOOKED, tries=1, wait=60),
    post("409, all applied", once({"kind": "applied_then_status", "status": 409}), DONE, says="on Trakt", tries=1, there=7),
    post("412", status(412), failed("bad_data"), says=UNUSABLE, tries=1),
    post("420", {}, failed("account_limit"), says=AT_LIMIT, tries=1, given=before_post(trouble("limit"))),
    post("423", {}, failed("account_locked"), says="Trakt has locked this account", tries=1, given=before_post(trouble("locked"))),
    post("426", {}, failed("vip_required"), says="without VIP", tries=1, given=before_post(trouble("vip"))),
    post("added lower, all applied", once({"kind": "short_count"}), DONE, says="on Trakt", tries=1, there=7),
    post("added lower, one left out", once({"kind": "drop_one"}), *REJECTED, says=TAKEN_BUT_ONE, tries=1, there=6, mend="send again"),
    post("429 at the second batch", {**status(429), "nth": 2}, WAITS_RATE, says=f"4 of 7 plays are on Trakt. 3 are not. {SLOW_TRAKT}", tries=2, there=4, wait=60, settings=BATCHES),
    post("504 at the second batch", {**once(status(504)), "nth": 2}, WAITS_LOOK, says=f"4 of 7 plays are on Trakt. 3 are not. {LOOKED}", tries=2, there=4, wait=60, settings=BATCHES),
    post("dropped after the second batch was applied", {**once({"kind": "drop_after_apply"}), "nth": 2}, DONE, says="on Trakt", tries=2, there=7, settings=BATCHES),
    post("403 at the second batch", {**status(403), "nth": 2}, ("partial", "app_refused"), says=f"4 of 7 plays are on Trakt. 3 are not. {APP_GONE}", tries=2, there=4, settings=BATCHES),
    post("not_found echoed nested", {}, *REJECTED, says=TAKEN_BUT_ONE, tries=1, there=6, mend="send again", given=echo("nested", "episode", 3, 4)),
    post("not_found echoed as {}", {}, *REJECTED, says=TAKEN_BUT_ONE, tries=1, there=6, mend="send again", given=echo("empty", "episode", 3, 4)),
    post("not_found echoed without ids", {}, *REJECTED, says=TAKEN_BUT_ONE, tries=1, there=6, mend="send again", given=echo("bare", "episode", 3, 4)),
    post("not_found echoed as season 0", {}, *REJECTED, says=TAKEN_BUT_ONE, tries=1, there=6, mend="send again", given=echo("zero", "episode", 3, 4)),
    post("not_found of a movie", {}, *REJECTED, says=TAKEN_BUT_ONE, tries=1, there=6, mend="send again", given=echo("nested", "movie")),
    post("not_found of a season", {}, *REJECTED, says=TAKEN_BUT_FOUR, tries=1, there=3, mend="send again", given=echo("nested", "episode", 3)),
    post("not_found of a show", {}, *REJECTED, says=TAKEN_BUT_FOUR, tries=1, there=3, mend="send again", given=echo("nested", "episode")),
)  # fmt: skip

# Trakt: renewing the sign-in. Asked twice at most; only `invalid_grant` and a deleted app need the person.

TOKEN = {"service": "trakt-auth", "method": "POST", "path": "/oauth/token"}
LOST_GRANT = json.dumps({"error": "invalid_grant", "error_description": "session not found"})


def sign_in(fault: str, spec: Mapping[str, Any], *ends: Ending, says: str, tries: int, given: Given = expired, **more: Any) -> Row:  # fmt: skip
    return Row("trakt-auth", fault, ends, says, tries, hits=TOKEN, spec=spec, given=given, **more)


def unreachable(stage: Stage) -> None:
    expired(stage)
    stage.refuse("trakt-auth")


def revoked(stage: Stage) -> None:
    expired(stage)
    stage.world.refresh_tokens.clear()


def app_deleted(stage: Stage) -> None:
    expired(stage)
    blocked(stage)


TRAKT_SIGN_IN: tuple[Row, ...] = (
    sign_in("429 with Retry-After", status(429, **MUCH_SLOWER), WAITS_RATE, says=SLOW_TRAKT, tries=2, wait=90),
    sign_in("429 without Retry-After", status(429), WAITS_RATE, says=SLOW_TRAKT, tries=2, wait=60, passes=True),
    sign_in("500", status(500), WAITS_DOWN, says=DOWN_TRAKT, tries=2, wait=60, passes=True),
    sign_in("502", status(502), WAITS_DOWN, says=DOWN_TRAKT, tries=2, wait=60, passes=True, alike=True),
    sign_in("503", status(503), WAITS_DOWN, says=DOWN_TRAKT, tries=2, wait=60, passes=True),
    sign_in("504", status(504), WAITS_DOWN, says=DOWN_TRAKT, tries=2, wait=60, passes=True, alike=True),
    sign_in("503, the old token is still good", status(503), DONE, says="on Trakt", tries=2, there=7, given=nearly),
    sign_in("Cloudflare with 200", CLOUDFLARE_200, WAITS_DOWN, says=DOWN_TRAKT, tries=2, wait=60, passes=True),
    sign_in("Cloudflare with 403", CLOUDFLARE_403, failed("app_refused"), says=APP_GONE, tries=1),
    Row("trakt-auth", "connection refused", (WAITS_DOWN,), DOWN_TRAKT, 0, wait=60, given=unreachable, hits=TOKEN),
    sign_in("dropped before", {"kind": "drop_before"}, WAITS_DOWN, says=DOWN_TRAKT, tries=2, wait=60, passes=True),
    sign_in("dropped after the token was used", once({"kind": "drop_after_apply"}), failed("reconnect_trakt"), says=SIGNED_OUT, tries=2, mend="sign in"),
    sign_in("half a body", once({"kind": "half_body"}), failed("reconnect_trakt"), says=SIGNED_OUT, tries=2, mend="sign in"),
    sign_in("silence", SILENCE, WAITS_DOWN, says=DOWN_TRAKT, tries=2, wait=60, settings=SHORT),
    sign_in("invalid JSON", BROKEN_JSON, WAITS_DOWN, says=DOWN_TRAKT, tries=2, wait=60, passes=True),
    sign_in("an error list with 200", status(200, '{"errors": [{"message": "Oops"}]}'), WAITS_DOWN, says=DOWN_TRAKT, tries=2, wait=60, passes=True),
    sign_in("refused, the refresh token is not known", {}, failed("reconnect_trakt"), says=SIGNED_OUT, tries=1, mend="sign in", given=revoked),
    sign_in("refused as before 2026 (401 invalid_grant)", status(401, LOST_GRANT), failed("reconnect_trakt"), says=SIGNED_OUT, tries=1, mend="sign in"),
    sign_in("401 without a word", status(401), failed("app_refused"), says=APP_GONE, tries=1),
    sign_in("the app is gone (invalid_client)", {}, failed("app_refused"), says=APP_GONE, tries=1, given=app_deleted, mend="sign in", notice="reconnect"),
    sign_in("403", status(403), failed("app_refused"), says=APP_GONE, tries=1, alike=True),
    sign_in("409", status(409), WAITS_DOWN, says=DOWN_TRAKT, tries=2, wait=60, passes=True),
    sign_in("412", status(412), failed("bad_data"), says=UNUSABLE, tries=1),
    sign_in("420", status(420), failed("account_limit"), says=AT_LIMIT, tries=1),
    sign_in("423", status(423), failed("account_locked"), says="Trakt has locked this account", tries=1),
    sign_in("426", status(426), failed("vip_required"), says="without VIP", tries=1),
)  # fmt: skip

TABLE = (*ANILIST, *TRAKT_READS, *TRAKT_PUBLIC, *TRAKT_WRITES, *TRAKT_SIGN_IN)

# Trakt: taking plays off again. Removing by history id is safe to repeat, so what is lost is asked for once more.

REMOVE = {"service": "trakt", "method": "POST", "path": "/sync/history/remove"}
OFF = "The plays that this run names were removed from Trakt."


def removal(fault: str, spec: Mapping[str, Any], *ends: Ending, says: str, tries: int, there: int, **more: Any) -> Row:
    return Row("trakt", fault, ends, says, tries, there, hits=REMOVE, spec=spec, **more)


UNDO: tuple[Row, ...] = (
    removal("429 with Retry-After", status(429, **MUCH_SLOWER), WAITS_RATE, says=SLOW_TRAKT, tries=1, there=7, wait=90),
    removal("503", status(503), WAITS_DOWN, says=DOWN_TRAKT, tries=3, there=7),
    removal("503 once", once(status(503)), DONE, says=OFF, tries=2, there=0),
    removal("dropped before it was applied", once({"kind": "drop_before"}), DONE, says=OFF, tries=2, there=0),
    removal("dropped after it was applied", once({"kind": "drop_after_apply"}), DONE, says=OFF, tries=2, there=0),
    removal("half a body", once({"kind": "half_body"}), DONE, says=OFF, tries=2, there=0),
    removal("Cloudflare with 200", once(CLOUDFLARE_200), DONE, says=OFF, tries=2, there=0),
    removal("401 once", once(status(401)), DONE, says=OFF, tries=2, there=0),
    removal("401 always", status(401), failed("reconnect_trakt"), says=SIGNED_OUT, tries=2, there=7, mend="sign in"),
    removal("403", status(403), failed("app_refused"), says=APP_GONE, tries=1, there=7),
    removal("423", status(423), failed("account_locked"), says="Trakt has locked this account", tries=1, there=7),
)  # fmt: skip
