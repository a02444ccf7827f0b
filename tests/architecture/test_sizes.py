"""Modules and functions stay small enough to be read at once."""

from __future__ import annotations

from statistics import median, quantiles

#: Lines; a migration is one long statement list that nobody edits, so only its length as a function is let pass.
MODULE_LIMIT = 400
FUNCTION_LIMIT = 60


def test_no_module_is_longer_than_can_be_read_at_once(python) -> None:
    # given every module, tests included
    sizes = {str(module.path): len(module.text.splitlines()) for module in python}

    # then none runs away
    assert {path: size for path, size in sizes.items() if size > MODULE_LIMIT} == {}


def test_no_function_is_longer_than_a_screen(python) -> None:
    # given every function but the migrations' own
    sizes = {
        f"{module.path}: {name}": node.end_lineno - node.lineno + 1
        for module in python
        if "versions" not in module.path.parts
        for name, node in module.functions()
    }

    # then none runs away
    assert {name: size for name, size in sizes.items() if size > FUNCTION_LIMIT} == {}


def test_the_usual_module_and_function_are_short(shipped, record_property) -> None:
    # given what is installed
    modules = [len(module.text.splitlines()) for module in shipped]
    functions = [node.end_lineno - node.lineno + 1 for module in shipped for _, node in module.functions()]

    # when the middle and the long tail are taken
    figures = {
        "module median": median(modules),
        "module p90": quantiles(modules, n=10)[-1],
        "function median": median(functions),
        "function p90": quantiles(functions, n=10)[-1],
    }
    for name, figure in figures.items():
        record_property(name, figure)

    # then both are short
    limits = {"module median": 130, "module p90": 300, "function median": 10, "function p90": 30}
    assert {name: figure for name, figure in figures.items() if figure > limits[name]} == {}
