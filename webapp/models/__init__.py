"""All tables. One file per subject; import them from here."""

from webapp.models.base import UtcDateTime, utcnow
from webapp.models.extras import EXTRA_KINDS, EXTRA_STATES, ExtraRow, PlanExtra, TraktList
from webapp.models.library import ActivityRow, Entry, Media, SyncProgress
from webapp.models.lists import ImportDraft, ListMapping, MappingList
from webapp.models.lookups import LookUp
from webapp.models.mapping import (
    AnidbMap,
    AnimeId,
    Decision,
    EntrySpan,
    EpisodeOverride,
    Mapping,
    MappingSource,
    TraktShow,
)
from webapp.models.people import Connection, OAuthFlow, SystemConfig, User
from webapp.models.plays import PLAY_STATES, PlayRow, TraktPicture
from webapp.models.repair import FINDING_STATES, HistoryFinding
from webapp.models.runs import MODES, OPEN, RUN_STATES, Lease, Log, PlanItem, RequestCount, Run, RunItem

__all__ = [
    "EXTRA_KINDS", "EXTRA_STATES", "FINDING_STATES", "MODES", "OPEN", "PLAY_STATES", "RUN_STATES",
    "ActivityRow", "AnidbMap", "AnimeId", "Connection", "Decision", "Entry", "EntrySpan", "EpisodeOverride", "ExtraRow", "HistoryFinding", "ImportDraft", "Lease", "ListMapping", "Log", "LookUp", "Mapping", "MappingList",
    "MappingSource", "Media", "OAuthFlow", "PlanExtra", "PlanItem", "PlayRow", "RequestCount", "Run", "RunItem", "SyncProgress",
    "SystemConfig", "TraktList", "TraktPicture", "TraktShow", "User", "UtcDateTime", "utcnow",
]  # fmt: skip
