"""A FHIR message in XML, as ITK3 was published and practices' systems write it, in the shape that JSON gives it.

It is read leniently and no further than that: what occurs once is no list, and narratives are not kept apart.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from hub_health_fhir.callbacks import Message, dig, items, words

#: Elements within elements that a message may have; FHIR's own messages stay far below.
_DEEPEST = 100


def parse_message(body: bytes) -> Message:
    """Read a message in either form; raises `ValueError` for what is no Bundle, or brings entities of its own."""
    if not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return Message.parse(body)
    try:
        root = ET.fromstring(body, ET.XMLParser(target=_Plain()))  # noqa: S314 - no document type, so nothing to expand
    except (ET.ParseError, LookupError) as error:
        raise ValueError("not-xml") from error
    bundle = _tree(root)
    if _name(root) != "Bundle" or not isinstance(bundle, dict):
        raise ValueError("not-a-bundle")
    entries = [entry for entry in items(bundle.get("entry")) if isinstance(dig(entry, "resource"), dict)]
    return Message(bundle, tuple((words(entry.get("fullUrl")), entry["resource"]) for entry in entries))


class _Plain(ET.TreeBuilder):
    """Refuses a document type as soon as it begins, whatever the encoding: no FHIR message needs one."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:  # noqa: ARG002 - the parser's call
        raise ValueError("brings a document type")


def _tree(element: ET.Element, depth: int = 0) -> Any:
    """Return an element as its value, or as its children by name; a resource bears the name of its type."""
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if not len(element):
        return element.get("value", "")
    if _name(element) == "resource":
        inner = _tree(element[0], depth + 1)
        return {**inner, "resourceType": _name(element[0])} if isinstance(inner, dict) else {}
    made: dict[str, list[Any]] = {}
    for child in element:
        made.setdefault(_name(child), []).append(_tree(child, depth + 1))
    return {name: values if len(values) > 1 else values[0] for name, values in made.items()}


def _name(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]
