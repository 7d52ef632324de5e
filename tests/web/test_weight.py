"""The first load stays light: under 45 kB compressed in under 10 requests, posters apart."""

from __future__ import annotations

from pathlib import Path

from tests.bench_weight import weights


def test_the_first_load_of_every_main_page_is_light(tmp_path: Path) -> None:
    found = weights(tmp_path)
    assert len(found) == 7
    for weight in found:
        assert weight.is_light, f"{weight.page}: {len(weight.parts)} requests, {weight.kilobytes:.1f} kB"
        assert len(weight.parts) >= 6, weight.parts  # the page, two styles, two scripts, the mark
