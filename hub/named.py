"""The secrets and files that an instance names: each must be there, and of use, before anything runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hub import answering
from hub.config import Configuration, ConfigurationError, ServiceTable
from hub.sdk.manifest import ConnectorManifest
from hub.security.webhooks import secret_bytes


@dataclass(frozen=True, slots=True)
class Named:
    """A secret or file that a configuration file names: `where` is the file and the key in it."""

    where: str
    reference: str
    signs: bool = False  #: it must be a Standard Webhooks secret
    is_code: bool = False  #: it must be a team's code


def named_by_hub(configuration: Configuration) -> Iterator[Named]:
    """Every secret and file that `hub.toml` and the partnership's file name."""
    if password := configuration.hub.mail.password:
        yield Named("hub.toml: mail.password", password)
    if secret := configuration.hub.sign_in.client_secret:
        yield Named("hub.toml: sign_in.client_secret", secret)
    file = f"partnerships/{configuration.hub.partnership}.toml"
    for client in configuration.partnership.clients:
        yield Named(f"{file}: jwks of client {client.id}", f"file:{client.jwks}")
        if client.webhook_url:
            where = f"{file}: webhook_secrets of client {client.id}"
            yield from (Named(where, reference, signs=True) for reference in client.webhook_secrets)


def named(service: ServiceTable, manifest: ConnectorManifest) -> Iterator[Named]:
    """Every secret and file that a service's file names."""
    table, at = service.connection, f"services/{service.id}.toml: connection"
    for name, reference in table.secrets.items():
        yield Named(f"{at}.secrets.{name}", reference)
    signs = manifest.callback_auth == "standard-webhooks"
    for reference in table.callback.secrets:
        yield Named(f"{at}.callback.secrets", reference, signs)
    if service.answer_page is not None:
        yield Named(f"services/{service.id}.toml: answer_page.code", service.answer_page.code, is_code=True)
    if table.callback.jwks:
        yield Named(f"{at}.callback.jwks", f"file:{table.callback.jwks}")


def refuse_missing(configuration: Configuration, all_named: Iterable[Named]) -> None:
    """Raise `ConfigurationError` with all that is named and missing, or cannot work; never with what it holds."""
    if wrong := [
        *(f"{each.where} names {each.reference}, {why}" for each in all_named if (why := _fault(configuration, each))),
        *_no_folders(configuration),
    ]:
        raise ConfigurationError("\n     ".join(dict.fromkeys(wrong)))


def _fault(configuration: Configuration, each: Named) -> str:
    """Say what is wrong with what is named, or nothing; never what it holds."""
    try:
        value = configuration.secret(each.reference)
    except ConfigurationError:
        return "which is not there: create it, or mend its name"
    if not value:
        return "which is empty"
    try:
        if each.signs:
            secret_bytes(value)
    except ValueError:
        return "which is no webhook secret: whsec_ and the base64 of 24 to 64 random bytes"
    return answering.fault_of_code(value) if each.is_code else ""


def _no_folders(configuration: Configuration) -> Iterator[str]:
    """Say where a case system's answers cannot be left as files (R36)."""
    file = f"partnerships/{configuration.hub.partnership}.toml"
    for client in configuration.partnership.clients:
        folder = configuration.path(client.answers_folder)
        if client.answers_folder and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
            yield (
                f"{file}: answers_folder of client {client.id} names {client.answers_folder}, "
                "which is no folder that the hub may write in: create it, for that case system alone to read"
            )
