"""The words themselves: a label, a tone and a sentence for each name of the code. `webapp.words` speaks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.i18n import lazy_gettext as _l

# Tones of a state's dot: ok, off, run, review, bad, new.
STATES: Mapping[str, tuple[str, Any]] = {
    "queued": ("off", _l("In line")),
    "running": ("run", _l("Running")),
    "waiting": ("off", _l("Waiting")),
    "needs_approval": ("review", _l("Stopped: needs you")),
    "succeeded": ("ok", _l("Up to date")),
    "sent": ("ok", _l("Sent")),
    "partial": ("review", _l("Sent in part")),
    "failed": ("bad", _l("Failed")),
    "cancelled": ("off", _l("Cancelled")),
    "undone": ("off", _l("Undone")),
    "ready": ("ok", _l("Ready")),
    "done": ("ok", _l("Done")),
}

STATE_SENTENCES: Mapping[str, Any] = {
    "queued": _l("In line. It starts as soon as a worker is free; you don't need to do anything."),
    "running": _l("It is running now. You can leave this page; it goes on."),
    "waiting": _l("It waits and goes on by itself."),
    "needs_approval": _l("It stopped before sending anything and waits for you."),
    "succeeded": _l("It came to its end. Nothing is left to do."),
    "partial": _l("Part of it was sent. The rest goes out with the next run once the cause is gone."),
    "failed": _l("It ended without sending anything. The next run tries again once the cause is gone."),
    "cancelled": _l("It was cancelled. What had been sent before that stays on Trakt."),
}

RUN_REASONS: Mapping[str, Any] = {
    "rate_limited": _l("%(service)s asked us to slow down. The run goes on by itself at %(at)s; you don't need to do anything."),
    "settling": _l("Trakt did not answer clearly, or its history was changing. Before sending more we look at what arrived, at %(at)s; nothing is sent twice."),
    "service_down": _l("%(service)s does not answer. We look again at %(at)s; you don't need to do anything."),
    "first_run": _l("This is the first automatic run for this Trakt account, so it waits for you. Look at the plan, then approve it."),
    "over_brake": _l("This run would add far more plays than usual, so it waits for you. Look at the plan, then approve it."),
    "plays_vanished": _l("Many plays that we sent are no longer on Trakt. Nothing was sent; look at the plan, then approve it if that is right."),
    "account_changed": _l("Another account answered than before. Nothing was sent; approve it if you changed accounts on purpose."),
    "cancelled": _l("You cancelled this run. What had been sent before that stays on Trakt."),
    "approval_expired": _l("Nobody approved this plan within 24 hours, so it was put away. The next run makes a new one."),
    "reconnect_anilist": _l("AniList signed us out. Nothing is lost; sign in to AniList again, and the next run goes on."),
    "reconnect_trakt": _l("Trakt signed us out. Nothing is lost; connect Trakt again, and what waits goes out with the next run."),
    "reconnect_mal": _l("MyAnimeList signed us out. Nothing is lost; sign in again, and the next run goes on."),
    "app_refused": _l("Trakt refused this app. Either the app was deleted, VIP has ended, or the app was blocked. Open your apps on Trakt to see which."),
    "vip_required": _l("Trakt refused this API key: it belongs to an account without VIP. Your list, plan and history here are safe, and nothing was half-sent."),
    "account_limit": _l("The Trakt account is at its limit, or this run would take it above 90,000 plays; Trakt locks accounts near 100,000. Nothing more was sent. Remove plays on Trakt, or send fewer titles."),
    "watchlist_full": _l("Trakt's watchlist is full. The titles that do not fit in wait, and go out once there is room."),
    "account_locked": _l("Trakt has locked this account. Nothing more is sent; ask Trakt's support to open it again."),
    "incomplete_read": _l("Trakt's or AniList's answer was incomplete, so nothing was sent on it. The next run reads again."),
    "caches_empty": _l("The mapping caches are empty and could not be filled, so nothing could be placed. Update them on Home, or wait for the next run."),
    "worker_lost": _l("The process that did the work ended without a word several times. Look at the log of this run; the next run tries again."),
    "bad_data": _l("A service answered something that we could not use. Nothing was sent on it; the log of this run says more, and the next run tries again."),
}  # fmt: skip

REASONS: Mapping[str, Any] = {
    "no_id": _l("No source knows where this title is on Trakt. We look again in a month; you can give its place by hand."),
    "not_on_trakt": _l("Trakt does not list this title. We look again in a month."),
    "music": _l("Music videos are not on Trakt, so this one stays here."),
    "sources_disagree": _l("The sources name different places. Choose one; until then nothing is sent."),
    "special_unconfirmed": _l("This is a special, and nothing confirms its number on Trakt. Choose its place; until then nothing is sent."),
    "season_unknown": _l("The show is known, but not the season. Choose its place; until then nothing is sent."),
    "past_the_end": _l("The episodes run past what Trakt lists for this show. Choose their place; until then nothing is sent."),
    "claimed_by_other": _l("Another of your titles stands on these episodes already. Choose which is right; until then nothing is sent."),
    "length_unknown": _l("An earlier part of this show has no known length, so we can't count. Choose the place; until then nothing is sent."),
    "above_episodes": _l("Your progress counts more episodes than the title has. The known ones are sent; correct the rest on AniList or choose their place."),
    "wrong_kind": _l("The ids lead to something else, such as a live-action series. Choose the right one; until then nothing is sent."),
    "trakt_refused": _l("Trakt did not know the episode that we sent. Look at where it goes, then send it again."),
    "misplaced": _l("The place changed after plays were sent. Decide whether to move them or to keep them; until then new episodes wait."),
    "not_listed_yet": _l("Trakt does not list the episode yet. We try again with every check."),
    "still_airing": _l("The title still airs and its length is not known. We try again with every check."),
    "shared_with": _l("Another of your titles holds this place on Trakt already, so it is not sent a second time."),
    "private": _l("This entry is private on AniList. Private entries are sent only when you allow it in Settings."),
    "never": _l("You said never to send this title. You can take that back on its page."),
    "left_to_scrobbler": _l("You leave this title to your scrobbler, so Tsuzuki sends nothing of it. You can take that back on its page."),
    "filtered": _l("Your settings leave out titles like this one: its format, its custom list, or adult titles."),
    "before_date": _l("It was watched before the day from which on you want plays sent."),
    "held": _l("You removed it from Trakt, or undid it here. It stays off until you press Send again."),
    "left_out": _l("You left it out this time; the schedule will send it."),
    "watch_only_once": _l("Trakt is set to count one play only, and there is one already, so rewatches stay here."),
}  # fmt: skip

# Behind "You watched 12 episodes.", before the places to choose from.
LEADS: Mapping[str, Any] = {
    "sources_disagree": _l("The sources disagree:"),
    "special_unconfirmed": _l("It is a special, and nothing confirms its number on Trakt:"),
    "season_unknown": _l("The show is known, but not the season:"),
    "past_the_end": _l("They run past what Trakt lists for this show:"),
    "claimed_by_other": _l("Another of your titles stands where the sources put it:"),
    "length_unknown": _l("An earlier part has no known length, so we can't count:"),
    "wrong_kind": _l("The ids may lead to something else:"),
    "not_on_trakt": _l("What was chosen for it is not on Trakt any more:"),
    "not_listed_yet": _l("Trakt has not listed it for a month:"),
    "still_airing": _l("Its length has not been known for a month:"),
}  # fmt: skip

OUTCOMES: Mapping[str, tuple[str, Any, Any]] = {
    "sent": ("ok", _l("Sent"), _l("Every new play of this title is on Trakt.")),
    "sent_in_part": ("review", _l("Sent in part"), _l("Some plays of this title are on Trakt, some are not; the rest is tried again.")),
    "refused": ("bad", _l("Refused by Trakt"), _l("Trakt did not take these plays. Look at where they go, then send them again.")),
    "waiting": ("off", _l("Waiting"), _l("Nothing to send yet; we try again with every check.")),
    "needs_you": ("review", _l("Needs you"), _l("Nothing is sent until you have decided where it goes.")),
    "no_match": ("off", _l("Not on Trakt"), _l("No match is known. We look again in a month.")),
    "shared_with": ("off", _l("Shared place"), _l("Another of your titles holds this place on Trakt already, so it is not sent a second time.")),
    "already_on_trakt": ("off", _l("Already there"), _l("Trakt had it before. Not sent again.")),
    "misplaced": ("review", _l("Place changed"), _l("The place changed after plays were sent. You decide whether to move them or to keep them.")),
    "left_out": ("off", _l("Left out"), _l("You left it out this time; the schedule will send it.")),
    "held": ("off", _l("On hold"), _l("It was removed before and stays off until you press Send again.")),
    "removed": ("off", _l("Removed"), _l("These plays were taken off Trakt again.")),
}  # fmt: skip

# The same in a plan, where nothing has happened yet.
PLANNED: Mapping[str, tuple[str, Any, Any]] = {
    **OUTCOMES,
    "sent": ("new", _l("New"), _l("Its new plays would be added.")),
    "sent_in_part": ("new", _l("New in part"), _l("Some of its plays would be added; the rest waits, or needs you.")),
}

PLAYS: Mapping[str, tuple[str, Any, Any]] = {
    "planned": ("new", _l("Planned"), _l("It goes out with the run that planned it.")),
    "sending": ("run", _l("Being sent"), _l("It is on its way; we look on Trakt whether it arrived before sending it again.")),
    "sent": ("ok", _l("Sent"), _l("Tsuzuki added this play to Trakt.")),
    "rejected": ("bad", _l("Refused by Trakt"), _l("Trakt did not know this episode. It is tried again when its place changes, or when you press Send again.")),
    "removing": ("run", _l("Being moved"), _l("It stands at its new place first; then it is taken away here.")),
    "removed": ("off", _l("Removed"), _l("Undo or a move took it off Trakt. It stays off until you press Send again.")),
    "gone": ("off", _l("Gone from Trakt"), _l("It was removed on Trakt. It stays off until you press Send again.")),
}  # fmt: skip

PILES: Mapping[str, tuple[str, Any, Any]] = {
    "placed": ("ok", _l("Placed"), _l("Every episode has its exact place on Trakt.")),
    "needs_you": ("review", _l("Needs you"), _l("There is more than one place to choose from. Nothing is sent until you decide.")),
    "no_match": ("off", _l("Not on Trakt"), _l("No match is known. We look again in a month.")),
    "waiting": ("off", _l("Waiting"), _l("The place is known, but Trakt does not list the episode yet. We try again with every check.")),
    "unknown": ("off", _l("Not looked at"), _l("The next preview or run works out where this title goes.")),
}  # fmt: skip

MODES: Mapping[str, Any] = {
    "full": _l("Since last time"),
    "completed": _l("Completed titles"),
    "watching": _l("Titles being watched"),
    "title": _l("One title"),
    "single": _l("Details of one title"),
    "undo": _l("Undo"),
    "move": _l("Move"),
    "doctor": _l("Look at the history"),
    "repair": _l("Repair of the history"),
    "readback": _l("Read back"),
    "caches": _l("Caches"),
}

TRIGGERS: Mapping[str, Any] = {
    "page": _l("by hand"),
    "api": _l("by a script"),
    "cron": _l("by the scheduler"),
    "schedule": _l("automatic"),
}

PHASES: Mapping[str, Any] = {
    "filling_caches": _l("Updating the caches"),
    "reading_anilist": _l("Reading AniList"),
    "reading_activities": _l("Reading AniList's activities"),
    "placing": _l("Working out the places"),
    "reading_trakt": _l("Reading what Trakt has"),
    "reading_history": _l("Reading the whole Trakt history"),
    "planning": _l("Making the plan"),
    "settling": _l("Looking at what arrived"),
    "posting": _l("Sending to Trakt"),
    "removing": _l("Removing from Trakt"),
    "moving": _l("Moving on Trakt"),
    "recording": _l("Writing down what was sent"),
}

GATE: Mapping[str, Any] = {
    "off": _l("No schedule is set, so checks start by hand or when a scheduler asks."),
    "paused": _l("Checks are paused until %(at)s."),
    "not_connected": _l("AniList or Trakt is not connected yet, so no check starts by itself."),
    "open_run": _l("A run is under way."),
    "too_soon": _l("The last check was not long ago; the next one is due at %(at)s."),
}

CONNECTIONS: Mapping[str, tuple[str, Any, Any]] = {
    "connected": ("ok", _l("Connected"), _l("Signed in. Nothing to do.")),
    "name_only": ("ok", _l("By name"), _l("Your public list is read by name. Private entries need a sign-in.")),
    "reconnect": (
        "bad",
        _l("Signed out"),
        _l("%(service)s signed us out. Nothing is lost; sign in again, and what waits goes out."),
    ),
    "refused": ("bad", _l("Refused"), _l("%(service)s refuses this app. Open your apps there to see why.")),
    "disconnected": ("off", _l("Not connected"), _l("%(service)s is not connected.")),
}

DATE_RULES: Mapping[str, tuple[Any, Any]] = {
    "activity": (_l("When you watched it"), _l("The AniList activity that names the episode; else the completion date, else the last change of the entry.")),
    "released": (_l("When it was released"), _l("The moment after each episode first aired.")),
    "unknown": (_l("Without a date"), _l("Trakt shows the play without a day.")),
    "evenly": (_l("Evenly"), _l("Spread between start and completion.")),
    "now": (_l("Now"), _l("The time at which the plan is made.")),
}  # fmt: skip

# What the history doctor says of a play: the short name, and the likely cause.
CAUSES: Mapping[str, tuple[Any, Any]] = {
    "posted_again": (_l("Sent twice"), _l("The same episode stands there at the same second: a tool sent it again.")),
    "two_trackers": (_l("Two trackers"), _l("Two ways of tracking noted the same viewing within a day.")),
    "within_a_day": (_l("Again within a day"), _l("The same episode stands there again within a day. A rewatch on the same day looks like this too.")),
    "from_s1e1": (_l("Counted from S1E1"), _l("A tool counted this title from the show's first episode, while it belongs elsewhere.")),
}  # fmt: skip

FINDINGS: Mapping[str, tuple[str, Any, Any]] = {
    "found": ("review", _l("Found"), _l("It stays as it is until you decide.")),
    "chosen": ("off", _l("Chosen"), _l("It is put right with the run that you started.")),
    "moving": ("run", _l("Being moved"), _l("It stands at its new place first; then it is taken away here.")),
    "moved": ("ok", _l("Moved"), _l("It stands at its right place now.")),
    "removing": ("run", _l("Being removed"), _l("It is being taken off Trakt.")),
    "removed": ("ok", _l("Removed"), _l("It is off Trakt; a copy with its time is kept, so Undo can put it back.")),
    "stays": ("off", _l("Left alone"), _l("It stays on Trakt as it is.")),
    "restoring": ("run", _l("Being put back"), _l("It is on its way back to Trakt.")),
    "restored": ("ok", _l("Put back"), _l("It stands on Trakt again, with its time.")),
}  # fmt: skip

# Why a repair left a play as it is.
LEFT_ALONE: Mapping[str, Any] = {
    "gone": _l("It had gone from Trakt already."),
    "twin_gone": _l("The play that was to stay is not on Trakt any more, so this one stays."),
    "on_its_way": _l("Its episode is on its way to Trakt by another run; look again after that."),
    "no_place": _l("Its right place is taken, or not known any more; look at where the title goes."),
}

# What goes to Trakt beyond plays: what is switched on, and what it does.
BEYOND: Mapping[str, tuple[Any, Any]] = {
    "rating": (_l("Ratings"), _l("Scores of titles that you finished. A title that fills a season rates that season; a movie, or a show with one season, is rated as a whole; other titles rate nothing. A rating that is on Trakt is never changed.")),
    "watchlist": (_l("Watchlist"), _l("Titles that you plan to watch, as their movie or show; of a show that you began, the season.")),
    "dropped": (_l("Dropped shows"), _l("Shows of titles that you dropped, unless you go on with another title of the show.")),
}  # fmt: skip

EXTRAS: Mapping[str, tuple[str, Any, Any]] = {
    "sending": ("run", _l("On its way"), _l("It is on its way to Trakt.")),
    "sent": ("ok", _l("Sent"), _l("It is on Trakt.")),
    "rejected": ("bad", _l("Refused by Trakt"), _l("Trakt did not take it. Send it again once its place is right.")),
    "removing": ("run", _l("Being removed"), _l("It is being taken off Trakt.")),
    "removed": ("off", _l("Removed"), _l("Undo took it off Trakt. It stays off until you press Send again.")),
    "gone": ("off", _l("No longer there"), _l("It was removed or changed on Trakt, so it stays as you left it.")),
}

DATE_SOURCES: Mapping[str, Any] = {
    "activity": _l("AniList activity"),
    "completed": _l("completion date"),
    "updated": _l("last change of the entry"),
    "planned": _l("time of planning"),
    "released": _l("release date"),
    "unknown": _l("no date"),
    "evenly": _l("spread evenly"),
    "now": _l("time of planning"),
    "force": _l("sent again"),
    "adopted": _l("as it stood on Trakt"),
}

STATUSES: Mapping[str, Any] = {
    "COMPLETED": _l("Completed"),
    "CURRENT": _l("Watching"),
    "REPEATING": _l("Rewatching"),
    "PAUSED": _l("Paused"),
    "DROPPED": _l("Dropped"),
    "PLANNING": _l("Planning"),
}

# How a play came to Trakt, as its history says.
ACTIONS: Mapping[str, Any] = {
    "scrobble": _l("by a scrobbler"),
    "checkin": _l("by a check-in"),
    "watch": _l("added by hand or by an app"),
}
FORMATS: Mapping[str, Any] = {
    "TV": _l("TV"),
    "TV_SHORT": _l("TV short"),
    "MOVIE": _l("Movie"),
    "SPECIAL": _l("Special"),
    "OVA": _l("OVA"),
    "ONA": _l("ONA"),
    "MUSIC": _l("Music video"),
}

SOURCES: Mapping[str, Any] = {
    "manual": _l("by hand"),
    "override": _l("by hand"),
    "list": _l("subscribed list"),
    "otaku": "Otaku",
    "fribbs": "Fribbs",
    "anime_lists": "Anime-Lists",
    "tmdb": "TMDB",
    "trakt_tmdb": _l("Trakt, by TMDB id"),
    "trakt_imdb": _l("Trakt, by IMDb id"),
    "trakt_tvdb": _l("Trakt, by TVDB id"),
    "trakt_shape": _l("Trakt's seasons"),
    "title_year": _l("title and year"),
    "movie": _l("movie"),
}

SERVICES: Mapping[str, Any] = {
    "anilist": "AniList",
    "trakt": "Trakt",
    "trakt_public": _l("Trakt, without a token"),
    "tmdb": "TMDB",
    "imdb": "IMDb",
    "tvdb": "TVDB",
    "myanimelist": "MyAnimeList",
    "otaku": "Otaku",
    "fribbs": "Fribbs",
    "anime_lists": "Anime-Lists",
}

LEVELS: Mapping[str, Any] = {"debug": _l("debug"), "info": _l("info"), "warning": _l("warning"), "error": _l("error")}

ERRORS: Mapping[int, tuple[Any, Any]] = {
    400: (_l("This could not be read"), _l("Go back, load the page again, and send it once more.")),
    403: (_l("This is not allowed"), _l("Load the page again and send it once more; if that does not help, sign in again.")),
    404: (_l("Nothing is here"), _l("The address is wrong, or what was here has been removed.")),
    405: (_l("This can't be opened this way"), _l("Go back and use the button on the page.")),
    409: (_l("This is not possible now"), _l("Something changed in the meantime. Load the page again.")),
    413: (_l("This is too large"), _l("Send less at once.")),
    429: (_l("Too many tries"), _l("Wait five minutes, then try again.")),
}  # fmt: skip
BROKEN = (_l("Something broke here"), _l("The log of this Tsuzuki has the details. Nothing was sent to any service by this page; load it again."))  # fmt: skip
REFUSED = (_l("This was refused"), _l("Go back, load the page again, and send it once more."))

COMMANDS: Mapping[str, Any] = {
    "not_found": _l("This is no longer there."),
    "not_a_preview": _l("Only a preview can be sent."),
    "not_ready": _l("This preview has no plan that could be sent; make a new one."),
    "dating": _l("The dates of this plan are being worked out; send it in a moment."),
    "no_answer": _l("The queue does not answer, so nothing was changed. Try again in a moment."),
    "plan_expired": _l("This plan is older than 24 hours; make a new one."),
    "not_waiting": _l("This run does not wait for you any more."),
    "replaced": _l("A newer run has a newer plan; look at that one."),
    "already_ended": _l("This run had ended already."),
    "still_open": _l("This run has not ended yet; cancel it first."),
    "nothing_to_undo": _l("Nothing that this run sent is left on Trakt."),
    "nothing_held": _l("Nothing is held back here."),
    "nothing_chosen": _l("Nothing was chosen, or it has been put right already."),
}
