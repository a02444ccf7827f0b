"""`hub barriers`: doors that stay shut: what was counted, which are barriers, and what is done about each (R52)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, note, reader_of, write
from hub.cli.output import emit, fail, say, table

app = typer.Typer(help="Doors that stay shut, and what is done about them.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="A barrier's id, as `hub barriers ls` shows it.")]
Counted = Annotated[bool, typer.Option("--counted", help="What was counted by month, whether it is a barrier or not.")]
Since = Annotated[str, typer.Option("--since", metavar="DAY", help="Counted from this day on, such as 2026-11-01.")]
Service = Annotated[str, typer.Argument(metavar="SERVICE", help="A service's id, as `hub barriers ls --counted` says.")]
Cause = Annotated[str, typer.Argument(metavar="CAUSE", help="door, gate or silence.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="What was counted, such as declined/no-local-connection.")]
To = Annotated[str, typer.Argument(metavar="STATE", help="understood, acting, removed or acknowledged.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, as a code: a wrong one names those there are.")]
By = Annotated[str, typer.Option("--by", metavar="PERSON", help="Who says so: their id in the partnership's file.")]
Words = Annotated[str, typer.Option("--words", help="Why, in up to 200 characters that tell of nobody.")]


@app.command("ls")
def ls(counted: Counted = False, since: Since = "", folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List the barriers, the last that moved first; or what was counted, which may become one."""
    from hub.store.read_barriers import barriers, candidates  # noqa: PLC0415 - `hub --help` stays fast

    configuration = configuration_of(folder)
    with reader_of(configuration) as reader:
        found = candidates(reader, since) if counted else barriers(reader)
    note(configuration, "barriers.read", count=len(found))
    if as_json:
        emit([dict(each) for each in found])
    elif not found:
        say("Nothing was counted." if counted else "No barriers. To see what was counted: `hub barriers ls --counted`.")
    else:
        heading = ("month", "met", "service_id", "cause", "name", "state", "barrier")
        columns = heading if counted else ("id", "state", "since", "times", "met", "service_id", "cause", "name")
        table(
            [each.removesuffix("_id").upper() for each in columns], [[each[name] for name in columns] for each in found]
        )


@app.command("show")
def show(barrier_id: Id, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Show one barrier: how often it was met, and each of its moves with its reason, its date and who said so."""
    from hub.store.read_barriers import barrier  # noqa: PLC0415

    configuration = configuration_of(folder)
    with reader_of(configuration) as reader:
        found = barrier(reader, barrier_id)
    if found is None:
        fail("there is no barrier of this id", "To see them all: `hub barriers ls`.")
    note(configuration, "barrier.read", barrier=barrier_id)
    row, moves = found
    if as_json:
        emit({**row, "moves": [dict(each) for each in moves]})
        return
    say(f"{row['service_id']}: {row['cause']} {row['name']}. It is {row['state']}, and was met {row['met']} times.")
    columns = ("at", "state", "reason", "person", "words")
    table([each.upper() for each in columns], [[each[name] for name in columns] for each in moves])


@app.command("open")
def open_one(  # noqa: PLR0913 - each is an option
    service: Service,
    cause: Cause,
    name: Name,
    by: By,
    words: Words = "",
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Say that something that was counted is a barrier, for a champion or a coordinator."""
    from hub.services.barriers import OpenBarrier, open_barrier  # noqa: PLC0415

    barrier_id = _run(folder, open_barrier, lambda at: OpenBarrier(service, cause, name, by, at, words))
    emit({"barrier": barrier_id}) if as_json else say(f"It is the barrier {barrier_id}.")


@app.command("move")
def move(  # noqa: PLR0913 - each is an option
    barrier_id: Id,
    to: To,
    reason: Reason,
    by: By,
    words: Words = "",
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Move a barrier to its next state, for a champion or a coordinator."""
    from hub.domain.barrier import BarrierState  # noqa: PLC0415
    from hub.services.barriers import MoveBarrier, move_barrier  # noqa: PLC0415

    if to not in list(BarrierState):
        fail(f"there is no such state: {to}", "Choose understood, acting, removed or acknowledged.")
    _run(folder, move_barrier, lambda at: MoveBarrier(barrier_id, BarrierState(to), reason, by, at, words))
    emit({"barrier": barrier_id, "state": to}) if as_json else say(f"The barrier is {to}.")


def _run(folder: Folder, verb: Any, item_at: Any) -> Any:
    """Run a verb for a person as of business time; ends the command where it is refused."""
    from datetime import timedelta  # noqa: PLC0415
    from functools import partial  # noqa: PLC0415

    from hub.bootstrap import find_plugins  # noqa: PLC0415
    from hub.domain.errors import HubError  # noqa: PLC0415
    from hub.partnership import deciding_directory  # noqa: PLC0415
    from hub.services.now import SystemNow  # noqa: PLC0415
    from hub.store.read_state import fact  # noqa: PLC0415

    configuration = configuration_of(folder)
    directory = deciding_directory(configuration, find_plugins(configuration))
    with reader_of(configuration) as reader:
        now = SystemNow(timedelta(seconds=float(fact(reader, "business_offset") or 0)))  # the demo's time is its own
    result = write(configuration, partial(verb, directory=directory), item_at(now.business()))
    if isinstance(result, HubError):
        for fault in result.faults:
            say(f"{fault.pointer.removeprefix('/')} {fault.detail}")
        fail(result.refusal.title, result.refusal.next_step)
    return result
