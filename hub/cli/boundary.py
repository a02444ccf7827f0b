"""The command line's outermost boundary: an error becomes one plain line and an exit code, never a trace of values."""

from __future__ import annotations

import os
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from hub.cli.output import WRONG, progress


class Boundary(TyperGroup):
    """The top group: what a command raises is explained here, for a terminal and for a test alike."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error that was foreseen is explained, any other is named by type and place."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise
        except Exception as error:  # the command line's boundary: whatever it is, no value may reach the terminal
            if os.environ.get("HUB_TRACEBACK"):
                raise
            progress(f"hub: {explain(error)}")
            raise typer.Exit(WRONG) from None


def explain(error: Exception) -> str:
    """Return what is wrong and what to do; for an error nobody foresaw, its type and the line it came from."""
    from hub.config import ConfigurationError  # noqa: PLC0415 - only when it failed
    from hub.domain.errors import HubError  # noqa: PLC0415
    from hub.security.keys import KeyFolderError  # noqa: PLC0415
    from hub.store import engine  # noqa: PLC0415

    match error:
        case ConfigurationError() | KeyFolderError() | engine.UnsafeDatabase():
            return str(error)
        case HubError():
            return f"{error.refusal.title} {error.refusal.next_step}"
        case OSError() if error.filename:
            return f"cannot use {error.filename}: {error.strerror}"
    if (told := engine.explain(error)) is not None:
        return told
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(last.filename)}:{last.lineno}"
    return f"stopped by {type(error).__name__} at {place}; run it again with HUB_TRACEBACK=1 and report what it says"
