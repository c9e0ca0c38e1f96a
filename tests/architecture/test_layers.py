"""Who may know whom, seen two ways: by the import graph, and by what a fresh interpreter has loaded."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "swaddle"

# What the gateway must never have loaded: what opens, parses, draws, or fetches.
BLIND_TO = (
    "swaddle.envelope.unseal", "swaddle.envelope.keys", "swaddle.envelope.unlock", "swaddle.envelope.backup_opening",
    "swaddle.envelope.backup_file_opening",
    "swaddle.wire.client",
    "swaddle.intake", "swaddle.dictionary", "swaddle.indicators", "swaddle.feedback", "swaddle.registry",
    "swaddle.submitter", "swaddle.incident", "swaddle.demo", "swaddle.custody",
    "duckdb", "jinja2", "numpy", "pandas", "polars", "pyarrow", "httpx", "requests", "aiohttp", "urllib3",
)  # fmt: skip

# What `gateway upgrade` and `gateway restore` load while they run, and nothing else of the gateway ever.
BY_HAND_ONLY = ("alembic", "sqlalchemy", "mako")
BY_HAND = {"migrate.py", "m0001_as_first_made.py", "m0002_doors_quotas_and_growth.py"}

# Values in, values out: no disk, network, database, clock or randomness (architecture: marked *).
PURE = (
    "canonical", "errors", "settings",
    "custody/entry", "custody/show", "custody/tree", "custody/checkpoint", "custody/tlog_proof", "custody/copies",
    "incident/life", "incident/exposure", "incident/case", "incident/addresses", "incident/households", "incident/veris",
    "incident/tally", "incident/tally_figures", "incident/tally_match", "incident/tally_names",
    "dictionary/model",
    "envelope/crypt4gh", "envelope/parts", "envelope/manifest", "envelope/public", "envelope/words",
    "gateway/transfer", "gateway/access", "gateway/freeze",
    "registry/records", "feedback/report",
    "indicators/compare", "indicators/robson", "indicators/disclosure",
    "wire/messages", "wire/signing", "wire/enrolment", "wire/openapi",
)  # fmt: skip
IMPURE = {
    "os", "io", "pathlib", "shutil", "tempfile", "socket", "ssl", "http", "urllib", "sqlite3", "duckdb", "subprocess",
    "random", "secrets", "uuid", "time", "threading", "asyncio", "select", "mmap", "fcntl", "signal", "logging",
    "requests", "httpx", "granian", "starlette",
}  # fmt: skip
IMPURE_CALLS = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("datetime", "today")}
# Exceptions, each with its reason.
ALLOWED = {
    ("envelope/words", "pathlib"): "the list of words is a file of the package it comes with",
}


def fresh(code, **environment):
    """What an interpreter that has just started prints as JSON when it runs `code`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=clean | environment, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def loaded_by(*modules):
    lines = ["import sys, json", *[f"import {module}" for module in modules], "print(json.dumps(sorted(sys.modules)))"]
    return fresh("\n".join(lines))


def modules_of(room):
    return [
        ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((SOURCE / room).rglob("*.py"))
    ]


def knows(loaded, forbidden):
    return sorted(name for name in loaded if any(name == bad or name.startswith(bad + ".") for bad in forbidden))


class TestTheGatewayIsBlind:
    """A gateway that does not have the code cannot be talked into using it."""

    @pytest.mark.parametrize("module", ["swaddle.gateway.app", "swaddle.gateway.run"])
    def test_a_fresh_interpreter_that_serves_has_loaded_nothing_that_opens_parses_or_fetches(self, module):
        assert knows(loaded_by(module), BLIND_TO) == []

    def test_no_module_of_the_gateway_loads_any_of_it_either(self):
        modules = modules_of("gateway")
        assert len(modules) > 10
        assert knows(loaded_by(*modules), BLIND_TO + BY_HAND_ONLY) == []

    def test_the_command_that_runs_it_loads_none_of_it(self):
        assert knows(loaded_by("swaddle.cli.main", "swaddle.cli.gateway"), BLIND_TO) == []

    def test_what_a_lazy_import_would_hide_is_not_in_its_source(self):
        """A linter follows imports at the top; this reads every one, wherever it stands, and importlib too."""
        for path in sorted((SOURCE / "gateway").rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    names = [node.module or "", *[f"{node.module}.{alias.name}" for alias in node.names]]
                else:
                    continue
                assert knows(names, BLIND_TO) == [], path.name
                assert path.name in BY_HAND or knows(names, BY_HAND_ONLY) == [], path.name
                assert "importlib" not in names, path.name


def test_the_command_line_loads_nothing_before_it_is_asked():
    loaded = loaded_by("swaddle.cli.main")
    heavy = ["rich", "duckdb", "starlette", "granian", "jinja2", "cryptography", "numpy", "msgspec", "http.client"]
    assert knows(loaded, heavy) == []


def test_a_submitter_needs_no_database_to_send():
    assert knows(loaded_by("swaddle.submitter.send"), ["duckdb", "jinja2", "starlette", "granian", "numpy"]) == []


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_touches_no_disk_network_database_clock_or_randomness(name):
    path = SOURCE / f"{name}.py"
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            roots = {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            roots = {(node.module or "").split(".")[0]}
            assert (node.module or "") not in {"swaddle.durable", "swaddle.home"}
        elif isinstance(node, ast.Call):
            function = node.func
            assert not (isinstance(function, ast.Name) and function.id in {"open", "print", "input"})
            if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
                assert (function.value.id, function.attr) not in IMPURE_CALLS
            continue
        else:
            continue
        assert {root for root in roots & IMPURE if (name, root) not in ALLOWED} == set()


def test_the_import_contracts_hold():
    """The same contracts as `make lint`, so that a test run alone shows a broken layer."""
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [program, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout
