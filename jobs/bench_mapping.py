"""How exact the placement is: places every entry of a truth file and counts what is right, wrong and refused.

`python -m jobs.bench_mapping --data FOLDER [--truth FILE] [--without SOURCE] [--json]`. FOLDER holds the three mapping
files as their services deliver them; the truth file holds entries with their places and a Trakt catalogue, which stands
in for Trakt here: nothing is asked over the network.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.bench_world import FILES, TRUTH, Bench, Expected, Place, load, missing_files
from jobs.mapping.chain import Link
from jobs.records import Placement, Refusal, Shape

GROUPS = ("shows", "shows away from S1E1", "movies", "specials")
Verdict = tuple[str, int, int, int]  # "right", "wrong" or "refused"; plays right, wrong, refused


@dataclass(slots=True)
class Score:
    right: int = 0
    wrong: int = 0
    refused: int = 0
    plays_right: int = 0
    plays_wrong: int = 0
    plays_refused: int = 0
    with_id: int = 0

    @property
    def entries(self) -> int:
        return self.right + self.wrong + self.refused

    def as_json(self) -> dict[str, Any]:
        plays = self.plays_right + self.plays_wrong + self.plays_refused
        return {
            "entries": self.entries,
            "right": self.right,
            "wrong": self.wrong,
            "refused": self.refused,
            "rightPercent": _percent(self.right, self.entries),
            "wrongPercent": _percent(self.wrong, self.entries),
            "plays": plays,
            "playsRight": self.plays_right,
            "playsWrong": self.plays_wrong,
            "playsWrongPercent": _percent(self.plays_wrong, plays),
            "withAnyIdPercent": _percent(self.with_id, self.entries),
        }


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 3) if whole else 0.0


def judge(expected: Expected, result: Placement | Refusal | None) -> tuple[str, int, int, int]:
    """("right" | "wrong" | "refused", plays right, wrong, refused) of one entry.

    An entry is wrong as soon as one play is; it is right when every play is.
    """
    plays = len(expected.places) or 1
    if not isinstance(result, Placement):
        return "refused", 0, 0, plays
    if result.trakt_id != expected.trakt_id or result.kind != expected.kind:
        placed = sum(result.place_of(e) is not None for e in expected.places) if result.kind == "show" else plays
        return ("wrong", 0, placed, plays - placed) if placed else ("refused", 0, 0, plays)
    if expected.kind == "movie":
        return "right", 1, 0, 0
    right = wrong = 0
    for episode, place in expected.places.items():
        said = result.place_of(episode)
        right += said == place
        wrong += said is not None and said != place
    verdict = "wrong" if wrong else "right" if right == plays else "refused"
    return verdict, right, wrong, plays - right - wrong


def absolute_baseline(expected: Expected, shape: Shape | None) -> dict[int, Place]:
    """Every entry from S1E1 by absolute number."""
    flat = [(season, slot.number) for season, slot in shape.regular()] if shape else []
    return {e: flat[e - 1] if e <= len(flat) else (0, 0) for e in expected.places}


def literal_baseline(expected: Expected, link: Link) -> dict[int, Place]:
    """Fribbs's season and offset as they stand."""
    row = link.fribbs
    if row is None or (row.season_tmdb is None and row.season_tvdb is None):
        return {}
    tmdb = row.season_tmdb is not None
    season = row.season_tmdb if tmdb else row.season_tvdb
    offset = (row.offset_tmdb if tmdb else row.offset_tvdb) or 0
    return {e: (season or 0, e + offset) for e in expected.places}


@dataclass(slots=True)
class Tally:
    """All scores of one bench."""

    groups: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    formats: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    certainty: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    sources: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    baselines: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    refusals: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    worst: list[dict[str, Any]] = field(default_factory=list)

    def add(self, bench: Bench, expected: Expected) -> None:
        link = bench.catalogue.link(expected.media)
        result = bench.results.get(link.key)
        verdict = judge(expected, result)
        groups = [expected.group]
        if expected.group == "shows" and expected.places.get(1) != (1, 1):
            groups.append("shows away from S1E1")
        form = expected.media.format or "unknown"
        scores = [
            *(self.groups[group] for group in groups),
            self.formats[form],
            self.formats[f"{form} ({expected.group})"],
        ]
        if isinstance(result, Placement):
            scores.append(self.sources[f"{expected.group}: {_decided(bench, link, result)}"])
            scores.append(self.certainty[f"{expected.group}: {result.certainty}"])
        else:
            self.refusals[expected.group][result.reason.value if result else "none"] += 1
        has_id = link.has_ids and link.sequel is None
        for score in scores:
            _count(score, verdict, has_id=has_id)
        if expected.kind == "show":
            shape = bench.trakt.shapes.get(expected.trakt_id)
            for group in groups:
                absolute = _compare(expected, absolute_baseline(expected, shape))
                _count(self.baselines[f"{group}: absolute from S1E1"], absolute, has_id=has_id)
                literal = _compare(expected, literal_baseline(expected, link))
                _count(self.baselines[f"{group}: Fribbs literally"], literal, has_id=has_id)
        if verdict[0] != "right":
            self.worst.append(_case(expected, result, verdict))


def _ordered(scores: Mapping[str, Score]) -> list[tuple[str, Score]]:
    """By name, groups in their own order: shows, those away from S1E1, movies, specials."""
    return sorted(scores.items(), key=lambda item: (GROUPS.index(item[0]) if item[0] in GROUPS else 0, item[0]))


