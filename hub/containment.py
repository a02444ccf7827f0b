"""What hub.toml asks of each connection's process, and what this machine gives: tried at the start, then kept to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub.config import Configuration
from hub.courier.reached import Asked, Reached, as_the_hub, reached_by
from hub.folders import CannotUse, folders_of
from hub.host.discovery import Found

#: What to do about a code that says why a process is held more weakly than hub.toml asks, or does not start.
NEXT_STEPS = {
    "hub-is-not-root": "only root starts another user's process: run the hub as root, or take uids out of [isolation]",
    "interpreter-unreadable": "install the hub where every user may read it, such as /opt/hub, and not in root's home",
    "code-unreadable": "let every user read the hub's and the plugin's files: `chmod -R a+rX` their folders",
    "folder-not-writable": "give the folders in its settings to its own user id, which `hub connection ls` shows",
    "no-namespaces": "let processes make user namespaces (sysctl user.max_user_namespaces, and on Ubuntu "
    "kernel.apparmor_restrict_unprivileged_userns=0), or take it off strict under [isolation]",
    "no-seccomp": "run it on a kernel with seccomp, on x86-64 or 64-bit Arm, or take it off strict under [isolation]",
    "too-slow": "start the hub again when the machine is less busy",
    "cannot-start": "find out why this machine starts no process of the hub's interpreter",
}


def contained(configuration: Configuration, plugins: Iterable[Found]) -> dict[str, Reached]:
    """Return how each connection's process is held here, by the connection's id; tried where more than usual is asked.

    Connections whose plugin may not run have no process, and are left out.
    """
    return reached_by(_asked(configuration, plugins))


def cannot_be_strict(configuration: Configuration) -> str:
    """Return the code of why strict isolation, which hub.toml asks for, is not to be had here; "" where all is well."""
    return as_the_hub(strict=True).why if configuration.hub.isolation.strict else ""


def _asked(configuration: Configuration, plugins: Iterable[Found]) -> Iterator[Asked]:
    allowed = {plugin.name: plugin for plugin in plugins if plugin.status == "allowed"}
    isolation = configuration.hub.isolation
    uids = isolation.uids_of(service.connection.id for service in configuration.services)
    for service in configuration.services:
        table = service.connection
        plugin = allowed.get(table.plugin)
        manifest = plugin.manifest.connectors.get(table.connector) if plugin and plugin.manifest else None
        if plugin is None or manifest is None:
            continue
        try:
            writable = folders_of(manifest.folders, table.settings, configuration.folder)
        except CannotUse:
            writable = ()  # whoever starts the connection says so
        readable = (str(plugin.folder),) if plugin.folder else ()
        yield Asked(table.id, isolation.is_strict(table.id), uids.get(table.id), readable, writable)
