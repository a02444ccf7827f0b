"""Evaluate a checked expression: its syntax tree is turned into functions once, for a walk costs more than the look.

Names, chains, choices and calls, which are nearly all that mappings say, become functions here; whatever else there is
stays with jmespath's own interpreter, and both give the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jmespath.visitor import TreeInterpreter

Node = dict[str, Any]
Evaluate = Callable[[Any], Any]
Call = Callable[[str, list[Any]], Any]


def evaluate(node: Node, interpreter: TreeInterpreter, call: Call) -> Evaluate:
    """Return a function of the value that a node is evaluated over; `call` runs a function of the mapping's by name."""
    make = _MAKERS.get(node["type"])
    if make is None:
        tree: Any = node
        return lambda value: interpreter.visit(tree, value)
    return make(node, [evaluate(child, interpreter, call) for child in node["children"]], call)


def _field(node: Node, _children: list[Evaluate], _call: Call) -> Evaluate:
    name = node["value"]

    def named(value: Any) -> Any:
        try:
            return value.get(name)
        except AttributeError:
            return None

    return named


def _current(_node: Node, _children: list[Evaluate], _call: Call) -> Evaluate:
    return lambda value: value


def _literal(node: Node, _children: list[Evaluate], _call: Call) -> Evaluate:
    given = node["value"]
    return lambda _value: given


def _chain(_node: Node, children: list[Evaluate], _call: Call) -> Evaluate:
    if len(children) == 2:
        first, second = children
        return lambda value: second(first(value))

    def chained(value: Any) -> Any:
        for child in children:
            value = child(value)
        return value

    return chained


def _or(_node: Node, children: list[Evaluate], _call: Call) -> Evaluate:
    left, right = children

    def either(value: Any) -> Any:
        found = left(value)
        return right(value) if _is_false(found) else found

    return either


def _and(_node: Node, children: list[Evaluate], _call: Call) -> Evaluate:
    left, right = children

    def both(value: Any) -> Any:
        found = left(value)
        return found if _is_false(found) else right(value)

    return both


def _function(node: Node, children: list[Evaluate], call: Call) -> Evaluate:
    name = node["value"]
    return lambda value: call(name, [child(value) for child in children])


def _is_false(value: object) -> bool:
    """As JMESPath has it: an empty text, list or object, null and false; 0 is something."""
    return value is None or value is False or (isinstance(value, (str, list, dict)) and not value)


_MAKERS: dict[str, Callable[[Node, list[Evaluate], Call], Evaluate]] = {
    "field": _field,
    "current": _current,
    "identity": _current,
    "literal": _literal,
    "subexpression": _chain,
    "index_expression": _chain,
    "pipe": _chain,
    "or_expression": _or,
    "and_expression": _and,
    "function_expression": _function,
}
