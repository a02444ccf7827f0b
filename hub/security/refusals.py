"""Every refusal of this package as data: stable type, plain title, what to do next; never a value that was sent."""

from __future__ import annotations

from typing import Final

from hub.domain.errors import Origin, Refusal, Unauthenticated

_FRESH: Final = "Get a new access token from POST /oauth/token and send the request again."
_CLOCK: Final = "Set this system's clock from a time server: it must be within 60 seconds of the hub's."
_SIGN: Final = "Sign a new Author-Assertion for exactly these bytes and send again."

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "token-missing": ("No access token", "Send `Authorization: Bearer <token>` from POST /oauth/token."),
    "token-malformed": ("The access token cannot be read", _FRESH),
    "token-expired": ("The access token has run out", _FRESH),
    "token-foreign": ("This hub did not issue the access token", _FRESH),
    "token-clock-skew": ("The access token is from the future", _CLOCK),
    "client-unknown": ("The hub does not know this system", "Ask the hub's operator to register the client."),
    "client-revoked": ("This system's access was withdrawn", "Ask the hub's operator why, and for a new client."),
    "author-missing": ("Nobody is named as the author", "Send an Author-Assertion signed with the client's key."),
    "author-expired": ("The author's assertion has run out", _SIGN),
    "author-body-changed": ("The author signed other words than these", _SIGN),
    "author-untrusted": (
        "The author's assertion was not signed for this hub by this client",
        "Check key, kid, iss, aud, sub, role and jti, and that it lasts 5 minutes at most.",
    ),
    "author-role": (
        "The author's role cannot be written down",
        "Name the role in words, such as `key worker`: letters, spaces and hyphens, 60 at most.",
    ),
    "author-clock-skew": ("The author's assertion is from the future", _CLOCK),
    "callback-unproved": ("Nothing proves who sent this", "Send the proof that this connection asks for."),
    "callback-untrusted": (
        "The proof does not fit this connection",
        "Check the key or secret registered for this connection, and that it signs exactly these bytes.",
    ),
    "callback-expired": ("The proof has run out", "Sign again with the time of this attempt."),
    "callback-clock-skew": ("The proof is from the future", _CLOCK),
    "callback-replayed": ("This proof was used before", "Sign again for each attempt; keep the message id."),
}


def unauthenticated(code: str, origin: Origin = "sender") -> Unauthenticated:
    """The error for a refusal of this package; `KeyError` on a code that the table lacks is a defect."""
    title, next_step = _WORDS[code]
    return Unauthenticated(Refusal(code, title, next_step, origin))
