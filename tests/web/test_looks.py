"""Light and dark by choice, posters by choice, and colours that everybody can read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.web.conftest import Browser
from webapp.config import ROOT

TOKENS = Path(ROOT / "static/css/tokens.css").read_text(encoding="utf-8")
TEXT, EDGE = 4.5, 3.0  # WCAG 2.2: 1.4.3 and 1.4.11
GROUNDS = ("paper", "surface", "sunken")
PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "ink-2", "ink-3") for ground in GROUNDS),
    *((state, ground, TEXT) for state in ("ok", "warn", "bad", "info", "accent") for ground in ("paper", "surface")),
    *((state, f"{state}-soft", TEXT) for state in ("warn", "bad", "info", "accent")),
    *(("ink", f"{state}-soft", TEXT) for state in ("warn", "bad", "info", "accent")),
    *(("ink-2", f"{state}-soft", TEXT) for state in ("warn", "bad", "info", "accent")),
    ("on-seal", "seal", TEXT),
    ("paper", "ink", TEXT),
    *(("edge", ground, EDGE) for ground in ("paper", "surface", "sunken")),
    *(("accent", ground, EDGE) for ground in GROUNDS),  # the ring of what has the focus
    ("heat-3", "surface", EDGE),
    ("heat-4", "surface", EDGE),
]


def colours(theme: int) -> dict[str, tuple[float, float, float]]:
    """Name -> linear red, green, blue. `theme` 0 is light, 1 dark."""
    found = {}
    for name, value in re.findall(r"--([\w-]+):\s*(light-dark\([^)]*\)|#[0-9a-f]{3,6});", TOKENS):
        shades = re.findall(r"#[0-9a-f]{3,6}", value)
        text = shades[theme if len(shades) > 1 else 0][1:]
        text = "".join(c * 2 for c in text) if len(text) == 3 else text
        parts = [int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        found[name] = tuple(p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return found  # type: ignore[return-value]  # three parts each, which a generator does not say


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    high, low = sorted((0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (one, other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_colour_can_be_read_on_its_ground(theme: int) -> None:
    names = colours(theme)
    weak = [
        f"--{a} on --{b}: {contrast(names[a], names[b]):.2f} of {wanted}"
        for a, b, wanted in PAIRS
        if contrast(names[a], names[b]) < wanted
    ]
    assert not weak, "\n".join(weak)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_year_reads_without_hue(theme: int) -> None:
    names = colours(theme)
    steps = [contrast(names[f"heat-{level}"], names["sunken"]) for level in range(1, 5)]
    assert steps == sorted(steps)


def test_colours_are_named_in_one_file_only() -> None:
    for file in (ROOT / "static/css").glob("*.css"):
        if file.name != "tokens.css":
            assert not re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(", file.read_text(encoding="utf-8")), file.name


def test_a_chosen_theme_stands_in_the_page_itself_so_that_nothing_flashes(small: Browser) -> None:
    assert "data-theme" not in small.get("/")
    small.post("/settings/looks", {"theme": "dark", "posters": "1"})
    assert '<html lang="en" data-theme="dark">' in small.get("/")
    small.post("/logout")
    assert 'data-theme="dark"' in small.get("/login")


def test_no_poster_is_asked_for_once_they_are_off(small: Browser) -> None:
    assert "s4.anilist.co" in small.get("/mappings")
    small.post("/settings/looks", {"theme": "system"})
    assert "s4.anilist.co" not in small.get("/mappings")
    small.post("/settings/looks", {"theme": "purple"}, status=400)
