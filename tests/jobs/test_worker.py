"""What a worker does when it is told to end: its job is told, and a download that is broken off is no error."""

from __future__ import annotations

import logging
import subprocess
import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jobs.worker import QueueWorker


@pytest.fixture
def worker() -> QueueWorker:
    """Without Redis: only what these tests ask of it."""
    made = QueueWorker.__new__(QueueWorker)
    made.name, made.log, made._exc_handlers = "sync-1", logging.getLogger("rq.worker"), []
    return made


def job() -> Any:
    return cast("Any", SimpleNamespace(id="cache-otaku", func_name="f", args=(), kwargs={}, origin="refresh"))


def test_a_job_that_has_just_ended_by_itself_need_not_be_told(worker: QueueWorker) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(timeout=60)
    worker._horse_pid = gone.pid
    worker.handle_warm_shutdown_request()


@pytest.mark.parametrize(("error", "level"), [(SystemExit(1), logging.INFO), (ValueError("bad"), logging.ERROR)])
def test_only_what_went_wrong_is_logged_as_an_error(
    worker: QueueWorker, error: BaseException, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    worker.handle_exception(job(), type(error), error, None)
    (record,) = caplog.records
    assert record.levelno == level
    assert "cache-otaku" in record.getMessage()
