"""The tree in the shape of the target document, and the mapping that runs it over a minimised view."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as View
from dataclasses import dataclass
from typing import Any, Final

import orjson

from hub.domain.errors import HubError, MissingLeaf, Refusal
from hub.mapping.document import Items, Place, Table, Tree, Word
from hub.mapping.expression import Compiler, Expression, Refused
from hub.mapping.functions import is_nothing

#: What a part gives that is left out of the document.
_GONE: Final = object()

Part = Callable[[View[str, Any]], Any]


class NotSendable(HubError):
    """A view holds a value that JSON cannot carry (a lone surrogate, a number over 64 bits); the text never says it."""

    def __init__(self) -> None:
        super().__init__(
            Refusal(
                type="not-sendable",
                title="Some of the text cannot be sent as it is.",
                next_step="Look for broken characters or very long numbers in your system, and send it again.",
            )
        )


@dataclass(frozen=True, slots=True)
class Mapping:
    """A released version of one document's mapping; `categories` is every category that it can touch.

    `digest` covers the mapping and its code lists, `source_digest` the mapping's own file (both SHA-256, hex).
    """

    document: str
    version: str
    content_type: str
    categories: frozenset[str]
    digest: str
    source_digest: str
    part: Part
    encode: Callable[[Any], bytes] | None = None  #: what writes it in a content type that is not JSON

    def run(self, view: View[str, Any]) -> bytes:
        """Return the document's exact bytes in its content type, the same bytes for the same view.

        Raises `MissingLeaf` where a required leaf has nothing, and `NotSendable`.
        """
        whole = self._json(view)
        return whole if self.encode is None else self.encode(orjson.loads(whole))

    def document_of(self, view: View[str, Any]) -> Any:
        """Return the document as the case beside a view shows it, whatever it is sent as; raises as `run` does."""
        return orjson.loads(self._json(view))

    def _json(self, view: View[str, Any]) -> bytes:
        made = self.part(view)
        if made is _GONE:
            raise MissingLeaf("", tuple(sorted(self.categories)))
        try:
            return orjson.dumps(made)
        except TypeError:
            raise NotSendable from None


class Builder:
    """Builds the parts of one template, and gathers the categories they touch."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self.categories: set[str] = set()

    def build(self, tree: Tree, path: str = "") -> Part:
        """Return the part for a tree at an RFC 6901 pointer; raise `MappingError` where the grammar is broken."""
        if isinstance(tree, Word):
            return _literal(tree.value)
        if isinstance(tree, Items):
            return _items([self.build(each, f"{path}/{number}") for number, each in enumerate(tree.items)])
        directive = next((key for key in tree.entries if key.startswith("$")), None)
        if directive is None:
            return _table({key: self.build(each, f"{path}/{_escape(key)}") for key, each in tree.entries.items()})
        if directive == "$if":
            return self._choice(tree, path)
        if directive not in {"$", "$?"}:
            raise tree.keys[directive].wrong("is not one of $, $? and $if")
        if len(tree.entries) > 1:
            raise tree.keys[directive].wrong(f"{directive} stands alone in its braces")
        expression = self._expression(tree.entries[directive])
        return _required(expression, path) if directive == "$" else _optional(expression)

    def _choice(self, tree: Table, path: str) -> Part:
        for key, place in tree.keys.items():
            if key not in {"$if", "then", "else"}:
                raise place.wrong("beside $if stand only then and else")
        if "then" not in tree.entries:
            raise tree.place.wrong("$if needs a then")
        condition = self._expression(tree.entries["$if"])
        then = self.build(tree.entries["then"], path)
        otherwise = self.build(tree.entries["else"], path) if "else" in tree.entries else _literal(_GONE)
        return _choice(condition, then, otherwise)

    def _expression(self, tree: Tree) -> Expression:
        if not isinstance(tree, Word) or not isinstance(tree.value, str):
            raise tree.place.wrong("an expression is text")
        expression = compile_at(self._compiler, tree.place, tree.value)
        self.categories |= expression.categories
        return expression


def compile_at(compiler: Compiler, place: Place, text: str) -> Expression:
    """Compile an expression, turning a refusal into a `MappingError` that points at it."""
    try:
        return compiler.compile(text)
    except Refused as refused:
        raise place.wrong(f"the expression {refused}") from None


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _literal(value: object) -> Part:
    def make(_view: View[str, Any]) -> Any:
        return value

    return make


def _table(parts: dict[str, Part]) -> Part:
    pairs = tuple(parts.items())

    def make(view: View[str, Any]) -> Any:
        made = {}
        for key, part in pairs:
            value = part(view)
            if value is not _GONE:
                made[key] = value
        return made if made or not pairs else _GONE

    return make


def _items(parts: list[Part]) -> Part:
    def make(view: View[str, Any]) -> Any:
        made = [value for part in parts if (value := part(view)) is not _GONE]
        return made if made or not parts else _GONE

    return make


def _choice(condition: Expression, then: Part, otherwise: Part) -> Part:
    def make(view: View[str, Any]) -> Any:
        value = condition(view)
        return otherwise(view) if value is False or is_nothing(value) else then(view)

    return make


def _optional(expression: Expression) -> Part:
    def make(view: View[str, Any]) -> Any:
        value = _given(expression(view))
        return _GONE if is_nothing(value) else value

    return make


def _required(expression: Expression, path: str) -> Part:
    categories = tuple(sorted(expression.categories))

    def make(view: View[str, Any]) -> Any:
        value = _given(expression(view))
        if is_nothing(value):
            raise MissingLeaf(path, categories)
        return value

    return make


def _given(value: Any) -> Any:
    """Leave out what is null or empty inside a leaf that makes objects or lists, as optional leaves are."""
    if isinstance(value, dict):
        return {key: kept for key, each in value.items() if not is_nothing(kept := _given(each))}
    if isinstance(value, list):
        return [kept for each in value if not is_nothing(kept := _given(each))]
    return value
