"""Lines on the console."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from webapp import logs
from webapp.config import load


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, as it was before afterwards."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:], logger.level = handlers, level


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_text_lines_name_the_level_and_the_logger(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(load({}))
    logging.getLogger("tsuzuki.run").info("Nothing new.")
    logging.getLogger("tsuzuki.run").debug("not shown")
    assert said(capsys).partition(" ")[2] == "INFO    tsuzuki.run: Nothing new.\n"


def test_json_lines_carry_the_run_and_the_traceback(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(load({"LOG_FORMAT": "json", "LOG_LEVEL": "debug"}))
    try:
        raise ValueError("自")
    except ValueError:
        logging.getLogger("tsuzuki.run").debug("line %d", 2, extra={"run_id": 7}, exc_info=sys.exc_info())
    line = json.loads(said(capsys))
    assert (line["message"], line["run_id"], line["level"]) == ("line 2", 7, "debug")
    assert line["exception"].endswith("ValueError: 自")