def report(bench: Bench) -> dict[str, Any]:
    """The numbers as plain values."""
    tally = Tally()
    for expected in bench.expected:
        tally.add(bench, expected)
    rank = {"shows": 0, "movies": 1, "specials": 2}
    tally.worst.sort(key=lambda c: (c["verdict"] != "wrong", rank[c["group"]], -c["playsWrong"], -c["plays"]))
    scores = ("groups", "formats", "certainty", "sources", "baselines")
    return {
        **{title: {name: score.as_json() for name, score in _ordered(getattr(tally, title))} for title in scores},
        "refusals": {name: dict(counter.most_common()) for name, counter in tally.refusals.items()},
        "worst": tally.worst,
        "data": dict(bench.data),
        "lookups": bench.lookups,
        "cpuSeconds": round(bench.seconds, 2),
        "secondsPer5000": round(bench.seconds * 5000 / max(len(bench.expected), 1), 2),
    }


def _decided(bench: Bench, link: Link, result: Placement) -> str:
    if result.kind == "movie":
        return bench.identities[link.key].source
    return f"{result.source} / {result.rule}"


def _compare(expected: Expected, places: Mapping[int, Place]) -> tuple[str, int, int, int]:
    plays = len(expected.places)
    right = sum(places.get(e) == place for e, place in expected.places.items())
    wrong = len(places) - right
    return ("right" if right == plays else "wrong" if wrong else "refused"), right, wrong, plays - right - wrong


def _count(score: Score, verdict: tuple[str, int, int, int], *, has_id: bool) -> None:
    word, right, wrong, refused = verdict
    setattr(score, word, getattr(score, word) + 1)
    score.plays_right += right
    score.plays_wrong += wrong
    score.plays_refused += refused
    score.with_id += has_id


def _case(expected: Expected, result: Placement | Refusal | None, verdict: tuple[str, int, int, int]) -> dict[str, Any]:
    spot = expected.places.get(1)
    said = ""
    if isinstance(result, Placement):
        place = result.place_of(1)
        said = f"{result.kind} {result.trakt_id}" + (f" S{place[0]}E{place[1]}" if place else "")
    return {
        "anilistId": expected.media.anilist_id,
        "title": expected.media.romaji,
        "group": expected.group,
        "verdict": verdict[0],
        "plays": len(expected.places) or 1,
        "playsWrong": verdict[2],
        "expected": f"{expected.kind} {expected.trakt_id}" + (f" S{spot[0]}E{spot[1]}" if spot else ""),
        "said": said or (result.reason.value if isinstance(result, Refusal) else "nothing"),
        "why": result.reason if isinstance(result, Placement) else (result.detail if result else ""),
    }


def as_text(numbers: Mapping[str, Any]) -> str:
    """The report for a terminal."""
    lines = [
        f"{'':46}{'entries':>8}{'right':>7}{'wrong':>7}{'refused':>9}{'right %':>9}{'plays':>8}{'right':>8}{'wrong':>7}{'wrong %':>9}{'any id %':>10}"
    ]
    for title in ("groups", "formats", "certainty", "sources", "baselines"):
        lines.append(title)
        for name, row in numbers[title].items():
            lines.append(
                f"  {name:44}{row['entries']:>8}{row['right']:>7}{row['wrong']:>7}{row['refused']:>9}"
                f"{row['rightPercent']:>9.3f}{row['plays']:>8}{row['playsRight']:>8}{row['playsWrong']:>7}{row['playsWrongPercent']:>9.3f}"
                f"{row['withAnyIdPercent']:>10.1f}"
            )
    lines.append("refusals")
    for name, counter in numbers["refusals"].items():
        lines.append(f"  {name}: " + ", ".join(f"{reason} {count}" for reason, count in counter.items()))
    lines.append("worst cases")
    lines.extend(
        f"  {case['verdict']:8}{case['anilistId']:>7} {case['title']} ({case['group']}, {case['plays']} plays): "
        f"expected {case['expected']}, said {case['said']}. {case['why']}"
        for case in numbers["worst"][:40]
    )
    data = numbers["data"]
    lines.append(
        f"rows read: Otaku {data['otakuRows']} (last changed {data['otakuLastActivity']}), Fribbs {data['fribbsRows']}, "
        f"Anime-Lists {data['animeListsRows']}; newest entry of the truth file: {data['newestTruthYear']}"
    )
    lines.append(
        f"{numbers['lookups']} look-ups; {numbers['cpuSeconds']} s of CPU, {numbers['secondsPer5000']} s for 5,000 entries"
    )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; prints to standard output and answers 0."""
    parser = argparse.ArgumentParser(prog="bench mapping", description="Measure how exact the placement is.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the three mapping files")
    parser.add_argument("--truth", type=Path, help=f"file with checked placements (default: {TRUTH} of that folder)")
    parser.add_argument("--without", action="append", choices=sorted(FILES), default=[], help="leave a source out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    if missing := missing_files(options.data, options.truth, without=options.without):
        parser.error(missing)
    bench = load(options.data, options.truth or options.data / TRUTH, without=options.without)
    bench.place()
    numbers = report(bench)
    sys.stdout.write((json.dumps(numbers, ensure_ascii=False, indent=1) if options.json else as_text(numbers)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
