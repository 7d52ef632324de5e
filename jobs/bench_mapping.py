"""How exact the placement is: places every entry of a truth file and counts what is right, wrong and refused.

`python -m jobs.bench_mapping --data FOLDER [--truth FILE] [--json]`. FOLDER holds the three mapping files as their
services deliver them; the truth file holds entries with their places and a Trakt catalogue, which stands in for
Trakt here: nothing is asked over the network.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.mapping import anime_lists, fribbs, otaku
from jobs.mapping.chain import Catalogue, Link
from jobs.mapping.placement import place_movie, place_show
from jobs.mapping.resolver import Ask, Asking, Known, Lookup, Match, resolve
from jobs.mapping.rows import AnidbRow, IdRow
from jobs.mapping.specials import title_key
from jobs.records import Identity, Ids, MediaInfo, PartialDate, Placement, Refusal, Shape, Slot

FILES = {"otaku": "anime_mappings.db", "fribbs": "anime-list-full.json", "anime_lists": "anime-list-master.xml"}
TRUTH = "placements_dev.json.gz"
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Expected:
    """One entry of the truth file."""

    media: MediaInfo
    trakt_id: int
    kind: str  # show, movie
    places: Mapping[int, Place]
    special: bool

    @property
    def group(self) -> str:
        if self.kind == "movie":
            return "movies"
        return "specials" if self.special else "shows"


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


class StandInTrakt:
    """The catalogue of the truth file, answering look-ups as Trakt does."""

    def __init__(self, shows: Iterable[Mapping[str, Any]], movies: Iterable[Mapping[str, Any]]) -> None:
        self.shapes: dict[int, Shape] = {}
        self._by_id: dict[tuple[str, str, Any], list[Match]] = defaultdict(list)
        self._by_title: dict[str, list[Match]] = defaultdict(list)
        for show in shows:
            seasons = {int(s): tuple(Slot(n) for n in sorted(numbers)) for s, numbers in show["seasons"].items()}
            self.shapes[show["id"]] = Shape(show["id"], seasons, ended=False, title=show["title"])
            self._add("show", show)
        for movie in movies:
            self._by_title[title_key(movie["title"])].append(self._add("movie", movie))

    def _add(self, kind: Any, row: Mapping[str, Any]) -> Match:
        ids = Ids(row["id"], row.get("tmdb"), row.get("imdb"), row.get("tvdb"))
        match = Match(kind, row["id"], row["title"], row["year"], ids)
        for id_type, value in (
            ("trakt", row["id"]),
            ("tmdb", ids.tmdb_id),
            ("imdb", ids.imdb_id),
            ("tvdb", ids.tvdb_id),
        ):
            if value:
                self._by_id[kind, id_type, value].append(match)
        return match

    def answer(self, lookup: Lookup) -> tuple[Match, ...]:
        if lookup.what == "title":
            return tuple(self._by_title.get(title_key(str(lookup.value)), ()))
        return tuple(self._by_id.get((lookup.kind, lookup.id_type or "trakt", lookup.value), ()))


@dataclass(slots=True)
class Bench:
    """Everything that is measured in one go."""

    catalogue: Catalogue
    trakt: StandInTrakt
    expected: Sequence[Expected]
    identities: dict[int, Identity] = field(default_factory=dict)
    results: dict[int, Placement | Refusal] = field(default_factory=dict)
    lookups: int = 0
    seconds: float = 0.0
    data: Mapping[str, Any] = field(default_factory=dict)  # what was read, and how old it is

    def place(self) -> None:
        """Resolve and place every entry; `seconds` is CPU time without reading files."""
        began = time.process_time()
        answers: dict[Lookup, tuple[Match, ...]] = {}
        missing: set[tuple[str, int]] = set()
        by_show: dict[int, list[Link]] = defaultdict(list)
        for expected in self.expected:
            link = self.catalogue.link(expected.media)
            result = self._resolve(link, answers, missing)
            if isinstance(result, Refusal):
                self.results[link.key] = result
            elif result.kind == "movie":
                self.identities[link.key] = result
                self.results[link.key] = place_movie(link, result)
            else:
                self.identities[link.key] = result
                by_show[result.trakt_id].append(link)
        for trakt_id, links in by_show.items():
            tmdb_ids = {i for link in links if (i := link.tmdb_show_id)}
            tvdb_ids = {i for link in links if (i := link.tvdb_id)}
            chain = self.catalogue.chain(trakt_id, tmdb_ids, tvdb_ids)
            known = {link.key for link in chain}
            chain += [link for link in links if link.key not in known]
            places = place_show(trakt_id, chain, self.trakt.shapes[trakt_id])
            self.results.update((link.key, places.results[link.key]) for link in links)
        self.seconds = time.process_time() - began
        self.lookups = len(answers)

    def _resolve(
        self, link: Link, answers: dict[Lookup, tuple[Match, ...]], missing: set[tuple[str, int]]
    ) -> Identity | Refusal:
        while True:
            result = resolve(link, self.catalogue, Known(), Asking(answers, missing))
            if isinstance(result, Ask):
                answers.update((lookup, self.trakt.answer(lookup)) for lookup in result.lookups)
            elif isinstance(result, Identity) and result.kind == "show" and result.trakt_id not in self.trakt.shapes:
                missing.add(("show", result.trakt_id))
            else:
                return result


def load(folder: Path, truth: Path) -> Bench:
    """Read the three mapping files and the truth file."""
    rows: list[IdRow] = [
        row
        for name, read in (("otaku", otaku.read), ("fribbs", fribbs.read))
        for row in read(folder / FILES[name])
        if row
    ]
    anidb: dict[int, AnidbRow] = {row.anidb_id: row for row in anime_lists.read(folder / FILES["anime_lists"]) if row}
    with gzip.open(truth, "rt", encoding="utf-8") as file:
        data = json.load(file)
    expected = [_expected(row) for row in data["media"]]
    media = {e.media.anilist_id: e.media for e in expected}
    changed = otaku.last_activity(folder / FILES["otaku"])
    read = {
        "otakuLastActivity": changed.date().isoformat() if changed else None,
        "newestTruthYear": max((e.media.year or 0 for e in expected), default=0),
        **{f"{name}Rows": sum(row.source == name for row in rows) for name in ("otaku", "fribbs")},
        "animeListsRows": len(anidb),
    }
    return Bench(Catalogue(rows, anidb, media), StandInTrakt(data["shows"], data["movies"]), expected, data=read)


def _expected(row: Mapping[str, Any]) -> Expected:
    media = MediaInfo(
        anilist_id=row["id"],
        mal_id=row.get("idMal"),
        format=row.get("format"),
        status="FINISHED",
        episodes=row.get("episodes"),
        start_date=PartialDate(row.get("year")),
        romaji=row.get("title"),
        english=row.get("english"),
    )
    if "movie" in row:
        return Expected(media, row["movie"], "movie", {}, special=False)
    places = {int(episode): (place[0], place[1]) for episode, place in row["eps"].items()}
    return Expected(media, row["trakt"], "show", places, special=row.get("how") == "special")


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


def report(bench: Bench) -> dict[str, Any]:
    """The numbers as plain values."""
    groups: dict[str, Score] = defaultdict(Score)
    formats: dict[str, Score] = defaultdict(Score)
    sources: dict[str, Score] = defaultdict(Score)
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    baselines: dict[str, Score] = {"absolute from S1E1": Score(), "Fribbs literally": Score()}
    worst: list[dict[str, Any]] = []
    for expected in bench.expected:
        link = bench.catalogue.link(expected.media)
        result = bench.results.get(link.key)
        verdict = judge(expected, result)
        has_id = link.has_ids and link.sequel is None
        names = [groups[expected.group], formats[f"{expected.group} {expected.media.format}"]]
        if expected.group == "shows" and expected.places.get(1) != (1, 1):
            names.append(groups["shows away from S1E1"])
        if isinstance(result, Placement):
            names.append(sources[f"{expected.group}: {_decided(bench, link, result)}"])
        else:
            reasons[expected.group][result.reason.value if result else "none"] += 1
        for score in names:
            _count(score, verdict, has_id=has_id)
        if expected.group == "shows":
            shape = bench.trakt.shapes.get(expected.trakt_id)
            _count(
                baselines["absolute from S1E1"], _compare(expected, absolute_baseline(expected, shape)), has_id=has_id
            )
            _count(baselines["Fribbs literally"], _compare(expected, literal_baseline(expected, link)), has_id=has_id)
        if verdict[0] != "right" and (expected.group == "shows" or verdict[0] == "wrong"):
            worst.append(_case(expected, result, verdict))
    worst.sort(key=lambda case: (case["verdict"] != "wrong", -case["playsWrong"], -case["plays"]))
    return {
        "groups": {name: score.as_json() for name, score in groups.items()},
        "formats": {name: formats[name].as_json() for name in sorted(formats)},
        "sources": {name: sources[name].as_json() for name in sorted(sources)},
        "refusals": {name: dict(counter.most_common()) for name, counter in reasons.items()},
        "baselines": {name: score.as_json() for name, score in baselines.items()},
        "worst": worst,
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
        f"{'':34}{'entries':>8}{'right':>7}{'wrong':>7}{'refused':>9}{'right %':>9}{'plays':>8}{'right':>8}{'wrong':>7}{'wrong %':>9}{'any id %':>10}"
    ]
    for title in ("groups", "formats", "sources", "baselines"):
        lines.append(title)
        for name, row in numbers[title].items():
            lines.append(
                f"  {name:32}{row['entries']:>8}{row['right']:>7}{row['wrong']:>7}{row['refused']:>9}"
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
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    bench = load(options.data, options.truth or options.data / TRUTH)
    bench.place()
    numbers = report(bench)
    sys.stdout.write((json.dumps(numbers, ensure_ascii=False, indent=1) if options.json else as_text(numbers)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
