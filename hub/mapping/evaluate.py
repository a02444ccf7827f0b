"""Evaluate a checked expression: its syntax tree is turned into functions once, for a walk costs more than the look.

All that mappings commonly say becomes functions here; slices and orderings stay with jmespath's own interpreter, and
both give the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from jmespath.visitor import TreeInterpreter

Node = dict[str, Any]
Evaluate = Callable[[Any], Any]
Call = Callable[[str, list[Any]], Any]


def evaluate(node: Node, interpreter: TreeInterpreter, call: Call) -> Evaluate:
    """Return a function of the value that a node is evaluated over; `call` runs a function of the mapping's by name."""
    make = _MAKERS.get(node["type"])
    if node["type"] == "comparator" and node["value"] in _EQUALITIES:
        make = partial(_comparator, interpreter.COMPARATOR_FUNC[node["value"]])
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


def _not(_node: Node, children: list[Evaluate], _call: Call) -> Evaluate:
    (child,) = children

    def negated(value: Any) -> Any:
        found = child(value)
        # 0 is something, so that its opposite is false.
        return False if found == 0 and found is not False else not found

    return negated


def _comparator(compare: Callable[[Any, Any], Any], _node: Node, children: list[Evaluate], _call: Call) -> Evaluate:
    left, right = children
    return lambda value: compare(left(value), right(value))


def _index(node: Node, _children: list[Evaluate], _call: Call) -> Evaluate:
    number = node["value"]

    def at(value: Any) -> Any:
        if not isinstance(value, list):
            return None
        try:
            return value[number]
        except IndexError:
            return None

    return at


def _projection(_node: Node, children: list[Evaluate], _call: Call) -> Evaluate:
    base, part = children

    def each(value: Any) -> Any:
        found = base(value)
        if not isinstance(found, list):
            return None
        return [current for element in found if (current := part(element)) is not None]

    return each


def _filter(_node: Node, children: list[Evaluate], _call: Call) -> Evaluate:
    base, part, condition = children

    def those(value: Any) -> Any:
        found = base(value)
        if not isinstance(found, list):
            return None
        kept = [element for element in found if not _is_false(condition(element))]
        return [current for element in kept if (current := part(element)) is not None]

    return those


def _flatten(_node: Node, children: list[Evaluate], _call: Call) -> Evaluate:
    (base,) = children

    def merged(value: Any) -> Any:
        found = base(value)
        if not isinstance(found, list):
            return None
        return [part for element in found for part in (element if isinstance(element, list) else (element,))]

    return merged


def _object(node: Node, children: list[Evaluate], _call: Call) -> Evaluate:
    pairs = tuple(zip([child["value"] for child in node["children"]], children, strict=True))

    def made(value: Any) -> Any:
        return None if value is None else {name: part(value) for name, part in pairs}

    return made


def _list(_node: Node, children: list[Evaluate], _call: Call) -> Evaluate:
    def made(value: Any) -> Any:
        return None if value is None else [child(value) for child in children]

    return made


def _only(_node: Node, children: list[Evaluate], _call: Call) -> Evaluate:
    return children[0]


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
    "not_expression": _not,
    "index": _index,
    "projection": _projection,
    "filter_projection": _filter,
    "flatten": _flatten,
    "multi_select_dict": _object,
    "multi_select_list": _list,
    "key_val_pair": _only,
}
_EQUALITIES = frozenset({"eq", "ne"})
