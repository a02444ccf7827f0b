"""Turn configuration into those the hub hears from and writes to: clients, case systems, teams by mail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from hub.answering import AnswerPage, AnswerPageTable, agreed_addresses, made_page, plain_code
from hub.config import Configuration, ConfigurationError, PartnershipTable, ServiceTable
from hub.domain.digest import Gathering
from hub.notify.drop import Drop
from hub.notify.inviter import Inviter
from hub.notify.mail import Mail, MailOutcome, MailSettings
from hub.notify.webhook import Subscription
from hub.sdk.http import GuardedClient, make_ssl_context
from hub.sdk.reach import Reach, host_and_port
from hub.security.clients import Client, ClientLookup
from hub.security.single_sign_on import SingleSignOn
from hub.services.invite import Invited, MakeInvite
from hub.services.now import Now
from hub.services.ports import Vault
from hub.store import read_state
from hub.store.engine import Engine
from hub.store.trouble import read_or_unavailable


def clients_of(configuration: Configuration, reader: Engine) -> ClientLookup:
    """Return how a client is looked up: its registration from the files, and whether it is revoked from the rows."""
    known = {
        client.id: Client(
            client.id,
            client.partner,
            configuration.path(client.jwks).read_text(encoding="utf-8"),
            frozenset(client.scopes),
        )
        for client in configuration.partnership.clients
    }

    def read(client_id: str) -> Client | None:
        client = known.get(client_id)
        if client is None:
            return None
        revoked = read_or_unavailable(read_state.revoked_clients, reader, client_id) is not None
        return Client(client.id, client.partner, client.jwks, client.scopes, revoked)

    return ClientLookup(read)


def served_by(configuration: Configuration) -> dict[str, frozenset[str]]:
    """Return which services each client fetches for (R73).

    Raises `ConfigurationError` for a service of another partner's, or a client without the scope.
    """
    partners, wrong = {each.id: each.partner for each in configuration.services}, []
    for client in configuration.partnership.clients:
        wrong += [
            f"client {client.id}: serves {each}, which is no service of its partner {client.partner}"
            for each in client.serves
            if partners.get(each) != client.partner
        ]
        if client.serves and "pull" not in client.scopes:
            wrong.append(f'client {client.id}: serves services, and its scopes lack "pull"')
    if wrong:
        raise ConfigurationError("\n     ".join(wrong))
    return {client.id: frozenset(client.serves) for client in configuration.partnership.clients if client.serves}


def webhook_clients_of(partners: PartnershipTable) -> dict[str, GuardedClient]:
    """Make one guarded client for each case system that takes notices, which reaches that system's own address only."""
    tls = make_ssl_context()
    return {
        client.id: GuardedClient(
            Reach.to([urlsplit(client.webhook_url).netloc], client.webhook_allow_addresses, deadline_seconds=20), tls
        )
        for client in partners.clients
        if client.webhook_url
    }


def subscriptions_of(configuration: Configuration, via: Mapping[str, GuardedClient]) -> dict[str, Subscription | Drop]:
    """Return where each case system takes its notices, with the secrets that sign them; raises `ConfigurationError`."""
    clients = configuration.partnership.clients
    drops = {each.id: Drop(configuration.path(each.answers_folder)) for each in clients if each.answers_folder}
    return drops | {
        client.id: Subscription(
            client.webhook_url,
            tuple(configuration.secret(reference) for reference in client.webhook_secrets),
            via[client.id],
        )
        for client in configuration.partnership.clients
        if client.webhook_url
    }


def single_sign_on_of(configuration: Configuration) -> SingleSignOn | None:
    """Return the partnership's own sign-in, where hub.toml names one; raises `ConfigurationError`."""
    table, url = configuration.hub.sign_in, configuration.hub.public_url.rstrip("/")
    if not table.issuer or table.client_secret is None:
        return None
    try:
        reach = Reach.to([host_and_port(table.issuer), *table.hosts], table.allow_addresses, deadline_seconds=20)
    except ValueError:
        raise ConfigurationError("hub.toml: sign_in: issuer, hosts or allow_addresses cannot be read") from None
    secret, client = configuration.secret(table.client_secret), GuardedClient(reach)
    back, algorithms = f"{url}/console/sign-in/return", frozenset(table.algorithms)
    return SingleSignOn(table.issuer, table.client_id, secret, back, algorithms, client)


def mail_settings_of(configuration: Configuration) -> MailSettings:
    """Return how e-mail is sent; raises `ConfigurationError`."""
    mail = configuration.hub.mail
    if mail.tls == "none" and not _is_here(mail.host):
        raise ConfigurationError('hub.toml: mail.tls: "none" is for a mail server on this machine alone')
    return MailSettings(
        host=mail.host,
        port=mail.port,
        from_address=mail.from_address,
        domain=urlsplit(configuration.hub.public_url).hostname or "localhost",
        tls=mail.tls,
        username=mail.username,
        password=configuration.secret(mail.password) if mail.password else "",
    )


def _is_here(host: str) -> bool:
    """Tell whether a host is this machine, by what it is called."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def gathering_of(configuration: Configuration) -> Gathering | None:
    """Return how mail for one reader is gathered; None where each notice goes by itself."""
    mail = configuration.hub.mail
    if mail.digest_minutes == 0:
        return None
    return Gathering(timedelta(minutes=mail.digest_minutes), mail.most_an_hour)


def answer_pages_of(configuration: Configuration, vault: Vault) -> dict[str, AnswerPage]:
    """Return the answer pages by service, each with the keyed hash of its team's code."""

    def page(service: ServiceTable, table: AnswerPageTable) -> AnswerPage:
        code = vault.digest("team-code", plain_code(configuration.secret(table.code)))
        return made_page(table, code, service.owner)

    return {
        service.id: page(service, service.answer_page)
        for service in configuration.services
        if service.enabled and service.answer_page is not None
    }


def inviters_of(  # noqa: PLR0913 - what an inviter is made of
    configuration: Configuration,
    paged: Mapping[str, timedelta],
    make: Callable[[MakeInvite], Awaitable[Invited]],
    send: Callable[[Mail], Awaitable[MailOutcome]],
    vault: Vault,
    now: Now,
) -> dict[str, Inviter]:
    """Return who invites, by connection, where the service has an answer page and its connection is one of `paged`."""
    return {
        service.connection.id: Inviter(
            make,
            send,
            vault,
            configuration.hub.public_url,
            now,
            agreed_addresses(service.address, service.email, settings=service.connection.settings),
            timedelta(days=service.answer_page.link_days),
            paged[service.connection.id],
        )
        for service in configuration.services
        if service.answer_page is not None and service.connection.id in paged
    }
