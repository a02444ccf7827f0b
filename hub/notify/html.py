"""The HTML of an email, made from its plain text: the same words, our own layout, and nothing fetched from anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from jinja2 import Environment, PackageLoader

#: The template: styles are in it, for mail programs drop style sheets; no image, script, font or address of anyone's.
_TEMPLATE: Final = Environment(
    loader=PackageLoader("hub.notify"), autoescape=True, trim_blocks=True, lstrip_blocks=True
).get_template("mail.html")

_LINK: Final = re.compile(r"https?://\S+")
#: A command in backticks, or an address: what is not shown as it is written.
_MARKED: Final = re.compile(r"`([^`\n]+)`|(https?://\S+)")
#: How the paragraph begins that every mail ends with.
_QUIET: Final = ("To keep people's stories private", "Please do not reply", "To get one email")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text: plain, a command, or an address that can be opened."""

    text: str
    code: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One block of a mail: a paragraph of lines, a list, or a link that stands alone."""

    kind: Literal["paragraph", "list", "link"]
    lines: tuple[tuple[Piece, ...], ...] = ()
    listed: tuple[Piece, ...] = ()
    address: str = ""
    quiet: bool = False


def html_of(subject: str, text: str) -> str:
    """Return the HTML of a mail; whatever its words are, they are escaped."""
    return _TEMPLATE.render(subject=subject, parts=[_part(each) for each in text.strip().split("\n\n")])


def _part(paragraph: str) -> Part:
    if _LINK.fullmatch(paragraph):
        return Part("link", address=paragraph)
    if paragraph.startswith("- "):
        return Part("list", listed=tuple(_item(each) for each in re.split(r"\n(?=- )", paragraph)))
    lines = tuple(tuple(_pieces(each)) for each in paragraph.split("\n"))
    return Part("paragraph", lines, quiet=paragraph.startswith(_QUIET))


def _item(lines: str) -> Piece:
    """One item of a list, whose address, if it has one, stands in a line of its own below it."""
    first, *rest = lines.removeprefix("- ").split("\n")
    address = next((each.strip() for each in rest if _LINK.fullmatch(each.strip())), "")
    return Piece(first, address=address)


def _pieces(line: str) -> Iterator[Piece]:
    at = 0
    for found in _MARKED.finditer(line):
        if found.start() > at:
            yield Piece(line[at : found.start()])
        command, address = found.groups()
        yield Piece(command, code=True) if command else Piece(address, address=address)
        at = found.end()
    if at < len(line):
        yield Piece(line[at:])
