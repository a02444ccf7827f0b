"""Who may do what: every operation that a hub serves, and for each the actors that are let in."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from starlette.routing import Route

from hub.console.session import form_token
from hub.security.assertions import ClientKey
from hub.services.account import Disable, disable_account
from hub.services.session import BeginSession, EndSessions, begin_session, end_sessions
from tests.acceptance.caller import Caller
from tests.acceptance.house import House, append_to, until_true
from tests.acceptance.telling import HOUSING, a_share

#: The signed-in people, by what they are; then those who were once.
PEOPLE: Final = {
    "champion": "champion-riverside",
    "other champion": "champion-harbour",
    "coordinator": "coordinator",
    "network manager": "network-manager",
    "privacy officer": "privacy-officer",
}
SHUT_OUT: Final = {
    "expired session": "champion-riverside",
    "ended session": "champion-riverside",
    "disabled": "champion-council",
    "left": "deputy-harbour",
}
CLIENTS: Final = ("client", "other client", "pull client")
ACTORS: Final = ("nobody", *CLIENTS, *PEOPLE, *SHUT_OUT)

ALL: Final = frozenset(ACTORS)
NONE: Final = frozenset[str]()  #: its proof is in the request itself, and none of these has it
SENDERS: Final = frozenset({"client", "other client"})
SENDER: Final = frozenset({"client"})
FETCHER: Final = frozenset({"pull client"})
SIGNED_IN: Final = frozenset(PEOPLE)
FOLLOW_UP: Final = SIGNED_IN - {"privacy officer"}
#: Who follows up for the sender of the one share.
OWN: Final = FOLLOW_UP - {"other champion"}

#: Each operation and who is let in. A route that is not here fails the test: say here for whom it is.
TABLE: Final[dict[str, frozenset[str]]] = {
    "GET /.well-known/jwks.json": ALL,
    "GET /openapi.json": ALL,
    "GET /healthz": ALL,
    "GET /readyz": ALL,
    "GET /v1/checkpoint": ALL,
    "GET /alerts/{alert_id}": ALL,  # tells nothing of anybody (R45)
    "GET /demo/business-time": ALL,  # of the demo's profile alone
    "POST /demo/business-time": ALL,
    "POST /oauth/token": NONE,
    "POST /v1/callbacks/{connection_id}": NONE,
    "POST /fhir/R4/$process-message": NONE,
    "GET /rings/{ring_id}/{proof}": NONE,
    "POST /rings/{ring_id}/{proof}": NONE,
    # The answer page: what a link that is none shows to anybody, and no more.
    "GET /answer/{link}": ALL,
    "GET /answer/{link}/end": ALL,
    "GET /answer/{link}/forward": ALL,
    "GET /answer/{link}/said": ALL,
    "GET /answer/{link}/{done}": ALL,
    "POST /answer/{link}": NONE,
    "POST /answer/{link}/end": ALL,
    "POST /answer/{link}/forward": ALL,
    "POST /answer/{link}/leave": ALL,
    "POST /answer/{link}/renew": ALL,
    "POST /answer/{link}/say": ALL,
    "GET /mail/{token}": NONE,
    "POST /mail/{token}": NONE,
    # The API.
    "GET /v1/services": SENDERS,
    "GET /v1/services/open-referral": SENDERS,
    "GET /v1/shares": SENDERS,
    "POST /v1/shares": SENDERS,
    "POST /v1/shares/preview": SENDERS,
    "POST /v1/please-ring-me": SENDERS,
    "POST /v1/safety-lane": SENDERS,
    "POST /v1/gaps": SENDERS,
    "GET /v1/please-ring-me/{ring_id}": SENDER,
    "GET /v1/safety-lane/{ring_id}": SENDER,
    "GET /v1/gaps/{ring_id}": SENDER,
    "PUT /v1/trusted-people/{reference}": SENDERS,
    "PUT /v1/trusted-people/{reference}/away": SENDERS,
    "DELETE /v1/trusted-people/{reference}/away": SENDERS,
    "PUT /v1/trusted-people/{reference}/leaving": SENDERS,
    "DELETE /v1/trusted-people/{reference}/leaving": SENDERS,
    "GET /v1/trusted-people/{reference}/handover": SENDERS,
    "GET /v1/deliveries": FETCHER,
    "POST /v1/deliveries/{delivery_id}/acknowledge": FETCHER,
    "POST /v1/deliveries/{delivery_id}/answers": FETCHER,
    # The console, before anybody signed in.
    "GET /console/sign-in": ALL,
    "POST /console/sign-in": NONE,
    "GET /console/sign-in/elsewhere": NONE,  # this hub has passwords alone
    "GET /console/sign-in/return": NONE,
    "GET /console/signed-out": ALL,
    "GET /console/password/{link}": NONE,
    "POST /console/password/{link}": NONE,
    # And after it.
    "GET /console": SIGNED_IN,
    "GET /console/me": SIGNED_IN,
    "POST /console/sign-out": SIGNED_IN,
    "GET /console/follow-up": FOLLOW_UP,
    "GET /console/alerts/{alert_id}": OWN,
    "POST /console/alerts/{alert_id}/{act}": OWN,
    "GET /console/cover": FOLLOW_UP,
    "GET /console/barriers": SIGNED_IN,
    "GET /console/barriers/{barrier_id}": SIGNED_IN,
    "GET /console/good-sharing": SIGNED_IN,
    "POST /console/barriers/found": SIGNED_IN,
    "POST /console/barriers/{barrier_id}/move": SIGNED_IN,
    "GET /console/learning": SIGNED_IN,
    "GET /console/learning/{month}/{name}": SIGNED_IN,
    "POST /console/cover/days-off": FOLLOW_UP,
    "POST /console/cover/days-off/drop": FOLLOW_UP,
} | dict.fromkeys(
    (
        "GET /v1/consents/{record_id}",
        "GET /v1/shares/{share_id}",
        "GET /v1/shares/{share_id}/for-the-person",
        "GET /v1/shares/{share_id}/subject-access",
        "POST /v1/consents/{record_id}/withdraw",
        "POST /v1/deliveries/{delivery_id}/heard",
        "POST /v1/deliveries/{delivery_id}/helped",
        "POST /v1/shares/{share_id}/addenda",
        "POST /v1/shares/{share_id}/addenda/preview",
        "POST /v1/shares/{share_id}/choice",
        "POST /v1/shares/{share_id}/corrections",
        "POST /v1/shares/{share_id}/corrections/preview",
        "POST /v1/shares/{share_id}/cover",
        "POST /v1/shares/{share_id}/death",
        "POST /v1/shares/{share_id}/pauses",
        "POST /v1/shares/{share_id}/person-told",
        "POST /v1/shares/{share_id}/replies",
        "POST /v1/shares/{share_id}/replies/preview",
    ),
    SENDER,
)
#: Let in, and yet told that there is nothing: nobody was away, and this share was not held, asked or answered.
EMPTY: Final = {
    "GET /console/barriers/{barrier_id}",
    "POST /console/barriers/found",
    "POST /console/barriers/{barrier_id}/move",
    "GET /console/learning/{month}/{name}",
    "GET /v1/gaps/{ring_id}",
    "GET /v1/safety-lane/{ring_id}",
}

#: What is asked for by a service, or a trusted person.
_ASKED_WITH: Final = {"/v1/deliveries", "/v1/shares"}
_KEY: Final = ClientKey.generate()


def with_everybody(folder: Path) -> None:
    """Add to an instance whoever the house lacks: people above, one who left, and a council's system that fetches."""
    append_to(
        folder / "partnerships" / "demo.toml",
        f"""
[partners.deputy]
id = "deputy-harbour"
name = "Jo"
email = "deputy@harbour.example"
until = 2020-01-01

[[clients]]
id = "council-system"
partner = "city-council"
jwks = "keys-of-partners/council.jwks.json"
scopes = ["pull"]
serves = ["{HOUSING}"]

[network_manager]
id = "network-manager"
name = "Nuri"
email = "network@partnership.example"

[[privacy_officers]]
id = "privacy-officer"
name = "Priya"
email = "privacy@partnership.example"
""",
    )
    (folder / "keys-of-partners" / "council.jwks.json").write_text(_KEY.jwks(), encoding="utf-8")
    service = folder / "services" / f"{HOUSING}.toml"
    text = service.read_text(encoding="utf-8")
    head = text[: text.index("allow_addresses")].replace('"duty-to-refer"\n', '"duty-to-refer-pull"\n')
    service.write_text(head.replace('gates = ["duty-to-refer-pull"]', 'gates = ["duty-to-refer"]'), encoding="utf-8")


