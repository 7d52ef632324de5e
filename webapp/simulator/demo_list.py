"""The made-up person's AniList list: what was watched, when, and what must come of each entry.

Dates are `YYYY-MM-DD` (or shorter: AniList keeps partial dates) or days before the start of the simulator ("-3").
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One list entry. `sittings` splits the watched episodes into activities; 0 means that none exist."""

    id: int
    status: str
    progress: int
    started: str | None = None
    completed: str | None = None
    sittings: int = 0
    repeat: int = 0
    score: float = 0.0
    private: bool = False
    hidden: bool = False
    lists: tuple[str, ...] = ()
    updated: str | None = None


COMFORT = "Comfort"
TOGETHER = "Watched together"

ROWS: tuple[Row, ...] = (
    Row(1, "COMPLETED", 26, "2011-02-01", "2011-02-20", score=9.5),
    Row(5114, "COMPLETED", 64, "2012-06", "2012-09-30", score=10),
    Row(30, "COMPLETED", 26, "2013", "2013", score=8),
    Row(1535, "COMPLETED", 37, score=8.5, updated="2012-05-05"),
    Row(5680, "COMPLETED", 13, "2014-03-01", "2014-03-09", repeat=1, score=8, lists=(COMFORT,)),
    Row(127230, "CURRENT", 13, "2023-02-01", None, 6, updated="2023-03-05"),
    Row(21827, "COMPLETED", 13, "2020-05-01", "2020-05-09", 5, score=9.5, lists=(TOGETHER,)),
    Row(101759, "PAUSED", 5, "2021-08-01", None, 3, updated="2021-08-09"),
    Row(97940, "DROPPED", 8, "2019-01-05", None, 4, updated="2019-01-20"),
    Row(98444, "COMPLETED", 12, "2021-11-06", "2021-11-13", 4, score=9, hidden=True, lists=(COMFORT,)),
    Row(20807, "COMPLETED", 12, "2022-07-02", "2022-07-03", 2, score=7, private=True),
    Row(19, "PLANNING", 0, updated="2024-11-11"),
    Row(20464, "COMPLETED", 25, "2019-02-02", "2019-02-23", 6, score=9),
    Row(21698, "PAUSED", 4, "2019-03-02", None, 4, updated="2019-03-10"),
    Row(140960, "COMPLETED", 12, "-345", "-290", 12, score=9, lists=(TOGETHER,)),
    Row(142838, "COMPLETED", 13, "-270", "-190", 13, score=8.5, lists=(TOGETHER,)),
    Row(158927, "COMPLETED", 12, "-170", "-100", 12, score=8, lists=(TOGETHER,)),
    Row(16498, "COMPLETED", 25, "2018-01-06", "2018-01-28", score=9),
    Row(20958, "COMPLETED", 12, "2018-02-03", "2018-02-10", 3, score=9),
    Row(99147, "COMPLETED", 12, "2019-04-06", "2019-04-13", 4, score=9),
    Row(104578, "COMPLETED", 10, "2019-07-06", "2019-07-14", 3, score=10),
    Row(110277, "COMPLETED", 16, "2021-04-02", "2021-04-11", 5, score=9),
    Row(131681, "COMPLETED", 12, "2022-04-09", "2022-04-16", 4, score=9),
    Row(146984, "COMPLETED", 1, "2023-03-05", "2023-03-05", 1, score=9.5),
    Row(162314, "COMPLETED", 1, "2023-11-12", "2023-11-12", 1, score=9.5),
    Row(101922, "COMPLETED", 26, "2020-10-01", "2020-10-24", 7, score=8.5),
    Row(129874, "COMPLETED", 7, "2021-12-18", "2021-12-19", 2, score=8),
    Row(142329, "COMPLETED", 11, "2022-02-20", "2022-03-06", 4, score=8.5),
    Row(145139, "COMPLETED", 11, "2023-06-24", "2023-07-01", 3, score=8),
    Row(21087, "COMPLETED", 12, "2017-08-05", "2017-08-06", score=9),
    Row(97668, "COMPLETED", 12, "2019-07-20", "2019-08-03", 3, score=7),
    Row(113415, "COMPLETED", 24, "2021-04-17", "2021-05-09", 8, score=9),
    Row(145064, "COMPLETED", 23, "2023-07-07", "2023-12-29", 23, score=9.5),
    Row(172463, "CURRENT", 3, "-18", None, 3, updated="-1"),
    Row(21355, "COMPLETED", 25, "2019-11-02", "2019-11-24", 5, score=8.5),
    Row(108632, "COMPLETED", 13, "2020-10-10", "2020-10-18", 4, score=8.5),
    Row(119661, "COMPLETED", 12, "2021-03-27", "2021-04-01", 3, score=9),
    Row(163134, "COMPLETED", 16, "-95", "-30", 16, score=9),
    Row(151970, "COMPLETED", 25, "2024-07-06", "2024-08-10", 8, score=8),
    Row(176508, "COMPLETED", 25, "-330", "-60", 25, score=8),
    Row(154587, "COMPLETED", 28, "2023-09-30", "2024-03-23", 25, score=10, lists=(COMFORT, TOGETHER)),
    Row(182255, "CURRENT", 5, "-36", None, 5, lists=(TOGETHER,), updated="-4"),
    Row(10087, "COMPLETED", 13, "2016-05-07", "2016-05-14", score=8.5),
    Row(11741, "COMPLETED", 12, "2016-05-21", "2016-05-28", score=9),
    Row(21, "CURRENT", 130, "2020-01-04", None, 26, score=8, updated="2024-12-30"),
    Row(11061, "CURRENT", 40, "2022-08-06", None, 12, updated="2022-10-01"),
    Row(4224, "REPEATING", 3, "2013-12-01", "2013-12-24", 2, score=9, updated="2024-12-24"),
    Row(11553, "COMPLETED", 1, "2013-12-25", "2013-12-25", score=7),
    Row(20811, "COMPLETED", 2, "2018-02-17", "2018-02-17", 1, score=8),
    Row(99634, "COMPLETED", 3, "2018-12-01", "2018-12-02", 2, score=7),
    Row(108945, "COMPLETED", 6, "2020-05-23", "2020-05-23", 1, score=6),
    Row(21519, "COMPLETED", 1, "2017-11-25", "2017-11-25", 1, score=9.5, lists=(TOGETHER,)),
    Row(199, "COMPLETED", 1, "2010", "2010", score=10),
    Row(20954, "COMPLETED", 1, "2018-06", "2018-06", score=9),
    Row(47, "COMPLETED", 1, "2015-08-08", "2015-08-08", score=8.5),
    Row(528, "COMPLETED", 1, "2015-03-01", "2015-03-01", score=7),
    Row(5526, "COMPLETED", 1, "2015-03-01", "2015-03-01", score=6),
    Row(131573, "COMPLETED", 1, "2022-03-26", "2022-03-26", 1, score=8.5),
    Row(112151, "COMPLETED", 1, "2021-05-29", "2021-05-29", 1, score=9),
    Row(178788, "COMPLETED", 1, "2025-09-14", "2025-09-14", 1, score=9.5),
    Row(109190, "COMPLETED", 1, "2020-05-16", "2020-05-16", 1, score=8.5, lists=(TOGETHER,)),
    Row(171627, "PLANNING", 0, updated="2025-10-01"),
    Row(97731, "COMPLETED", 1, "2016-12-01", "2016-12-01", 1, score=9),
    Row(11679, "COMPLETED", 1, "2012-10-31", "2012-10-31", score=5),
    Row(106146, "COMPLETED", 1, "2012-10-31", "2012-10-31", score=5),
)

