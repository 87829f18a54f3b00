"""The shape of the project: sizes, places and names, as CONTRIBUTING.md promises them to a reader."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mailguard"
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))]

LONGEST_MODULE = 400
LONGEST_FUNCTION = 40

TOP_LEVEL = {
    *("pyproject.toml", "uv.lock", "Makefile", "LICENSE"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md"),
    *("mailguard", "tests", "config", "deploy", "docs"),
}

# Modules without a test file of their own name, and where they are tested instead.
TESTED_ELSEWHERE: dict[str, str] = {
    "mailguard/app/storing.py": "tests/nodes starts guards on PostgreSQL, and all others start on SQLite",
    "mailguard/cli/learning.py": "tests/cli/test_memory.py runs it",
    "mailguard/core/recall/learnt.py": "tests/core/recall/test_suspicion.py",
    "mailguard/core/recall/posting.py": "tests/core/recall/test_lessons.py",
    "mailguard/core/recall/remembrance.py": "tests/core/recall/test_recollecting.py",
    "mailguard/ports/machine.py": "Protocols only; tests/edge proves each real one",
    "mailguard/ports/outward.py": "Protocols only; tests/edge proves each real one",
    "mailguard/ports/access.py": "Protocols only; tests/edge/store/contract_access.py proves each real one",
    "mailguard/core/link.py": "a value without behaviour; tests/edge/test_links.py reads it",
    "mailguard/core/events.py": "a value without behaviour; tests/core/test_moves.py reads what is in it",
    "mailguard/core/own_mail.py": "tests/core/test_bounce.py and test_notice_mail.py read what it makes",
    "mailguard/core/notice_words.py": "words without behaviour; tests/core/test_notice.py reads them",
    "mailguard/core/findings.py": "values without behaviour; the tests of the checks read what is in them",
}

# Names that say nothing of what a thing is for.
EMPTY_NAMES = re.compile(r"Manager|Helper|Util|Handler$|^(helpers?|utils?|common|misc)$", re.IGNORECASE)

# A library that carries a part of the guard has one home there (docs/architecture.md).
HOMES = {
    "aiosmtpd": "mailguard/edge/smtp_in",
    "aiosmtplib": "mailguard/edge/smtp_out",
    "aiosqlite": "mailguard/edge/store",
    "psycopg": "mailguard/edge/store/postgres",
    "psycopg_pool": "mailguard/edge/store/postgres",
    "pydantic_settings": "mailguard/edge/config",
    "click": "mailguard/cli",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (
        node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_module_and_its_functions_fit_on_a_few_screens(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < LONGEST_MODULE
    long = [
        f"{function.name}: {function.end_lineno - function.lineno + 1} lines"
        for function in functions(path)
        if function.end_lineno and function.end_lineno - function.lineno + 1 >= LONGEST_FUNCTION
    ]
    assert long == []


def test_the_top_level_holds_only_what_the_plan_names() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if tracked.returncode:
        pytest.skip("not a git checkout: what is tracked cannot be told")
    tops = {name.split("/")[0] for name in tracked.stdout.decode().split("\0") if name}
    assert {top for top in tops if not top.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize(
    "module", [path for path in MODULES if path.stem not in ("__init__", "__main__")], ids=name_of
)
def test_every_module_has_a_test_file_of_its_name(module: Path) -> None:
    if name_of(module) in TESTED_ELSEWHERE:
        return
    found = [path for path in (ROOT / "tests").rglob("test_*.py") if _tests(path, module)]
    assert found, f"write tests/**/test_{module.stem}.py, or tell in TESTED_ELSEWHERE where it is tested"


def _tests(test: Path, module: Path) -> bool:
    """A file of its name; for a part of an edge's package also one of the package's name.

    The same goes for mailguard/app.

    `test_journal.py`, `test_store_journal.py`, `test_store.py` and `store/test_*.py` are all for
    edge/store/journal.py: a package is proven at its outside.
    """
    package = module.parent.name
    if test.stem in (f"test_{module.stem}", f"test_{package}_{module.stem}"):
        return True
    inside = module.parent.parent.name == "edge" or package == "app"
    return inside and (test.stem.startswith(f"test_{package}") or test.parent.name == package)


def test_the_list_of_modules_tested_elsewhere_is_fresh() -> None:
    assert [name for name in TESTED_ELSEWHERE if not (ROOT / name).is_file()] == []


def test_a_module_opens_with_what_it_is_for() -> None:
    silent = [
        name_of(path)
        for path in MODULES
        if path.read_text(encoding="utf-8").strip() and not ast.get_docstring(tree_of(path))
    ]
    assert silent == []


def test_no_name_says_nothing() -> None:
    named = [
        (name_of(path), node.name)
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and not _library_name(node)
    ]
    files = [(name_of(path), path.stem) for path in MODULES]
    assert [pair for pair in (*named, *files) if EMPTY_NAMES.search(pair[1])] == []


def _library_name(node: ast.ClassDef) -> bool:
    """A subclass of a library's Handler may keep the word (logging.Handler)."""
    return any(ast.unparse(base).endswith("Handler") for base in node.bases)


def test_a_library_stays_in_its_home() -> None:
    strays = [
        f"{name_of(path)} imports {name}"
        for path in MODULES
        for name in imported(path)
        if (home := HOMES.get(name.split(".")[0])) and not name_of(path).startswith(home)
    ]
    assert strays == []


def test_core_flow_and_ports_import_the_standard_library_only() -> None:
    inner = [path for path in MODULES if name_of(path).split("/")[1] in ("core", "flow", "ports")]
    strays = [
        f"{name_of(path)} imports {name}"
        for path in inner
        for name in imported(path)
        if name.split(".")[0] not in (*sys.stdlib_module_names, "mailguard")
    ]
    assert strays == []


def test_values_are_made_in_one_way() -> None:
    """Those of `dataclasses` take twice as long where they are frozen (core/value.py)."""
    strays = [
        name_of(path)
        for path in MODULES
        if name_of(path) != "mailguard/core/value.py"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
        if {"dataclass", "replace"} & {alias.name for alias in node.names}
    ]
    assert strays == []


def test_importing_does_nothing_but_define() -> None:
    """No socket, file, process, thread, signal or log is touched by an import of any module."""
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if path.stem != "__main__"
    ]
    told = subprocess.run(
        [sys.executable, "-B", "-c", WATCHED_IMPORT, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stdout + told.stderr) == (0, "")


WATCHED_IMPORT = """
import importlib, logging, signal, sys, threading

FORBIDDEN = (
    "socket.", "subprocess.", "sqlite3.", "os.fork", "os.posix_spawn", "os.mkdir", "os.remove", "os.rename"
)
seen = []

def watch(event, args):
    writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    # socket.gethostname is how the standard library's uuid and email find a name; it asks nobody.
    if writes or (event.startswith(FORBIDDEN) and event != "socket.gethostname"):
        seen.append((event, str(args)[:200]))

signals = {number: signal.getsignal(number) for number in signal.valid_signals()}
sys.addaudithook(watch)
for name in sys.argv[1:]:
    importlib.import_module(name)
    for what in seen:
        print(f"import {name}: {what}")
    seen.clear()
if threading.active_count() != 1:
    print("an import started a thread:", threading.enumerate())
if logging.getLogger().handlers or logging.getLogger("mailguard").handlers:
    print("an import set up logging")
if {number: signal.getsignal(number) for number in signal.valid_signals()} != signals:
    print("an import changed a signal")
"""
