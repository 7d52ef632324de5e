"""`./run test [--all] [pytest arguments]`: the suite on all processors; `--all` adds PostgreSQL, Chromium, slow ones."""

from __future__ import annotations

import shutil
import sys

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ONLY_WITH_ALL = ("slow", "postgres")


def main(arguments: list[str]) -> int:
    """pytest's exit status."""
    everything = "--all" in arguments
    rest = [argument for argument in arguments if argument != "--all"]
    left_out = [] if everything else list(ONLY_WITH_ALL)
    if not everything and not any(shutil.which(name) for name in CHROMIUM):
        sys.stdout.write("Chromium was not found: the browser tests are left out (./run test --all insists on them).\n")
        left_out.append("browser")
    chosen = ["-m", " and ".join(f"not {mark}" for mark in left_out)] if left_out else []
    processes = (
        []
        if any(argument.startswith(("-n", "--numprocesses")) for argument in rest)
        else ["-n", "auto", "--dist", "worksteal"]
    )
    return int(pytest.main([*processes, *chosen, *rest]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
