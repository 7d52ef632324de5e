"""Every named read that pages and the API share. Each makes the same number of queries however many rows there are."""

from webapp.queries.library import EntryPage, custom_lists, entries, entry, mappings, pile_counts, show, siblings
from webapp.queries.logs import LogPage, logs, run_log, tail
from webapp.queries.people import (
    cache_rows,
    changes_since,
    config_values,
    connections,
    cron_secret,
    instance_value,
    last_syncs,
    needs_you_count,
    progress_count,
    progress_rows,
)
from webapp.queries.plays import (
    PLAY_FILTERS,
    PlayPage,
    There,
    held_by_run,
    held_by_title,
    held_plays,
    history,
    on_trakt,
    plays_by_day,
    plays_of_entries,
    plays_of_entry,
    recent_plays,
    there_before,
)
from webapp.queries.readback import ReadBack, read_back
from webapp.queries.review import (
    FormatPile,
    Made,
    decisions,
    no_match_formats,
    plays_standing,
    review,
    review_count,
    same_shows,
    shows,
)
from webapp.queries.runs import (
    ItemPage,
    PlanEntry,
    SentPart,
    fresh_preview,
    items_of,
    last_check,
    last_items,
    newest_plan,
    open_runs,
    outcome_counts,
    plan_counts,
    plan_of,
    plan_plays,
    posting_since,
    requests_of,
    run,
    run_plays,
    runs,
    sent_as,
    sent_parts,
    waiting_approval,
)

__all__ = [
    "PLAY_FILTERS",
    "EntryPage", "FormatPile", "ItemPage", "LogPage", "Made", "PlanEntry", "PlayPage", "ReadBack", "SentPart", "There",
    "cache_rows", "changes_since", "config_values", "connections", "cron_secret", "custom_lists", "decisions", "entries", "entry", "fresh_preview", "held_by_run", "held_by_title", "held_plays", "history", "instance_value",
    "items_of", "last_check", "last_items", "last_syncs", "logs", "mappings", "needs_you_count", "newest_plan", "no_match_formats", "on_trakt", "open_runs", "outcome_counts", "pile_counts", "plan_counts", "plan_of", "plan_plays", "plays_by_day", "plays_of_entries", "plays_of_entry", "plays_standing", "posting_since",
    "progress_count", "progress_rows", "read_back", "recent_plays", "requests_of", "review", "review_count", "run", "run_log", "run_plays", "runs", "same_shows", "sent_as", "sent_parts", "show", "shows", "siblings",
    "tail", "there_before", "waiting_approval",
]  # fmt: skip
