"""Charts: bars drawn by the server as SVG, told apart by pattern and words, never by colour alone (WCAG 2.2 AA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from markupsafe import Markup

_WIDTH: Final = 320
_ROW: Final = 40
#: How much of a row a bar may take, so that the words beside it have room.
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, how long it is at least and at most, and what is written at its end."""

    name: str
    low: int
    high: int
    words: str


def chart(name: str, title: str, description: str, bars: Sequence[Bar]) -> Markup:
    """Return an SVG of bars; what a bar is at least is solid, and what it may be beside that is striped.

    `name` is its own on the page, a code. A reader that sees no picture hears the title and the description; the
    numbers stand in a table beside it, so that nothing is told by the picture alone.
    """
    most = max((bar.high for bar in bars), default=0) or 1
    height = _ROW * len(bars) + 4
    drawn = "".join(_drawn(name, at, bar, most) for at, bar in enumerate(bars))
    stripes = (
        f'<pattern id="{name}-s" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="6" height="6" fill="#fff"/><rect width="2" height="6" fill="#0b0c0c"/></pattern>'
    )
    return Markup(  # noqa: S704 - everything that was not written here is escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" width="100%" viewBox="0 0 {_WIDTH} {height}" role="img"'
        f' aria-labelledby="{name}-t {name}-d" font-size="13" fill="#0b0c0c">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc>'
        f"<defs>{stripes}</defs>{drawn}</svg>"
    )


def _drawn(name: str, at: int, bar: Bar, most: int) -> str:
    """The bar's name above it, the solid part, the striped part with an edge of its own, and its words at the end."""
    top = at * _ROW
    solid, whole = (round(_LONGEST * each / most) for each in (bar.low, bar.high))
    return (
        f'<text x="0" y="{top + 14}">{escape(bar.name)}</text>'
        f'<rect x="0" y="{top + 19}" width="{solid}" height="14"/>'
        f'<rect x="{solid + 0.5}" y="{top + 19.5}" width="{max(whole - solid, 1)}" height="13"'
        f' fill="url(#{name}-s)" stroke="#0b0c0c"/>'
        f'<text x="{whole + 8}" y="{top + 31}">{escape(bar.words)}</text>'
    )
