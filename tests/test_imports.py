"""Imports run one way, and what must start fast stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bakeoff import registry

SOURCE = Path(__file__).parents[1] / "src" / "bakeoff"
FILES = sorted(SOURCE.rglob("*.py"))
BASE = {"types", "errors", "space", "registry", "subwords"}
# What a part may import, itself included. Parts above these are held by FLOORS.
MAY = {
    "types": set(), "errors": set(), "space": {"errors"}, "registry": {"errors"}, "subwords": set(),
    "nn": BASE, "data": BASE, "metrics": BASE | {"nn"}, "tasks": BASE | {"nn", "metrics"}, "models": BASE | {"nn"},
    "baselines": BASE | {"nn", "data", "tasks", "metrics"},
}
# Above them: a part imports from its own floor and those below it.
FLOORS = [
    {*MAY, "options", "samples"},
    {"cost", "growth", "plan", "tune", "train", "compare", "execute", "report", "use", "watch", "verdict", "folder", "machine"},
    {"session", "slate", "conclude", "result", "status", "words", "catalogue"},
    {"run"},
    {"estimators", "live", "demo", "claims"},
    {"cli", "__main__"},
]
HEAVY = ("torch", "numpy", "pandas", "sklearn", "scipy", "optuna", "PIL", "pyarrow", "tokenizers", "jinja2")


def part_of(module: str) -> str:
    """'bakeoff.nn.fold' → 'nn'."""
    return module.split(".")[1] if "." in module else "__init__"


def imports(tree: ast.AST, typing_too: bool = False) -> Iterator[tuple[int, str]]:
    """(line, module of ours) of every import, inside functions as well; those under TYPE_CHECKING only where asked for."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not typing_too:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, one.name) for one in node.names if one.name.startswith("bakeoff"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bakeoff"):
            found = [f"bakeoff.{one.name}" for one in node.names] if node.module == "bakeoff" else [str(node.module)]
            yield from ((node.lineno, one) for one in found if one != "bakeoff.__version__")
        yield from imports(node, typing_too)


def part(path: Path) -> str:
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def floor(name: str) -> int:
    return next((number for number, floor in enumerate(FLOORS) if name in floor), -1)


def test_every_part_has_its_place_in_the_rules():
    assert {part(path) for path in FILES if part(path) != "__init__"} <= set().union(*FLOORS)


@pytest.mark.parametrize("name", sorted(MAY))
def test_lower_parts_import_only_what_they_may(name):
    found = [f"{path.relative_to(SOURCE)}:{line} imports {module}" for path in FILES if part(path) == name
             for line, module in imports(tree(path)) if part_of(module) not in MAY[name] | {name}]
    assert found == []


def test_upper_parts_import_downwards():
    found = [f"{path.relative_to(SOURCE)}:{line} imports {module}" for path in FILES if part(path) not in MAY and part(path) != "__init__"
             for line, module in imports(tree(path)) if floor(part_of(module)) > floor(part(path))]
    assert found == []


def test_models_tasks_and_data_do_not_know_each_other_not_even_by_type():
    three = {"models", "tasks", "data"}
    found = [f"{path.relative_to(SOURCE)}:{line} imports {module}" for path in FILES if part(path) in three
             for line, module in imports(tree(path), typing_too=True) if part_of(module) in three - {part(path)}]
    assert found == []


@pytest.mark.parametrize(("where", "sorts"), [("models", ("task", "kind")), ("tasks", ("family", "kind")), ("data", ("family",))])
def test_models_tasks_and_data_name_no_member_of_another(where, sorts):
    members = {name for sort in sorts for name in registry.every(sort)}
    found = [f"{path.relative_to(SOURCE)}:{node.lineno} names {node.value!r}" for path in FILES if part(path) == where
             for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and node.value in members]
    assert found == []


def test_ray_is_named_in_one_file_only():
    naming = {path.name for path in FILES for node in ast.walk(tree(path)) if isinstance(node, ast.Import | ast.ImportFrom)
              for word in [getattr(node, "module", "") or "", *(one.name for one in node.names)] if word.split(".")[0] == "ray"}
    assert naming <= {"ray.py"}


def test_importing_bakeoff_is_quick_and_loads_nothing_heavy():
    code = f"import sys, bakeoff; print([name for name in {HEAVY} if name in sys.modules], callable(bakeoff.run), bakeoff.__version__)"
    seconds, out = timed([sys.executable, "-c", code])
    assert out.startswith("[] True 0.")
    assert seconds < 1.0


def test_run_stays_the_function_whatever_is_imported_afterwards():
    code = "import bakeoff; bakeoff.Range; import bakeoff.run, bakeoff.session; print(callable(bakeoff.run))"
    assert timed([sys.executable, "-c", code], tries=1)[1].strip() == "True"


def test_help_is_there_in_half_a_second_and_loads_nothing_heavy():
    seconds, out = timed([sys.executable, "-m", "bakeoff", "--help"])
    assert "predict" in out
    assert seconds < 0.5
    code = f"import sys, bakeoff.cli; bakeoff.cli.outcome(['run', '-h']); print([name for name in {HEAVY} if name in sys.modules])"
    assert timed([sys.executable, "-c", code], tries=1)[1].strip().endswith("[]")


def timed(command: list[str], tries: int = 5) -> tuple[float, str]:
    """Seconds of the quickest of a few tries, since other tests run beside this one; and what was printed."""
    best = float("inf")
    for _ in range(tries):
        began = time.perf_counter()
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        best = min(best, time.perf_counter() - began)
    return best, out