def operations(house: House) -> set[str]:
    """Every method and path that this hub serves, but for its style sheet, which anybody may have."""
    app: Any = house._serving[-1][1].config.app
    routers = [each.original_router for each in app.routes if hasattr(each, "original_router")]
    found = [route for router in [app, *routers] for route in router.routes if isinstance(route, Route)]
    named = {f"{method} {route.path}" for route in found for method in route.methods or () if method != "HEAD"}
    return {each for each in named if not each.startswith("GET /style/")}


@dataclass(slots=True)
class Actors:
    """Everybody who may ask, each with the proof that they have; and the one share that all of it is about."""

    house: House
    ids: dict[str, str] = field(default_factory=dict)
    _cookies: dict[str, str] = field(default_factory=dict)
    _callers: dict[str, Caller] = field(default_factory=dict)

    def gather(self) -> None:
        """Send the share, have it go unanswered, and sign everybody in."""
        house = self.house
        self._callers = {"client": house.cases, "other client": house.other}
        self._callers["pull client"] = Caller(house.url, "council-system", _KEY)
        receipt = house.cases.send(a_share(HOUSING))
        delivery = house.rows("SELECT id, connection_id FROM deliveries WHERE share_id = :s", s=receipt["id"])[0]
        record = house.rows("SELECT record_id FROM consents WHERE share_id = :s", s=receipt["id"])[0]["record_id"]
        house.at(datetime.fromisoformat(house.start) + timedelta(days=4))
        house.rounds()
        alert = until_true("an alert", lambda: house.rows("SELECT id FROM alerts WHERE state = 'open'"))[0]["id"]
        ring = house.cases.post("/v1/please-ring-me", {}).json()["id"]
        self.ids = {
            "share_id": receipt["id"],
            "delivery_id": delivery["id"],
            "record_id": record,
            "alert_id": alert,
            "connection_id": delivery["connection_id"],
            "ring_id": ring,
            "reference": "T-1",
            "done": "leave",
            "link": "0" * 48,
            "proof": "0" * 32,
            "act": "take",
        }
        for actor, person in (PEOPLE | SHUT_OUT).items():
            self._cookies[actor] = self._signed_in(person, over=actor == "expired session")
        ended = EndSessions(
            SHUT_OUT["ended session"], self._digest(self._cookies["ended session"]), "", "", self._wall()
        )
        assert house.hub.writer.submit(end_sessions, ended).result(30) == 1
        self._run(disable_account, Disable(SHUT_OUT["disabled"], "operator:test", self._wall()))

    def is_shut_out(self, actor: str, operation: str) -> bool:
        """Whether an operation lets nobody in: not known, not allowed, not there, or first sign in.

        Of another partner's client, also where it is told just what it is told of things that never were.
        """
        reply = self.ask(actor, operation)
        if TABLE[operation] is NONE and reply.status_code >= 400:
            return True
        if is_refused(reply):
            return True
        if actor not in CLIENTS or reply.status_code < 400 or "{" not in operation:
            return False
        never = self.ask(actor, operation, dict.fromkeys(self.ids, "0" * 32))
        return (reply.status_code, reply.content) == (never.status_code, never.content)

    def ask(self, actor: str, operation: str, about: Mapping[str, str] | None = None) -> httpx.Response:
        """Try one operation as one actor, with every proof that they have, and nothing in its form or body."""
        method, _, path = operation.partition(" ")
        ids = about or self.ids
        path = path.format_map({**ids, **{name: "0" * 32 for name in _named(path) if name not in ids}})
        with httpx.Client(base_url=self.house.url, timeout=30, trust_env=False) as http:
            if caller := self._callers.get(actor):
                raw = b"{}" if method != "GET" else b""
                query = {"service": HOUSING, "trusted_person": "T-1"} if path in _ASKED_WITH else {}
                return http.request(method, path, params=query, content=raw, headers=caller.headers(raw))
            http.headers["origin"] = self.house.url
            if secret := self._cookies.get(actor):
                http.cookies.set("hub_console", secret)
            form = {"form_token": form_token(self.house.hub, self._digest(secret or ""))}
            return http.request(method, path, data=form if method != "GET" else None)

    def close(self) -> None:
        """Close what this made."""
        self._callers["pull client"].http.close()

    def _signed_in(self, person: str, *, over: bool) -> str:
        secret, wall = secrets.token_hex(32), datetime.now(UTC)
        until = wall + (timedelta(seconds=-1) if over else timedelta(hours=1))
        self._run(begin_session, BeginSession(self._digest(secret), person, "password", wall, until))
        return secret

    def _wall(self) -> datetime:
        return self.house.hub.now.wall()

    def _digest(self, secret: str) -> str:
        return self.house.hub.vault.digest("console-session", secret)

    def _run(self, verb: Any, item: Any) -> None:
        assert self.house.hub.writer.submit(verb, item).result(30) is None


def _named(path: str) -> Iterator[str]:
    """The names in a path's braces."""
    for part in path.split("{")[1:]:
        yield part.partition("}")[0].partition(":")[0]


def is_refused(reply: httpx.Response) -> bool:
    """Whether a reply says that they are not known, may not, that it is not there, or that they first sign in."""
    led_away = reply.status_code == 303 and reply.headers["location"].startswith("/console/sign-in")
    return led_away or reply.status_code in {401, 403, 404}
