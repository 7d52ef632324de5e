"""Pictures of every page for people to look at, in `screenshots/`, which git ignores: light, dark, phone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e import house
from tests.e2e.conftest import SIZES, opened, sign_in
from webapp.config import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FOLDER = ROOT / "screenshots"
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": SIZES["phone"], "device_scale_factor": 2},
}


def name_of(endpoint: str, number: int) -> str:
    """mappings.entry, 2 -> mappings-entry-2.png"""
    return re.sub(r"\W", "-", endpoint) + (f"-{number}" if number else "") + ".png"


@pytest.mark.parametrize("look", LOOKS)
def test_a_picture_of_every_page_is_taken(chrome: Browser, furnished: house.House, look: str, tmp_path: Path) -> None:
    folder = FOLDER / look
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with house.unowned(tmp_path) as new, opened(chrome, furnished.base_url, **LOOKS[look]) as page:
        pages = [("setup.show", 0, f"{new.base_url}/setup"), ("account.sign_in", 0, "/login")]
        pages += [(name, at, path) for name, paths in furnished.pages.items() for at, path in enumerate(paths)]
        for endpoint, number, address in pages:
            if endpoint == "home.show" and number == 0:
                sign_in(page)
            page.goto(address)
            taken.append(folder / name_of(endpoint, number))
            page.screenshot(path=taken[-1], full_page=True)
    assert all(path.stat().st_size > 3_000 for path in taken)
    assert len(set(taken)) == len(pages)
