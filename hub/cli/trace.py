"""`hub trace`: one share from sending to answer, as states, attempts and audit events; it shows no story."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.instance import (
    DEFAULT_FOLDER,
    AsJson,
    Folder,
    configuration_of,
    note,
    plugins_and_runnable,
    reader_of,
    served,
)
from hub.cli.output import emit, fail, say, shown, table

if TYPE_CHECKING:
    from hub.cli.why import Situation
    from hub.config import Configuration
    from hub.store.engine import Engine
    from hub.store.read_share import Trace

Which = Annotated[str, typer.Argument(metavar="ID", help="A share's reference (K7M-4QX), its id, or a delivery's id.")]


def trace(which: Which, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Show why a share stands where it does: one line first, then its states, attempts and audit events."""
    from hub.cli.why import why  # noqa: PLC0415 - `hub --help` stays fast
    from hub.store import read_share  # noqa: PLC0415

    configuration = configuration_of(folder)
    with reader_of(configuration) as reader:
        found = read_share.trace(reader, canonical(which))
        if found is None:
            note(configuration, "share.trace_refused", why="not-found")
            fail(
                "there is no share or delivery by that name here",
                "Give the reference that the sender was given, such as K7M-4QX, or the id of a share or delivery.",
            )
        note(configuration, "share.traced", found.share["id"])
        line = why(found.share, found.deliveries, _situation(configuration, reader))
    timeline = _timeline(found)
    if as_json:
        deliveries = [dict(each) for each in found.deliveries]
        emit({"why": line, "share": dict(found.share), "deliveries": deliveries, "timeline": timeline})
        return
    say(line)
    say(f"\nShare {found.share['reference']} ({found.share['id']}), sent {shown(found.share['sent_at'])}")
    if found.share["legal_hold_since"] is not None:
        say(
            "Under a legal hold since {} by {}: {}".format(
                *(shown(found.share[f"legal_hold_{part}"]) for part in _HOLD)
            )
        )
    columns = ("service_id", "kind", "state", "answer_state", "attempt", "due_at", "reason", "id")
    table(
        ("SERVICE", "KIND", "STATE", "ANSWER", "TRIES", "DUE", "REASON", "DELIVERY"),
        [[each[column] for column in columns] for each in found.deliveries],
    )
    say()
    table(
        ("AT", "WHAT", "BY", "DELIVERY", "DETAIL"),
        [(each["at"], each["what"], each["by"], each["delivery"], _words(each["detail"])) for each in timeline],
    )


_HOLD = ("since", "by", "reason")


def canonical(which: str) -> str:
    """Return a reference as it is kept, however it was typed; an id as it stands."""
    from hub.domain.errors import Malformed  # noqa: PLC0415
    from hub.domain.reference import parse  # noqa: PLC0415

    try:
        return parse(which)
    except Malformed:
        return which.strip().lower()


def _situation(configuration: Configuration, reader: Engine) -> Situation:
    from hub.cli.standing import standings  # noqa: PLC0415
    from hub.cli.why import Situation  # noqa: PLC0415
    from hub.services.now import SystemNow  # noqa: PLC0415
    from hub.store.read_state import held_connections, open_alerts  # noqa: PLC0415

    plugins, runnable = plugins_and_runnable(configuration)
    found = standings(configuration, plugins, runnable, held_connections(reader))
    return Situation(
        now=SystemNow().wall(),
        served=served(configuration),
        connections={each.id: each for each in found},
        alerted=frozenset(each["delivery_id"] for each in open_alerts(reader)),
    )


def _timeline(found: Trace) -> list[dict[str, Any]]:
    """Return attempts and audit events in the order they happened; details are codes and numbers only."""
    lines = [
        {
            "at": each["ended_at"],
            "what": f"attempt {each['number']}: {each['outcome']}",
            "by": "hub:courier",
            "delivery": each["delivery_id"],
            "detail": _coded(
                {"reason": each["reason"], "began": f"{each['claimed_at'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
            ),
        }
        for each in found.attempts
    ]
    lines += [
        {
            "at": each["at"],
            "what": each["action"],
            "by": each["actor"],
            "delivery": each["delivery_id"],
            "detail": _coded(each["detail"]),
        }
        for each in found.events
    ]
    return sorted(lines, key=lambda line: line["at"])


def _coded(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what is a code, an id or a number: an audit event holds nothing else, and if one did, it stops here."""
    from hub.logs import code_or_withheld  # noqa: PLC0415

    return {
        name: [code_or_withheld(each) for each in value] if isinstance(value, list) else code_or_withheld(value)
        for name, value in detail.items()
        if value != ""
    }


def _words(detail: Mapping[str, Any]) -> str:
    listed = {name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in detail.items()}
    return " ".join(f"{name}={value}" for name, value in listed.items())
