"""Who may import whom (DESIGN 2): read from the code, so that nobody has to remember."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import webapp
from webapp.config import ROOT

CORE = {
    "jobs.records", "jobs.errors", "jobs.planner", "jobs.dates", "jobs.mapping.resolver", "jobs.mapping.placement",
    "jobs.mapping.rows", "jobs.transport", "jobs.answers", "jobs.filters", "jobs.rewatches", "jobs.verdicts", "jobs.doctor",
    "jobs.extras", "jobs.said",
}  # fmt: skip
FRAMEWORKS = {"flask", "flask_sqlalchemy", "sqlalchemy", "redis", "rq", "flask_login", "flask_migrate"}
WEBAPP_MAY = {
    "jobs.records",
    "jobs.errors",
    "jobs.mapping.placement",
    "jobs.mapping.correction_file",
    "jobs.mapping.correction_text",
    "jobs.public_address",
    "jobs.planner",
    "jobs.said",
}
TOKENS_MAY = WEBAPP_MAY | {"jobs.transport", "jobs.answers"}  # answers: the reading half of transport
WITH_TRANSPORT = {"webapp.tokens", "webapp.oauth", "webapp.grants"}  # grants: the requests of the other two
WITH_PACE = {"webapp.budgets"}  # what is left of each budget, for Home
JOBS_MAY = {
    "webapp.models",
    "webapp.picture_file",
    "webapp.extensions",
    "webapp.database",
    "webapp.config",
    "webapp.tokens",
}
DRIVERS = {"jobs.worker", "jobs.tick", "jobs.bench_mapping"}


def modules(package: str) -> dict[str, Path]:
    found = {}
    for file in sorted((ROOT / package).rglob("*.py")):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if ".migrations" not in name:
            found[name] = file
    return found


def imported(file: Path) -> Iterator[tuple[str, ast.AST]]:
    """Full names; `from a import b` counts as `a.b` when that is a module, else as `a`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = (ROOT / (inner.replace(".", "/") + ".py")).exists() or (
                    ROOT / inner.replace(".", "/") / "__init__.py"
                ).exists()
                yield (inner if is_module else node.module), node


def inside(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(one + ".") for one in allowed)


@pytest.mark.parametrize("module", sorted(modules("webapp")))
def test_pages_name_jobs_by_string_and_import_only_their_pure_core(module: str) -> None:
    may = TOKENS_MAY if module in WITH_TRANSPORT else WEBAPP_MAY
    may = may | {"jobs.pace"} if module in WITH_PACE else may
    wrong = {name for name, _ in imported(modules("webapp")[module]) if name.startswith("jobs") and name not in may}
    assert not wrong


@pytest.mark.parametrize("module", sorted(CORE))
def test_the_core_knows_no_framework_and_no_table(module: str) -> None:
    names = {name for name, _ in imported(modules("jobs")[module])}
    assert not {name for name in names if name.split(".")[0] in FRAMEWORKS}
    assert not {name for name in names if name.startswith("webapp")}
    assert not {name for name in names if name.startswith("jobs") and not (inside(name, CORE) or name in PURE)}


# Modules that the core was divided into; they are held to the same rule below.
PURE = {
    name
    for name, file in modules("jobs").items()
    if not any(n.split(".")[0] in FRAMEWORKS | {"webapp"} for n, _ in imported(file))
}


@pytest.mark.parametrize("module", sorted(set(modules("jobs")) - DRIVERS))
def test_jobs_use_only_the_lower_half_of_the_web_app(module: str) -> None:
    wrong = {
        name
        for name, _ in imported(modules("jobs")[module])
        if name.startswith("webapp") and not inside(name, JOBS_MAY)
    }
    assert not wrong


def test_only_the_worker_makes_the_app() -> None:
    makers = {
        name
        for name, file in modules("jobs").items()
        if any(
            isinstance(node, ast.ImportFrom) and any(alias.name == "create_app" for alias in node.names)
            for _, node in imported(file)
        )
    }
    assert makers <= {"jobs.worker", "jobs.bench_mapping"}


def test_the_simulator_is_no_part_of_the_app() -> None:
    users = {
        name
        for name, file in modules("webapp").items()
        if not name.startswith("webapp.simulator") and any(n.startswith("webapp.simulator") for n, _ in imported(file))
    }
    assert users <= {"webapp.launch.start", "webapp.bench_sync"}


@pytest.mark.parametrize("package", ["webapp", "jobs"])
def test_no_module_is_called_like_one_of_the_standard_library(package: str) -> None:
    clashes = {name for name in modules(package) if name.rsplit(".", 1)[-1] in sys.stdlib_module_names - {"__main__"}}
    assert not clashes


@pytest.mark.parametrize("package", ["webapp", "jobs"])
def test_nothing_is_imported_inside_a_function(package: str) -> None:
    dodges = [
        f"{name}:{node.lineno}"
        for name, file in modules(package).items()
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert dodges == []


def test_the_app_is_made_from_the_package_and_loaded_only_then() -> None:
    said = "import sys, webapp; before = 'webapp.app' in sys.modules; webapp.create_app; print(before, 'webapp.app' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", said], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )
    assert done.stdout == "False True\n"
    with pytest.raises(AttributeError, match="create_apps"):
        getattr(webapp, "create_apps")  # noqa: B009 - mypy knows better than to let it be written out