# Plays that media centres and phones have scrobbled before: (Trakt show, season, first, last, day).
SCROBBLED_EPISODES = (
    (30857, 1, 1, 26, "2024-02-01"),
    (13855, 1, 1, 5, "2024-06-01"),
    (198225, 1, 27, 28, "2024-03-23"),
)
SCROBBLED_MOVIES = ((97, "2023-12-25"),)

# What must come of the entries that are not simply placed: anilist id -> (pile, reason, why).
PILES: dict[int, tuple[str, str, str]] = {
    97731: ("no_match", "music", "a music video; no file has a row for it"),
    11679: ("no_match", "no_id", "the files have a row for it, without any id"),
    106146: ("no_match", "not_on_trakt", "the files name a TMDB show that Trakt does not list"),
    99634: ("needs_you", "special_unconfirmed", "the files name TVDB's special numbers only; Trakt's titles and dates say nothing"),
    108945: ("needs_you", "special_unconfirmed", "the files name TVDB's special numbers only; Trakt's titles and dates say nothing"),
}  # fmt: skip

# Entries that are placed, and of which something still does not go out: anilist id -> (reason, why).
REMARKS: dict[int, tuple[str, str]] = {
    172463: ("not_listed_yet", "episode 3 was watched, Trakt lists only the first two (S1E48 and S1E49)"),
    127230: ("above_episodes", "progress 13 of 12: the first twelve are sent, the thirteenth goes to review"),
    5526: ("shared_with", "the short film before The First Movie; Trakt has one movie for both"),
    20807: ("private", "a private entry: placed at S1, not sent unless the account says so"),
    97940: ("status", "dropped: a status that is not sent unless it is ticked"),
    19: ("status", "planning: nothing was watched"),
    171627: ("status", "planning: nothing was watched"),
}

SECOND_ROWS: tuple[Row, ...] = (
    Row(154587, "COMPLETED", 28, "2024-01-01", "2024-01-20", 4, score=9),
    Row(145064, "CURRENT", 7, "2024-02-01", None, 3, updated="2024-02-11"),
    Row(199, "COMPLETED", 1, "2024-03-01", "2024-03-01", 1, score=8),
)
