"""One JMESPath expression: compiled, proved to reach only named categories, and evaluated over a view.

The proof walks the syntax tree with the scope that each part is evaluated in. In ROOT the value is the whole view, in
SECTION it is all sections, in INNER it is something that a named category or another root has already given. Nothing
may yield the value of ROOT or SECTION itself, so every way to content passes a category's name (architecture 9).
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, auto
from typing import Any, cast

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.visitor import Options, TreeInterpreter

from hub.domain.share import Category
from hub.mapping.codes import CodeList
from hub.mapping.document import MAX_DEPTH, is_sendable
from hub.mapping.evaluate import Evaluate, Node, evaluate
from hub.mapping.functions import Function, functions

ROOTS = frozenset({
    "section", "share", "delivery", "trusted_person", "consent", "override", "service", "sender", "answer",
})  # fmt: skip
MAX_LENGTH = 4_000
#: How many copies of what it reads one expression may write: `x.[@,@].[@,@]…` would otherwise double without end.
MAX_COPIES = 256

_CATEGORIES = frozenset(Category)


class Refused(Exception):
    """The expression breaks a rule of the grammar; the text says which."""


class _Scope(Enum):
    ROOT = auto()
    SECTION = auto()
    INNER = auto()


class Expression:
    """A checked expression; `categories` is every category that it can touch."""

    __slots__ = ("_evaluate", "categories")

    def __init__(self, evaluated: Evaluate, categories: frozenset[str]) -> None:
        self._evaluate = evaluated
        self.categories = categories

    def __call__(self, view: Mapping[str, Any]) -> Any:
        """Evaluate over a view; never raises on what a view holds."""
        return self._evaluate(view)


class Compiler:
    """Compiles the expressions of one mapping, which share its code lists."""

    def __init__(self, codes: Mapping[str, CodeList]) -> None:
        self._codes = codes
        self._functions = functions(codes)
        self._calls = _Calls(self._functions)
        self._interpreter = _Interpreter(Options(custom_functions=self._calls))

    def compile(self, text: str) -> Expression:
        """Parse and check; raise `Refused` with the rule that is broken."""
        if len(text) > MAX_LENGTH:
            raise Refused(f"an expression is at most {MAX_LENGTH} characters")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", PendingDeprecationWarning)
                ast = cast("Node", jmespath.compile(text).parsed)
        except PendingDeprecationWarning:
            raise Refused("has backticks around what is not JSON: put a text in single quotes") from None
        except (JMESPathError, ValueError) as error:
            at = getattr(error, "lex_position", None)
            raise Refused("is not JMESPath" + (f", at character {at + 1}" if isinstance(at, int) else "")) from None
        except RecursionError:
            raise Refused(f"is nested deeper than {MAX_DEPTH} levels") from None
        proof = _Proof(self._codes, self._functions)
        proof.walk(ast, _Scope.ROOT, 1)
        return Expression(evaluate(ast, self._interpreter, self._calls.call_function), frozenset(proof.categories))


class _Proof:
    """Walks a syntax tree; `walk` returns how many copies of its input the node can write."""

    def __init__(self, codes: Mapping[str, CodeList], known: Mapping[str, Function]) -> None:
        self._codes = codes
        self._known = known
        self.categories: set[str] = set()

    def walk(self, node: Node, scope: _Scope, depth: int) -> int:
        """Check a node and all below it; raise `Refused`."""
        if depth > MAX_DEPTH:
            raise Refused(f"is nested deeper than {MAX_DEPTH} levels")
        check = _CHECKS.get(node["type"])
        if check is None:
            raise Refused(_WHY_NOT.get(node["type"], "uses a part of JMESPath that mappings do not have"))
        if scope is _Scope.SECTION and node["type"] not in _AFTER_SECTION:
            raise Refused("after `section.` stands the name of one category")
        copies = check(self, node, scope, depth + 1)
        if copies > MAX_COPIES:
            raise Refused(f"would write what it reads more than {MAX_COPIES} times")
        return copies

    def field(self, node: Node, scope: _Scope, _depth: int) -> int:
        name = node["value"]
        if scope is _Scope.SECTION:
            if name not in _CATEGORIES:
                raise Refused("after `section.` stands the name of one category")
            self.categories.add(str(name))
        elif name == "section":
            raise Refused("`section` alone would reach every category: name one, as in section.goal")
        elif scope is _Scope.ROOT and name not in ROOTS:
            raise Refused(f"starts with a name that is not one of {', '.join(sorted(ROOTS))}")
        return 1

    def current(self, _node: Node, scope: _Scope, _depth: int) -> int:
        if scope is not _Scope.INNER:
            raise Refused("`@` or a list step here would reach everything: start with a root and a name")
        return 1

    def chain(self, node: Node, scope: _Scope, depth: int) -> int:
        """Check `a.b`, `a[0]`, `a[]`, `a[*].b` and `a | b`: the first part in this scope, the rest inside it."""
        head, *rest = node["children"]
        copies = 1
        if head["type"] == "not_expression" and node["type"] != "pipe":
            raise Refused("needs brackets after `!`: `!a.b` means `(!a).b` to JMESPath, so write !(a.b)")
        if scope is _Scope.ROOT and node["type"] == "subexpression" and head == _SECTION:
            head, *rest = rest
            scope = _Scope.SECTION
        for child, where in [(head, scope), *((child, _Scope.INNER) for child in rest)]:
            copies *= self.walk(child, where, depth)
            if copies > MAX_COPIES:
                break
        return copies

    def filter(self, node: Node, scope: _Scope, depth: int) -> int:
        base, right, condition = node["children"]
        copies = self.walk(base, scope, depth)
        return copies * (self.walk(right, _Scope.INNER, depth) + self.walk(condition, _Scope.INNER, depth))

    def beside(self, node: Node, scope: _Scope, depth: int) -> int:
        """Check parts that are each evaluated in this scope: `a || b`, `[a, b]`, `{x: a}`, `!a`, `a == b`."""
        return sum(self.walk(child, scope, depth) for child in node["children"])

    def literal(self, node: Node, _scope: _Scope, _depth: int) -> int:
        if not is_sendable(node["value"]):
            raise Refused("holds a value that JSON cannot carry")
        return 1

    def slice(self, node: Node, _scope: _Scope, _depth: int) -> int:
        if node["children"][2] == 0:
            raise Refused("steps through a list by 0")
        return 1

    def index(self, _node: Node, _scope: _Scope, _depth: int) -> int:
        return 1

    def function(self, node: Node, scope: _Scope, depth: int) -> int:
        name, arguments = node["value"], node["children"]
        function = self._known.get(name)
        if function is None:
            raise Refused(f"calls a function that mappings do not have; there are {', '.join(sorted(self._known))}")
        if not function.least <= len(arguments) <= function.most:
            raise Refused(f"gives {name}() {len(arguments)} arguments")
        for position in function.literals:
            if position < len(arguments) and not isinstance(arguments[position].get("value"), str):
                raise Refused(f"argument {position + 1} of {name}() is a text in quotes")
            if position < len(arguments) and arguments[position]["type"] != "literal":
                raise Refused(f"argument {position + 1} of {name}() is a text in quotes")
        if name == "lookup":
            self._lookup([argument.get("value") for argument in arguments])
        return max(1, self.beside(node, scope, depth))

    def _lookup(self, values: list[Any]) -> None:
        codes = self._codes.get(values[0])
        if codes is None:
            raise Refused("looks up a code list that `codes:` does not name")
        if len(values) > 2 and values[2] not in codes.columns:
            raise Refused(f"looks up a column that the code list does not have; it has {', '.join(codes.columns)}")


_SECTION: Node = {"type": "field", "children": [], "value": "section"}
_AFTER_SECTION = frozenset({"field", "subexpression", "index_expression", "projection", "flatten", "filter_projection"})
_CHECKS: dict[str, Callable[[_Proof, Node, _Scope, int], int]] = {
    "field": _Proof.field,
    "current": _Proof.current,
    "identity": _Proof.current,
    "subexpression": _Proof.chain,
    "index_expression": _Proof.chain,
    "projection": _Proof.chain,
    "flatten": _Proof.chain,
    "pipe": _Proof.chain,
    "filter_projection": _Proof.filter,
    "multi_select_list": _Proof.beside,
    "multi_select_dict": _Proof.beside,
    "key_val_pair": _Proof.beside,
    "or_expression": _Proof.beside,
    "and_expression": _Proof.beside,
    "not_expression": _Proof.beside,
    "comparator": _Proof.beside,
    "literal": _Proof.literal,
    "index": _Proof.index,
    "slice": _Proof.slice,
    "function_expression": _Proof.function,
}
_WHY_NOT = {
    "value_projection": "`*` would reach every name: write out the one that is meant",
    "expref": "`&` hands over an expression: mappings do not have that",
}


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[object, object], bool | None]:
    def total(left: object, right: object) -> bool | None:
        return compare(left, right) if isinstance(left, str) is isinstance(right, str) else None

    return total


class _Interpreter(TreeInterpreter):
    """jmespath's interpreter, with `<` between a text and a number null instead of an exception."""

    COMPARATOR_FUNC = TreeInterpreter.COMPARATOR_FUNC | {
        "lt": _ordered(operator.lt),
        "gt": _ordered(operator.gt),
        "lte": _ordered(operator.le),
        "gte": _ordered(operator.ge),
    }


class _Calls(Functions):
    """What jmespath's interpreter asks for functions: ours only, their arguments counted at load."""

    def __init__(self, known: Mapping[str, Function]) -> None:
        self._calls = {name: function.call for name, function in known.items()}

    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Any:
        """Call a function by name."""
        return self._calls[function_name](*resolved_args)
