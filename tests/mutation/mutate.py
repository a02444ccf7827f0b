"""Change one thing at a time in the rules of consent and minimisation, and count the changes that no test notices.

The second evaluator is changed too, after the hub's rules: of it the cases that both are asked must notice.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).parents[2]
AGREEMENT = "evaluator/test_agreement.py"
#: Each module of the hub's rules with the tests that answer for it, the quickest first.
RULES = {
    "minimise": ("unit/domain/test_minimise.py", "unit/services/test_decision_table.py", AGREEMENT),
    "contact": ("unit/domain/test_contact.py", "unit/domain/test_minimise.py", AGREEMENT),
    "places": ("unit/domain/test_minimise.py", "unit/domain/test_contact.py", AGREEMENT),
    "offending": ("unit/domain/test_offending.py", "unit/domain/test_minimise.py", AGREEMENT),
    "pinpoints": ("unit/domain/test_hints.py", "unit/domain/test_minimise.py"),
    "hints": ("unit/domain/test_hints.py",),
    "consent": ("unit/domain/test_consent.py", "unit/services/test_decision_table.py", AGREEMENT),
}
#: Of the second evaluator the cases themselves are asked, without a test around them.
ASKED, CASES = (AGREEMENT,), 2_000
TARGETS = {
    **{f"hub.domain.{name}": tests for name, tests in RULES.items()},
    **dict.fromkeys(("tests.evaluator.second", "tests.evaluator.places"), ASKED),
}
#: A change that loops for ever is noticed as well: after so many seconds of work.
SECONDS = 120
WORKERS = int(os.environ.get("MUTATION_WORKERS", "2"))

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.BitOr: ast.BitAnd,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: where, what it was and became, and the module's code with it."""

    module: str
    line: int
    change: str
    code: CodeType


def mutants(module: str) -> Iterator[Mutant]:
    """Yield every change to a module, by its dotted name; words that people read are left alone."""
    path = _file(module)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for number, node in enumerate(ast.walk(tree)):
        for change, apply in _changes(node, tree):
            changed = copy.deepcopy(tree)
            twin = next(each for index, each in enumerate(ast.walk(changed)) if index == number)
            before = ast.unparse(twin)
            apply(twin)
            code = compile(ast.fix_missing_locations(changed), str(path), "exec")
            yield Mutant(module, getattr(node, "lineno", 0), f"{change}: {before[:90]}", code)


def unchanged(module: str) -> Mutant:
    """Return a module as it is: where its tests fail on this, they say nothing of a change."""
    path = _file(module)
    return Mutant(module, 0, "", compile(path.read_text(encoding="utf-8"), str(path), "exec"))


