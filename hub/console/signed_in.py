"""Who is signed in, what they may see, and the record of what they read (TH12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request

from hub.bootstrap import Hub
from hub.console import session
from hub.domain.errors import Forbidden, NotFound, Refusal
from hub.domain.ladder import scope
from hub.people import Role
from hub.services.record_read import Read, record_read
from hub.services.withdraw import NOT_FOUND
from hub.web.route import Elsewhere

__all__ = ["Role", "SignedIn", "audited_read", "require", "signed_in"]

SIGN_IN: Final = "/console/sign-in"
NOT_YOURS: Final = Refusal(
    "not-your-part",
    "This is not for you to see.",
    "Go back to your list. If you need it for your work, ask your coordinator.",
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person who is signed in: their id in the partnership's file, and the partners whose shares they follow up.

    `form_token` is what every form of theirs holds.
    """

    person: str
    name: str
    roles: frozenset[Role]
    organisations: frozenset[str]
    form_token: str


async def signed_in(request: Request) -> SignedIn:
    """Return who is signed in; leads everyone else to the sign-in page, and from there back to what they asked for."""
    hub = session.hub_of(request)
    _refuse_nul(request)
    living = await session.session_of(request)
    if living is None:
        raise Elsewhere(_sign_in_first(request))
    member = living.member
    leads = scope(hub.directory, member.id).leads
    return SignedIn(member.id, member.name, member.roles, leads, session.form_token(hub, living.token))


def require(person: SignedIn, *roles: Role) -> None:
    """Raise `Forbidden` unless a person has one of these roles; the page says the same to everybody."""
    if person.roles.isdisjoint(roles):
        raise Forbidden(NOT_YOURS)


async def audited_read(
    hub: Hub, person: SignedIn, action: str, subject_ids: Mapping[str, str] | Sequence[str] = ()
) -> None:
    """Commit that a person reads something, before they are shown it: no audit, no page (R60, TH12).

    `subject_ids` are ids of what is shown, by kind (`share` and `delivery` among them) or as a list.
    """
    detail: dict[str, Any]
    detail = dict(subject_ids) if isinstance(subject_ids, Mapping) else {"subjects": list(subject_ids)}
    share, delivery = detail.pop("share", None), detail.pop("delivery", None)
    await hub.writer.run(
        record_read, Read(action, f"person:{person.person}", hub.now.business(), share, delivery, detail)
    )


def _sign_in_first(request: Request) -> str:
    """Where to sign in, and which page to go on to, without its query; a form that was posted is not posted again."""
    asked = request.url.path
    if request.method not in {"GET", "HEAD"} or asked == "/console":
        return SIGN_IN
    return f"{SIGN_IN}?next={quote(asked, safe='/')}"


def _refuse_nul(request: Request) -> None:
    """Nothing of ours has a NUL in its id, and PostgreSQL cannot ask for one."""
    if any("\x00" in each for each in (*request.path_params.values(), *request.query_params.values())):
        raise NotFound(NOT_FOUND)
