"""What /openapi.json says beside the routes: proofs, headers, bodies and replies as they are, and problems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI

from hub.api import absence_examples, examples, service_examples
from hub.api.problems import MEDIA_TYPE
from hub.security.clients import ASSERTION_TYPE

Json = dict[str, Any]

_TEXT: Final = {"type": "string"}


def _header(name: str, words: str) -> Json:
    return {"name": name, "in": "header", "required": True, "schema": _TEXT, "description": words}


_AUTHOR: Final = _header(
    "Author-Assertion",
    "A JWT that your client's key signed, new for each call. Its claims: iss, your client id; aud, the hub's public "
    "URL; sub, your own opaque id of the worker; role, theirs; jti, used once; iat; exp, at most 5 minutes later; "
    "body_sha256, the SHA-256 in hex of exactly the bytes of the body.",
)
_SAFER: Final[Json] = {
    "name": "safer",
    "in": "query",
    "schema": {"type": "boolean"},
    "description": "true for a sheet that tells whoever finds it nothing but the reference",
}
_SECOND: Final = _AUTHOR | {
    "name": "Second-Author-Assertion",
    "required": False,
    "description": "As Author-Assertion, of another worker: only for a share that asks for an override.",
}
_KEY: Final = _header(
    "Idempotency-Key",
    "1 to 255 printable characters without spaces, such as a UUID: new for each share, the same to send it again.",
)


def _query(name: str, words: str, *, required: bool) -> Json:
    return {"name": name, "in": "query", "required": required, "schema": _TEXT, "description": words}


_READER: Final = _AUTHOR | {
    "required": False,
    "description": "As elsewhere, for an empty body, and with groups, a list of names: needed only to read the answers "
    "to a share that names in can_see who may.",
}
_WHOSE: Final = _query("trusted_person", "Your own reference of the trusted person.", required=True)
_ONLY_THEIRS: Final = _query(
    "trusted_person",
    "Your own reference of who reads: another's share is not found.",
    required=False,
)
_AFTER: Final = _query("after", "What `next` said of the page before.", required=False)


@dataclass(frozen=True, slots=True)
class _Said:
    """What is so of one operation: its example reply, and what it takes beside the token."""

    status: str
    example: Json
    parameters: tuple[Json, ...] = ()


_OPERATIONS: Final[dict[tuple[str, str], _Said]] = {
    ("/v1/shares", "post"): _Said("202", examples.RECEIPT, (_AUTHOR, _SECOND, _KEY)),
    ("/v1/shares/preview", "post"): _Said("200", examples.PREVIEW, (_AUTHOR, _SECOND, _KEY)),
    ("/v1/shares/{share_id}", "get"): _Said("200", examples.REPORT, (_READER, _ONLY_THEIRS)),
    ("/v1/shares/{share_id}/for-the-person", "get"): _Said("200", examples.SHEET, (_READER, _ONLY_THEIRS, _SAFER)),
    ("/v1/shares/{share_id}/subject-access", "get"): _Said("200", examples.SUBJECT_ACCESS, (_READER, _ONLY_THEIRS)),
    ("/v1/shares", "get"): _Said("200", examples.SHARES, (_WHOSE, _AFTER)),
    ("/v1/shares/{share_id}/choice", "post"): _Said("202", examples.RECEIPT, (_AUTHOR, _KEY)),
    ("/v1/trusted-people/{reference}", "put"): _Said("200", examples.TRUSTED_PERSON, (_AUTHOR,)),
    ("/v1/trusted-people/{reference}/away", "put"): _Said("200", absence_examples.AWAY, (_AUTHOR,)),
    ("/v1/trusted-people/{reference}/away", "delete"): _Said("200", absence_examples.BACK, (_AUTHOR,)),
    ("/v1/trusted-people/{reference}/leaving", "put"): _Said("200", absence_examples.HANDOVER, (_AUTHOR,)),
    ("/v1/trusted-people/{reference}/leaving", "delete"): _Said("200", absence_examples.STAYS, (_AUTHOR,)),
    ("/v1/trusted-people/{reference}/handover", "get"): _Said("200", absence_examples.HANDOVER),
    ("/v1/shares/{share_id}/cover", "post"): _Said("200", absence_examples.COVER, (_AUTHOR,)),
    **{
        (f"/v1/shares/{{share_id}}/{which}", "post"): _Said("202", examples.FURTHER, (_AUTHOR, _KEY))
        for which in ("addenda", "corrections", "replies", "pauses")
    },
    **{
        (f"/v1/shares/{{share_id}}/{which}/preview", "post"): _Said("200", examples.FURTHER_PREVIEW, (_AUTHOR, _KEY))
        for which in ("addenda", "corrections", "replies")
    },
    ("/v1/shares/{share_id}/person-told", "post"): _Said("200", examples.PERSON_TOLD, (_AUTHOR,)),
    ("/v1/shares/{share_id}/death", "post"): _Said("200", examples.DEATH, (_AUTHOR,)),
    ("/v1/consents/{record_id}", "get"): _Said("200", examples.CONSENTS),
    ("/v1/consents/{record_id}/withdraw", "post"): _Said("200", examples.WITHDRAWN, (_AUTHOR,)),
    ("/v1/deliveries/{delivery_id}/heard", "post"): _Said("201", examples.HEARD, (_AUTHOR,)),
    ("/v1/deliveries/{delivery_id}/helped", "post"): _Said("201", examples.HELPED, (_AUTHOR,)),
    ("/v1/deliveries", "get"): _Said("200", examples.FETCHED),
    ("/v1/deliveries/{delivery_id}/acknowledge", "post"): _Said("200", examples.ACKNOWLEDGED),
    ("/v1/deliveries/{delivery_id}/answers", "post"): _Said("201", examples.HEARD, (_KEY,)),
    ("/v1/please-ring-me", "post"): _Said("202", examples.RING, (_AUTHOR, _KEY)),
    ("/v1/please-ring-me/{ring_id}", "get"): _Said("200", examples.RING),
    ("/v1/gaps", "post"): _Said("202", examples.GAP, (_AUTHOR, _KEY)),
    ("/v1/gaps/{ring_id}", "get"): _Said("200", examples.GAP),
    ("/v1/safety-lane", "post"): _Said("202", examples.SAFETY, (_AUTHOR, _KEY)),
    ("/v1/safety-lane/{ring_id}", "get"): _Said("200", examples.SAFETY),
    ("/v1/services", "get"): _Said("200", service_examples.SERVICES),
    ("/v1/services/open-referral", "get"): _Said("200", service_examples.OPEN_REFERRAL),
    ("/v1/checkpoint", "get"): _Said("200", examples.CHECKPOINT),
}

_PROBLEM: Final[Json] = {
    "type": "object",
    "required": ["type", "title", "status", "next_step", "origin"],
    "properties": {
        "type": _TEXT | {"description": "stable: what a program goes by"},
        "title": _TEXT | {"description": "what is wrong, in plain words"},
        "status": {"type": "integer"},
        "next_step": _TEXT | {"description": "what to do about it"},
        "origin": _TEXT | {"enum": ["sender", "hub", "receiver"], "description": "whose side has to mend it"},
        "pointer": _TEXT | {"description": "where in the body, as a JSON pointer"},
        "link": _TEXT | {"description": "where to look, such as the share that is open already"},
        "faults": {
            "type": "array",
            "items": {"type": "object", "properties": {"pointer": _TEXT, "detail": _TEXT}},
        },
        "refused": {"type": "array", "items": {"type": "object"}, "description": "why, for each service"},
    },
}

_TOKEN_BODY: Final[Json] = {
    "type": "object",
    "required": ["grant_type", "client_assertion_type", "client_assertion"],
    "properties": {
        "grant_type": _TEXT | {"enum": ["client_credentials"]},
        "client_assertion_type": _TEXT | {"enum": [ASSERTION_TYPE]},
        "client_assertion": _TEXT
        | {
            "description": "A JWT that your client's key signed. Its claims: iss and sub, your client id; aud, the "
            "address of this endpoint; jti, used once; iat; exp, at most 5 minutes later."
        },
        "scope": _TEXT | {"enum": ["share", "pull"]},
    },
}


class Described(FastAPI):
    """The app, with a description that says what is so."""

    def openapi(self) -> Json:
        """Return what /openapi.json says; made once."""
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema


def completed(document: Json) -> Json:
    """Return the framework's description with what it cannot know, and without the error shape that never comes."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for never in ("HTTPValidationError", "ValidationError"):
        schemas.pop(never, None)
    schemas["Problem"] = _PROBLEM
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    for path, method, operation in _operations(document):
        operation["responses"].pop("422", None)
        _hoist(operation, schemas)
        if not path.startswith("/fhir/"):
            problem = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": examples.PROBLEM}
            operation["responses"]["default"] = _response("What is wrong, and what to do", problem, MEDIA_TYPE)
        if (said := _OPERATIONS.get((path, method))) is not None:
            operation["security"] = [{"token": []}]
            operation.setdefault("parameters", []).extend(said.parameters)
            operation["responses"][said.status] = _response("It is so", {"example": said.example})
    _describe_tokens(document["paths"]["/oauth/token"]["post"])
    return document


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _response(words: str, content: Json, media_type: str = "application/json") -> Json:
    return {"description": words, "content": {media_type: content}}


def _describe_tokens(operation: Json) -> None:
    form = {"application/x-www-form-urlencoded": {"schema": _TOKEN_BODY}}
    operation["requestBody"] = {"required": True, "content": form}
    operation["responses"]["200"] = _response("A token for 10 minutes", {"example": examples.TOKEN})
    for status in ("400", "401"):
        operation["responses"][status] = _response("Why there is none (RFC 6749)", {"example": examples.TOKEN_REFUSED})


def _hoist(operation: Json, schemas: Json) -> None:
    """Move a body's inner schemas to where its references can find them."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        own = content["schema"].get("$defs", {})
        schemas.update({name: _pointing(inner) for name, inner in own.items()})
        content["schema"] = _pointing({name: part for name, part in content["schema"].items() if name != "$defs"})


def _pointing(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            name: inner.replace("#/$defs/", "#/components/schemas/")
            if name == "$ref" and isinstance(inner, str)
            else _pointing(inner)
            for name, inner in part.items()
        }
    return [_pointing(inner) for inner in part] if isinstance(part, list) else part