def _file(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


def _changes(node: ast.AST, tree: ast.Module) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            yield type(operator).__name__, lambda twin, at=index: _swap_in(twin, at)
    if isinstance(node, (ast.BoolOp, ast.BinOp)) and type(node.op) in _SWAPS and not _is_union_of_types(node):
        yield type(node.op).__name__, lambda twin: setattr(twin, "op", _SWAPS[type(twin.op)]())
    if isinstance(node, (ast.If, ast.IfExp)):
        yield "not", lambda twin: setattr(twin, "test", ast.UnaryOp(ast.Not(), twin.test))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "no not", lambda twin: setattr(twin, "op", ast.UAdd()) or _double_not(twin)
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield "returns None", lambda twin: setattr(twin, "value", ast.Constant(None))
    if isinstance(node, ast.Continue):
        yield "goes on", lambda twin: setattr(twin, "__class__", ast.Pass)
    if isinstance(node, ast.Constant) and type(node.value) in {bool, int} and not _is_making(node, tree):
        value = not node.value if isinstance(node.value, bool) else node.value + 1
        yield f"is {value}", lambda twin, new=value: setattr(twin, "value", new)


def _swap_in(twin: ast.AST, index: int) -> None:
    assert isinstance(twin, ast.Compare)
    twin.ops[index] = _SWAPS[type(twin.ops[index])]()  # type: ignore[call-overload]


def _double_not(twin: ast.AST) -> None:
    assert isinstance(twin, ast.UnaryOp)
    twin.op, twin.operand = ast.Not(), ast.UnaryOp(ast.Not(), twin.operand)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_union_of_types(node: ast.BoolOp | ast.BinOp) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and "None" in ast.unparse(node)


def _is_making(node: ast.Constant, tree: ast.Module) -> bool:
    """Whether it says how a class or a cache is made: no rule of ours."""
    return any(
        node in ast.walk(decorator)
        for parent in ast.walk(tree)
        if isinstance(parent, (ast.ClassDef, ast.FunctionDef))
        for decorator in parent.decorator_list
    )


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module its changed code."""

    def __init__(self, mutant: Mutant) -> None:
        self.name, self.code = mutant.module, mutant.code

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> importlib.machinery.ModuleSpec | None:
        """Answer for the changed module alone."""
        if fullname != self.name:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(_file(self.name)))

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed code as the module."""
        spec = module.__spec__
        assert spec is not None
        module.__file__ = spec.origin
        exec(self.code, module.__dict__)


def noticed(mutant: Mutant, tests: Sequence[str]) -> bool:
    """Run the tests in a child of this process that sees the change; True where any fails."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    os.nice(5)
    import faulthandler
    import signal

    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of its own time: a busy machine is no answer
    faulthandler.disable()
    code = 1
    with contextlib.suppress(BaseException), open(os.devnull, "w") as quiet:
        os.dup2(quiet.fileno(), 1)
        os.dup2(quiet.fileno(), 2)
        sys.stdout = sys.stderr = io.StringIO()
        sys.meta_path.insert(0, _Loader(mutant))
        code = int(_differs()) if tests == ASKED else _run(tests)
    os._exit(code)


def _run(tests: Sequence[str]) -> int:
    import pytest

    options = ["-x", "-q", "--timeout", "0", "-p", "no:cacheprovider", "-p", "pytest_timeout", "-p", "anyio"]
    return int(pytest.main([*options, *(str(ROOT / "tests" / each) for each in tests)]))


def _differs() -> bool:
    """Tell whether the hub and the second evaluator, as it now is, differ on any case: as its test does, and sooner."""
    from tests.evaluator.both import differences
    from tests.evaluator.cases import case

    return any(differences(case(seed)) for seed in range(CASES))


def main(names: Sequence[str]) -> int:
    """Try every change to the named modules (all by default), and print the score and what survived."""
    import hypothesis
    import pydantic
    import pytest  # noqa: F401 - imported once, for every child

    del hypothesis, pydantic
    # A plugin that is loaded by itself would find that its libraries are there already, and say so.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    total: Counter[str] = Counter()
    survivors: Counter[str] = Counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        for name in names or TARGETS:
            tests = TARGETS[name]
            tried = list(mutants(name))
            if noticed(unchanged(name), tests):
                raise SystemExit(f"{name}: its tests fail on the code as it is")
            dead = list(pool.map(lambda each, tests=tests: noticed(each, tests), tried))
            left = [each for each, found in zip(tried, dead, strict=True) if not found]
            print(f"{name:<24}{len(tried) - len(left):>5} of {len(tried):>4} noticed", flush=True)
            for each in left:
                print(f"  {_file(each.module).relative_to(ROOT)}:{each.line}: {each.change}", flush=True)
            whose = name.partition(".")[0]
            total[whose] += len(tried)
            survivors[whose] += len(left)
    scores = {whose: 100 * (number - survivors[whose]) / number for whose, number in total.items()}
    for whose, score in scores.items():
        named = "the hub's rules" if whose == "hub" else "the second evaluator"
        print(f"mutation of {named}: {total[whose] - survivors[whose]}/{total[whose]} noticed, {score:.1f} %")
    return 0 if min(scores.values()) >= 95 else 1


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    raise SystemExit(main(sys.argv[1:]))
