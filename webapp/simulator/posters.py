"""Drawn posters: a quiet landscape per title, the same every time, different for each."""

from __future__ import annotations

import colorsys
import random
import textwrap
from typing import Any

from flask import Blueprint, Response, abort, render_template

from webapp.simulator.world import World

WIDTH, HEIGHT = 230, 325


def blueprint(world: World) -> Blueprint:
    """`/posters/<anilist id>.svg`."""
    pages = Blueprint("posters", __name__, url_prefix="/posters")

    @pages.get("/<int:media_id>.svg")
    def poster(media_id: int) -> Response:
        media = world.library.media.get(media_id)
        if media is None:
            abort(404)
        title = str(media["title"]["english"] or media["title"]["romaji"])
        svg = render_template("poster.svg", **drawing(media_id, title, media["color"]))
        return Response(svg, headers={"Cache-Control": "public, max-age=86400"}, mimetype="image/svg+xml")

    return pages


def drawing(media_id: int, title: str, color: str | None) -> dict[str, Any]:
    """Shapes and colours of one poster; `color` as #rrggbb decides the hue where it is known."""
    dice = random.Random(media_id)  # noqa: S311 - a picture, no secret
    if color:
        red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
        hue = colorsys.rgb_to_hsv(red, green, blue)[0]
    else:
        hue = dice.random()
    hue = (hue + dice.uniform(-0.03, 0.03)) % 1

    def shade(turn: float, saturation: float, value: float) -> str:
        parts = colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value)
        return "#" + "".join(f"{round(part * 255):02x}" for part in parts)

    return {
        "title": title,
        "top": shade(0.06, 0.45, 0.72),
        "bottom": shade(-0.04, 0.35, 0.92),
        "light": shade(0.1, 0.12, 0.99),
        "dark": shade(0, 0.5, 0.28),
        "disc": {"x": dice.randint(45, 185), "y": dice.randint(55, 120), "r": dice.randint(20, 44)},
        "hills": [_hill(dice, 150 + 30 * layer) for layer in range(3)],
        "dots": [
            {"x": dice.randint(8, 222), "y": dice.randint(8, 130), "r": round(dice.uniform(0.6, 1.8), 1)}
            for _ in range(dice.randint(0, 18))
        ],
        "lines": _lines(title),
    }


def _lines(title: str) -> list[str]:
    """The part before a colon, in at most three large lines: posters are looked at 40 to 120 pixels wide."""
    name = title.split(":", maxsplit=1)[0]
    lines = textwrap.wrap(name, 13, break_long_words=True)
    return lines if len(lines) <= 3 else [*lines[:2], textwrap.shorten(" ".join(lines[2:]), 13, placeholder="…") or "…"]


def _hill(dice: random.Random, base: int) -> str:
    points = [(x, base + dice.randint(-22, 22)) for x in range(0, WIDTH + 1, 46)]
    curve = " ".join(f"S {x - 23} {y}, {x} {y}" for x, y in points[1:])
    return f"M 0 {points[0][1]} {curve} V {HEIGHT} H 0 Z"
