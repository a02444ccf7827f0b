"""How commands speak: plain lines and tables, JSON on request, errors on standard error, and the exit codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

import typer

#: Exit codes: everything is well; something is wrong and was named; the command was not understood (typer's own).
OK, WRONG, USAGE = 0, 1, 2


def say(line: str = "") -> None:
    """Print a line for a person."""
    typer.echo(line)


def progress(line: str) -> None:
    """Say what is going on, on standard error, so that output stays clean."""
    typer.echo(line, err=True)


def fail(problem: str, next_step: str = "") -> NoReturn:
    """Name what is wrong and what to do, and end with exit code 1."""
    typer.echo(f"hub: {problem}", err=True)
    if next_step:
        typer.echo(f"     {next_step}", err=True)
    raise typer.Exit(WRONG)


def emit(document: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print a JSON document; instants are ISO 8601 in UTC."""
    import orjson  # noqa: PLC0415 - commands without --json do not need it

    typer.echo(
        orjson.dumps(
            document, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS, default=str
        ).decode()
    )


def table(headings: Sequence[str], lines: Sequence[Sequence[object]]) -> None:
    """Print columns as wide as their longest cell; never cut, so that an id can be copied."""
    cells = [list(headings), *([shown(cell) for cell in line] for line in lines)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    for row in cells:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def shown(value: object) -> str:
    """Return a value as a person reads it: an instant to the second in UTC, nothing as a dash.

    What a terminal would obey, or that turns round what is read, is shown as a mark (TH18).
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    text = "-" if value is None or value == "" else str(value)
    return text if text.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in text)
