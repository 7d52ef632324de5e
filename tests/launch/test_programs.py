"""What is written into supervisor's configuration is what it reads from it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from webapp.config import load
from webapp.launch import programs
from webapp.launch.errors import LaunchError
from webapp.launch.programs import Program


def read(tmp_path: Path, *chosen: Program) -> dict[str, object]:
    file = tmp_path / "programs.conf"
    file.write_text(programs.configuration(chosen, tmp_path))
    options = ServerOptions()
    options.realize(["-n", "-c", str(file)])
    return {group.name: group.process_configs[0] for group in options.process_group_configs}


def test_odd_characters_in_paths_survive(tmp_path: Path) -> None:
    folder = tmp_path / "100% of my 'data'; (x)"
    folder.mkdir()
    program = programs.redis(Path("/opt/my redis/redis-server"), folder / "redis.conf")
    found = read(tmp_path, program)["redis"]
    assert found.stdout_logfile == str(folder / "redis.log")  # type: ignore[attr-defined]  # supervisor carries no types
    assert shlex.split(found.command) == list(program.command)  # type: ignore[attr-defined]  # as above


@pytest.mark.parametrize("name", ["x\n[program:evil]", "a ;b", "a #b"])
def test_what_supervisor_would_read_differently_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LaunchError, match="cannot be used"):
        programs.configuration([Program("web", [name], 1)], tmp_path)


def test_workers_get_fifty_seconds_to_finish_and_start_late(tmp_path: Path) -> None:
    found = read(tmp_path, programs.worker(), programs.web(load({})), programs.announce())
    worker = found["worker"]
    assert (worker.stopwaitsecs, worker.autostart) == (50, False)  # type: ignore[attr-defined]  # as above
    priorities = [found[name].priority for name in ("worker", "web", "announce")]  # type: ignore[attr-defined]  # as above
    assert priorities == sorted(priorities)


def test_an_ipv6_address_is_bound_in_brackets() -> None:
    assert "[::1]:8000" in programs.web(load({"HOST": "::1"})).command


def test_the_web_server_is_one_process_with_threads_and_no_control_socket() -> None:
    command = programs.web(load({"WEB_THREADS": "12"})).command
    assert "--no-control-socket" in command
    assert command[command.index("--workers") + 1] == "1"
    assert command[command.index("--threads") + 1] == "12"
