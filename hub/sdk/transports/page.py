"""A document as one page that people can read, with nothing in it that runs, loads or links (TH18)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex, noarchive">
<title>{title}</title>
<style>body{{font:1.1rem/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}}
dt{{font-weight:bold}}dd{{margin:0 0 .5rem}}p,dd{{white-space:pre-wrap}}
pre{{white-space:pre-wrap;font-size:.9rem}}</style>
</head><body><main>
<h1>{title}</h1>
"""
_FOOT = "</main></body></html>\n"


def render_page(document: Mapping[str, Any], *, line: str = "") -> bytes:
    """Return a document as a page, UTF-8: its `title`, then each of its `parts` that says anything.

    A part is a `heading` and `lines`; a line is a text, or an object whose names are words for people. `line` is a
    line for a spreadsheet, shown last.
    """
    body = [_HEAD.format(title=escape(str(document["title"])))]
    for part in document.get("parts", ()):
        lines = [shown for each in _all(part.get("lines")) if (shown := _line(each))]
        if lines:
            body += [f"<h2>{escape(str(part['heading']))}</h2>\n", *lines]
    if line:
        body += ["<h2>For your case system</h2>\n", f"<pre>{escape(line)}</pre>\n"]
    return "".join([*body, _FOOT]).encode()


def _all(value: Any) -> Iterator[Any]:
    """Every line, those of lists within the list as well."""
    if isinstance(value, list):
        for each in value:
            yield from _all(each)
    elif value is not None:
        yield value


def _line(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = [(name, said) for name, each in value.items() if (said := _words(each))]
        shown = "".join(f"<dt>{escape(name)}</dt><dd>{_isolated(said)}</dd>\n" for name, said in pairs)
        return f"<dl>\n{shown}</dl>\n" if shown else ""
    said = _words(value)
    return f"<p>{_isolated(said)}</p>\n" if said else ""


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(filter(None, map(_words, value))) if isinstance(value, list) else str(value or "")


def _isolated(text: str) -> str:
    """Words in any direction turn round nothing that stands beside them."""
    return f"<bdi>{escape(text)}</bdi>"
