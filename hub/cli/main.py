"""The command `hub`: every command and group by name; exit codes 0 well, 1 wrong and named, 2 not understood."""

from __future__ import annotations

import typer

from hub.cli import (
    account,
    alerts,
    audit,
    barriers,
    client,
    config_check,
    connection,
    connector,
    delivery,
    directory,
    gates,
    handover,
    invite,
    keys,
    learning,
    legal_hold,
    mail,
    mappings,
    shadow,
    wins,
)
from hub.cli.boundary import Boundary
from hub.cli.demo import demo
from hub.cli.init import init
from hub.cli.serve import serve
from hub.cli.status import status
from hub.cli.trace import trace

app = typer.Typer(
    cls=Boundary,
    name="hub",
    help="Trusted Person Hub: what a person agreed to share goes once, through someone they trust.\n\n"
    "Exit codes: 0 all is well; 1 something is wrong, and was named on standard error; 2 the command was not "
    "understood.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a pretty trace prints local variables, and so what people wrote
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("init")(init)
app.command("serve")(serve)
app.command("demo")(demo)
app.command("status")(status)
app.command("trace")(trace)
app.add_typer(account.app, name="account")
app.add_typer(alerts.app, name="alerts")
app.add_typer(handover.app, name="handover")
app.add_typer(shadow.app, name="shadow")
app.add_typer(audit.app, name="audit")
app.add_typer(barriers.app, name="barriers")
app.add_typer(config_check.app, name="config")
app.add_typer(connection.app, name="connection")
app.add_typer(connector.app, name="connector")
app.add_typer(delivery.app, name="delivery")
app.add_typer(directory.app, name="directory")
app.add_typer(gates.app, name="gates")
app.add_typer(invite.app, name="invite")
app.add_typer(mappings.app, name="mappings")
app.add_typer(client.app, name="client")
app.add_typer(keys.app, name="keys")
app.add_typer(learning.app, name="learning")
app.add_typer(legal_hold.app, name="legal-hold")
app.add_typer(wins.training, name="training")
app.add_typer(mail.app, name="mail")
app.add_typer(wins.app, name="wins")


def main() -> None:
    """Run the command line."""
    app()
