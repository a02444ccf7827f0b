"""Bad input: whatever is broken, hostile or unproved gets a problem with a next step, and leaves nothing behind.

A canary stands in every value and in every unknown name that is sent, and must not come back.
"""

from __future__ import annotations

import json
import random
import socket
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey

from hub.security.assertions import ClientKey, client_assertion
from tests.acceptance.caller import LEFT_OUT, as_json
from tests.acceptance.house import House
from tests.acceptance.telling import HOUSING, TREATMENT, a_share, consent_of

CANARY = "Zz9Canary"
SHARES = "/v1/shares"
Path = tuple[str | int, ...]


def refused(reply: httpx.Response, *statuses: int) -> dict[str, Any]:
    """A refusal as it must look: problem+json, a type, a title, a next step, whose fault it is, and no canary."""
    assert reply.status_code in statuses, (reply.status_code, reply.text[:300])
    assert reply.headers["content-type"] == "application/problem+json"
    assert CANARY.lower() not in reply.text.lower()
    assert CANARY.lower() not in str(reply.headers).lower()
    problem: dict[str, Any] = reply.json()
    assert problem["type"].startswith("/problems/")
    assert problem["status"] == reply.status_code
    assert problem["title"]
    assert problem["next_step"]
    assert problem["origin"] in {"sender", "hub", "receiver"}
    return problem


@pytest.fixture(autouse=True)
def nothing_stored(house: House) -> Iterator[None]:
    """Whatever a test of this module sends is refused: no table gains a row."""
    before = house.settled()
    yield
    after = house.settled()
    assert {name: n - before[name] for name, n in after.items() if n != before[name]} == {}


def canaried() -> dict[str, Any]:
    """A share with the canary in every text that may be free."""
    share = a_share(HOUSING, TREATMENT)
    share["trusted_person"]["name"] = share["choice"]["discussed_with"] = CANARY
    for section in share["sections"]:
        section["text"] = CANARY
        section.setdefault("fields", {})["note"] = CANARY
    return share


def places(document: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a document, the whole of it first."""
    yield path
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in inner:
        yield from places(value, (*path, name))


def put(document: Any, path: Path, value: Any) -> Any:
    """A copy of a document with one place replaced."""
    if not path:
        return value
    copied = dict(document) if isinstance(document, dict) else list(document)
    copied[path[0]] = put(document[path[0]], path[1:], value)
    return copied


RAW = {
    "empty": (b"", 400),
    "not-json": (f"hello {CANARY}".encode(), 400),
    "cut-short": (as_json(canaried())[:-20], 400),
    "two-documents": (b"{} {}", 400),
    "an-array": (f'["{CANARY}"]'.encode(), 422),
    "a-word": (f'"{CANARY}"'.encode(), 422),
    "null": (b"null", 422),
    "fifty-levels": (b'{"a":' * 50 + f'"{CANARY}"'.encode() + b"}" * 50, 422),
    "a-hundred-thousand-levels": (b"[" * 100_000 + b"]" * 100_000, 422),
    "unclosed-levels": (b"[" * 100_000, 422),
    "nan": (as_json(canaried()).replace(b'"urgent": false', b'"urgent": NaN'), 400),
    "infinity": (as_json(canaried()).replace(b'"urgent": false', b'"urgent": -Infinity'), 400),
    "doubled-name": (as_json(canaried()).replace(b'"ask": "act"', f'"ask": "act", "ask": "{CANARY}"'.encode()), 400),
    "doubled-unknown-name": (f'{{"{CANARY}": 1, "{CANARY}": 2}}'.encode(), 400),
    "lone-surrogate": (as_json(canaried()).replace(b'"worker"', b'"x"').replace(b"front-desk-team", rb"\ud800"), 400),
    "raw-surrogate-bytes": (as_json(canaried()).replace(b"front-desk-team", b"\xed\xa0\x80"), 400),
    "not-utf-8": (as_json(canaried()).replace(b"front-desk-team", b"\xff\xfe"), 400),
    "utf-16": (json.dumps(canaried()).encode("utf-16"), 400),
    "nul": (as_json(canaried()).replace(b"front-desk-team", rb"\u0000"), 422),
    "huge-number": (as_json(canaried()).replace(b'"act"', b"9" * 5_000), (400, 422)),
    "byte-order-mark": (b"\xef\xbb\xbf" + as_json(canaried()), 400),
}


@pytest.mark.parametrize("name", RAW)
def test_a_body_that_is_no_share_is_refused(house: House, name: str) -> None:
    # given a body that no reader should believe, signed by its author as if it were good
    body, status = RAW[name]
    # when it is sent and previewed
    for path in (SHARES, "/v1/shares/preview"):
        # then it is a problem with a next step
        refused(house.cases.post(path, body), *(status if isinstance(status, tuple) else (status,)))


def test_ten_megabytes_are_refused_with_and_without_their_length(house: House) -> None:
    # given ten megabytes, once declared and once in pieces without a length
    body = as_json(canaried() | {"reference": "x" * 10_000_000})
    pieces = (body[at : at + 65_536] for at in range(0, len(body), 65_536))
    # when each is sent; the hub may hang up before it has read what it does not want
    declared = house.cases.post(SHARES, body)
    assert refused(declared, 413)["type"] == "/problems/body-too-large"
    try:
        chunked = house.cases.http.post(SHARES, content=pieces, headers=house.cases.headers(body))
    except httpx.TransportError:
        return
    assert refused(chunked, 413)["type"] == "/problems/body-too-large"


@pytest.mark.parametrize("length", ["-1", "1e3", "99999999999999999999"])
def test_a_length_that_is_no_length_is_refused(house: House, length: str) -> None:
    # given a head whose Content-Length is not one
    head = f"POST {SHARES} HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n\r\n{CANARY}"
    # when it is sent over a bare socket
    with socket.create_connection(("127.0.0.1", house.port), timeout=10) as bare:
        bare.sendall(head.encode())
        first = bare.recv(4096)
    # then it is a refusal of the sender's, without the canary
    assert b" 4" in first.split(b"\r\n")[0]
    assert CANARY.encode() not in first


WRONG: tuple[Any, ...] = (CANARY, "", 17, 1.5, True, None, [CANARY], {CANARY: CANARY}, [], {})


def test_a_wrong_type_in_any_place_is_refused_by_its_pointer(house: House) -> None:
    # given every place of a share, and a value of another type in it
    share = canaried()
    chance = random.Random(7)
    tried = 0
    for path in places(share):
        here: Any = share
        for step in path:
            here = here[step]
        others = [wrong for wrong in WRONG if type(wrong) is not type(here)]
        for wrong in chance.sample(others, 2):
            if _may_stand(path, wrong):
                continue
            # when it is sent
            problem = refused(house.cases.post(SHARES, put(share, path, wrong)), 422, 403)
            # then a fault points at the place or at what holds it, and every pointer is a place that was sent
            tried += 1
            if problem["status"] == 422 and path:
                pointers = [fault["pointer"] for fault in problem["faults"]]
                at = "/" + "/".join(map(str, path))
                assert any(at.startswith(each) or each.startswith(at) for each in pointers), (path, wrong, pointers)
    assert tried > 150


def _may_stand(path: Path, wrong: Any) -> bool:
    """Whether a value of this type is good here: fields hold several types, and some parts may be left empty."""
    if wrong is None:
        return path[-2:-1] == ("sections",) or path[-1:] in {("category",), ("said",), ("services",)}
    return "fields" in path[:-1] or "facts" in path[:-1] or (wrong in ([], {}) and len(path) > 0) or wrong == ""


def test_an_unknown_name_on_any_level_is_refused_and_not_repeated(house: House) -> None:
    # given every object of a share, with one more name in it that is somebody's
    share = canaried()
    objects = [path for path in places(share) if isinstance(_at(share, path), dict)]
    assert len(objects) > 25
    for path in objects:
        # when it is sent
        more = put(share, path, _at(share, path) | {f"{CANARY} lives at number nine": CANARY})
        # then it is refused, and the name does not come back
        refused(house.cases.post(SHARES, more), 422)


def _at(document: Any, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document


def test_whatever_must_be_there_is_missed_by_its_name(house: House) -> None:
    # given a share that lacks one required part after another
    share = canaried()
    for path in (("reference",), ("person",), ("trusted_person", "contact"), ("sections",), ("consents",), ("choice",)):
        holder = {name: value for name, value in _at(share, path[:-1]).items() if name != path[-1]}
        # when it is sent
        problem = refused(house.cases.post(SHARES, put(share, path[:-1], holder)), 422)
        # then its pointer is named
        assert {"pointer": "/" + "/".join(path), "detail": "is missing"} in problem["faults"]


def test_every_problem_is_told_at_once(house: House) -> None:
    # given a share with faults in four places
    share = canaried()
    share["reference"] = ""
    share["trusted_person"]["name"] = CANARY * 30
    share["sections"][0]["id"] = share["sections"][1]["id"]
    share["consents"][0]["until"] = "1999-01-01"
    # when it is sent
    problem = refused(house.cases.post(SHARES, share), 422)
    # then each is there
    pointers = {fault["pointer"] for fault in problem["faults"]}
    assert pointers == {"/reference", "/trusted_person/name", "/sections/1/id", "/consents/0/until"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", LEFT_OUT])
def test_another_content_type_is_refused(house: House, kind: str) -> None:
    # given a good share that is not declared as JSON
    body = as_json(canaried())
    headers = house.cases.headers(body) | {"content-type": kind}
    # when it is sent
    reply = house.cases.http.post(SHARES, content=body, headers={n: v for n, v in headers.items() if v != LEFT_OUT})
    # then it says so
    assert refused(reply, 415)["type"] == "/problems/body-type"


def test_a_share_for_nobody_is_refused(house: House) -> None:
    # given shares that name no service, or no consent at all
    for share in (a_share(HOUSING) | {"consents": []}, a_share(HOUSING) | {"services": []}):
        refused(house.cases.post(SHARES, share), 422)


def _token(house: House, **changes: Any) -> str:
    """A token that looks like the hub's own: its claims, signed by somebody else."""
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": house.url,
        "aud": house.url,
        "sub": "riverside-cases",
        "client_id": "riverside-cases",
        "partner": "riverside",
        "scope": "share",
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 600,
    }
    return ClientKey.generate().sign(claims | changes)


def _unsigned(house: House) -> str:
    """The same claims under alg none."""
    _, claims, _ = _token(house).split(".")
    return f"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{claims}."


def _symmetric(house: House) -> str:
    """The same claims under HS256, with the hub's public key as the secret."""
    public = house.cases.http.get("/.well-known/jwks.json").content
    return jws.serialize_compact(
        {"alg": "HS256", "typ": "at+jwt"}, b'{"sub":"riverside-cases"}', OctKey.import_key(public)
    )


def test_a_token_that_is_not_the_hubs_is_refused(house: House) -> None:
    # given every kind of bad token
    good = house.cases.token()
    head, claims, signature = good.split(".")
    tokens = {
        "none": LEFT_OUT,
        "not-bearer": f"Basic {CANARY}",
        "empty": "Bearer",
        "garbage": f"Bearer {CANARY}",
        "three-parts": f"Bearer {CANARY}.{CANARY}.{CANARY}",
        "foreign-key": f"Bearer {_token(house)}",
        "alg-none": f"Bearer {_unsigned(house)}",
        "symmetric": f"Bearer {_symmetric(house)}",
        "no-signature": f"Bearer {head}.{claims}.",
        "changed-claims": f"Bearer {head}.{claims[:-4]}AAAA.{signature}",
        "changed-signature": f"Bearer {head}.{claims}.{'A' * len(signature)}",
        "huge": "Bearer " + "a" * 9_000,
        "own-assertion": "Bearer "
        + client_assertion("riverside-cases", f"{house.url}/oauth/token", house.cases.key, datetime.now(UTC)),
    }
    body = as_json(canaried())
    for name, token in tokens.items():
        # when a share is sent with it, and something is read
        for reply in (
            house.cases.post(SHARES, body, token=token),
            house.cases.http.get("/v1/services", headers={"authorization": token} if token else {}),
        ):
            # then it is refused, and the challenge is there
            assert refused(reply, 401)["type"].split("-")[0] == "/problems/token", name
            assert reply.headers["www-authenticate"] == "Bearer"


def test_a_token_that_has_run_out_or_is_from_the_future_is_refused(house: House) -> None:
    # given a good token, and a hub whose wall clock stands eleven minutes later, then five earlier
    token = f"Bearer {house.cases.token()}"
    real = type(house.hub.now).wall
    for moved, kind in ((timedelta(minutes=11), "token-expired"), (timedelta(minutes=-15), "token-clock-skew")):
        at = datetime.now(UTC) + moved
        with pytest.MonkeyPatch.context() as patched:
            # when it is used then
            patched.setattr(type(house.hub.now), "wall", lambda _, at=at: at)
            reply = house.cases.http.get("/v1/services", headers={"authorization": token})
        # then it is refused
        assert refused(reply, 401)["type"] == f"/problems/{kind}"
    assert type(house.hub.now).wall is real


def test_the_token_endpoint_gives_nothing_to_whoever_is_not_proved(house: House) -> None:
    # given assertions that are foreign, stale, for another audience, too long, used before, and forms that are none
    now, url = datetime.now(UTC), f"{house.url}/oauth/token"
    key, me = house.cases.key, "riverside-cases"
    used = client_assertion(me, url, key, now)
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form = {"grant_type": "client_credentials", "client_assertion_type": kind}
    assert house.cases.http.post("/oauth/token", data=form | {"client_assertion": used}).status_code == 200
    wrong = {
        "used-before": used,
        "foreign-key": client_assertion(me, url, ClientKey.generate(), now),
        "other-client": client_assertion("harbour-cases", url, key, now),
        "unknown-client": client_assertion(CANARY, url, key, now),
        "other-audience": client_assertion(me, house.url, key, now),
        "stale": client_assertion(me, url, key, now - timedelta(minutes=6)),
        "early": client_assertion(me, url, key, now + timedelta(minutes=6)),
        "too-long": client_assertion(me, url, key, now, timedelta(hours=1)),
        "garbage": CANARY,
        "empty": "",
    }
    replies = [house.cases.http.post("/oauth/token", data=form | {"client_assertion": each}) for each in wrong.values()]
    replies += [
        house.cases.http.post("/oauth/token", data={"grant_type": CANARY}),
        house.cases.http.post("/oauth/token", content=b"\xff\xfe" + CANARY.encode()),
        house.cases.http.post("/oauth/token", content=b""),
        house.cases.http.post(
            "/oauth/token",
            data=form | {"client_assertion": client_assertion(me, url, key, now), "scope": f"share {CANARY}"},
        ),
    ]
    # then each is refused as OAuth 2 does, and nothing of it comes back
    for reply in replies:
        assert reply.status_code in {400, 401}, reply.text
        assert reply.json()["error"] in {"invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope"}
        assert CANARY not in reply.text
    huge = house.cases.http.post("/oauth/token", content=b"grant_type=" + b"a" * 100_000)
    assert refused(huge, 413)


def test_a_body_that_its_author_did_not_sign_is_refused(house: House) -> None:
    # given a share that would be taken, and every bad proof of who typed it
    share = canaried()
    body, now = as_json(share), datetime.now(UTC)
    cases = house.cases
    foreign = type(cases)(house.url, cases.client_id, ClientKey.generate())
    proofs = {
        "author-missing": (LEFT_OUT,),
        "author-untrusted": (
            CANARY,
            foreign.proof(body),
            house.other.proof(body),
            cases.proof(body, life=timedelta(hours=1)),
        ),
        "author-body-changed": (cases.proof(body + b" "), cases.proof(b"")),
        "author-expired": (cases.proof(body, at=now - timedelta(minutes=6)),),
        "author-clock-skew": (cases.proof(body, at=now + timedelta(minutes=3)),),
    }
    for kind, each in proofs.items():
        for proof in each:
            # when it is sent with that
            problem = refused(cases.post(SHARES, body, proof=proof), 401)
            # then it is refused for that
            assert problem["type"] == f"/problems/{kind}"
    # and for a withdrawal and for what was heard it is no different
    for path in (f"/v1/consents/{uuid.uuid4().hex}/withdraw", f"/v1/deliveries/{uuid.uuid4().hex}/heard"):
        sent = {} if path.endswith("withdraw") else _heard()
        refused(cases.post(path, sent, proof=cases.proof(b"other")), 401)
        refused(cases.post(path, sent, proof=LEFT_OUT), 401)
    foreign.http.close()


KEYS = {
    "missing": (LEFT_OUT, 400),
    "overlong": ("k" * 256, 400),
    "spaced": (f"{CANARY} two", 400),
    "latin": ("\xe9", 400),
}


@pytest.mark.parametrize("name", KEYS)
def test_an_idempotency_key_that_is_none_is_refused(house: House, name: str) -> None:
    # given a good share under a key that cannot be used
    key, status = KEYS[name]
    body = as_json(canaried())
    headers = {n: v.encode("latin-1") for n, v in house.cases.headers(body, key=key).items()}
    # when it is sent
    reply = house.cases.http.post(SHARES, content=body, headers=headers)
    # then it says what to send
    assert refused(reply, status)["type"].startswith("/problems/idempotency-key-")


def _heard(**changes: Any) -> dict[str, Any]:
    return {"state": "accepted", "how": "phone", "on": "2026-11-20", "told_to": CANARY, **changes}


BAD_HEARD = {
    "no-state": {"how": "phone", "on": "2026-11-20", "told_to": CANARY},
    "unknown-state": _heard(state=CANARY),
    "awaited": _heard(state="awaited"),
    "unknown-way": _heard(how="carrier pigeon"),
    "no-date": _heard(on=CANARY),
    "tomorrow": _heard(on="2027-01-01"),
    "nobody": _heard(told_to="   "),
    "too-long": _heard(told_to=CANARY * 40),
    "text-too-long": _heard(text=CANARY * 400),
    "unknown-name": _heard(**{f"{CANARY}_name": CANARY}),
    "wrong-type": _heard(owner=[CANARY]),
    "control-characters": _heard(told_to=f"{CANARY}\u0000"),
    "two-lines": _heard(told_to=f"{CANARY}\nbcc: someone"),
}


@pytest.mark.parametrize("name", BAD_HEARD)
def test_what_was_heard_in_a_bad_shape_is_refused(house: House, name: str) -> None:
    # given a delivery of ours, and a record that cannot be used
    reply = house.cases.post(f"/v1/deliveries/{_known(house)}/heard", BAD_HEARD[name])
    # then it is refused with what to mend
    assert refused(reply, 422)["faults"]


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'{"services": "x"}', b'{"services": [1]}', b'{"why": "Zz9Canary"}', b"{" * 90]
)
def test_a_withdrawal_in_a_bad_shape_is_refused(house: House, body: bytes) -> None:
    # given a consent of ours
    record = house.rows("SELECT record_id FROM consents")[0]["record_id"]
    # when it is withdrawn with a body that cannot be read
    refused(house.cases.post(f"/v1/consents/{record}/withdraw", body), 400, 422)
    # then it still stands
    assert {row["state"] for row in house.rows("SELECT state FROM consents")} == {"given"}


@pytest.fixture(scope="module", autouse=True)
def one_share(house: House) -> dict[str, Any]:
    """One share of ours, delivered, so that there is something to be found and nothing moving."""
    receipt = house.cases.send(a_share(HOUSING))
    house.settled()
    return receipt


def _known(house: House) -> str:
    return str(house.rows("SELECT id FROM deliveries")[0]["id"])


def test_what_belongs_to_another_partner_looks_like_what_is_not_there(house: House, one_share: dict[str, Any]) -> None:
    # given a share, consent and delivery of one partner, and another partner's client
    def asked(share: str, record: str, delivery: str) -> list[httpx.Response]:
        return [
            house.other.get(f"/v1/shares/{share}"),
            house.other.post(f"/v1/consents/{record}/withdraw", {}),
            house.other.post(f"/v1/deliveries/{delivery}/heard", _heard()),
        ]

    # when it asks for them, and for ids that nobody has
    theirs = asked(one_share["id"], one_share["consent"], _known(house))
    nobodys = asked(*(uuid.uuid4().hex for _ in range(3)))
    odd = asked("../../etc/passwd", f"'; DROP TABLE shares; -- {CANARY}", "%00")
    # then both are the same 404, byte for byte, head and body
    for one, none in zip(theirs, nobodys, strict=True):
        assert refused(one, 404)
        assert one.content == none.content
        names = set(one.headers) - {"date"}
        assert {name: one.headers[name] for name in names} == {name: none.headers[name] for name in names}
    for each in odd:
        refused(each, 404, 405)


def _bars(house: House, claims: dict[str, Any] | None = None, key: ClientKey | None = None) -> str:
    now = int(datetime.now(UTC).timestamp())
    url = f"{house.url}/fhir/R4/$process-message"
    usual = {"iss": "treatment-trust", "aud": url, "iat": now, "exp": now + 200, "jti": str(uuid.uuid4())}
    return f"Bearer {(key or house.troupe.made.receiver).sign(usual | (claims or {}))}"


def _message(event: str) -> bytes:
    header = {"resourceType": "MessageHeader", "eventCoding": {"code": event}, "source": {"name": CANARY}}
    return as_json({"resourceType": "Bundle", "type": "message", "entry": [{"resource": header}], "id": CANARY})


def test_fhir_messages_that_are_not_answers_of_a_partner_are_refused(house: House) -> None:
    # given messages without proof, with a foreign one, of another kind, and no messages at all
    response, garbage = _message("servicerequest-response"), f"garbage {CANARY}".encode()
    cases = {
        "no-token": (response, "", 401),
        "not-a-token": (response, f"Bearer {CANARY}", 401),
        "unknown-issuer": (response, _bars(house, {"iss": CANARY}), 401),
        "foreign-key": (response, _bars(house, key=ClientKey.generate("RS512")), 401),
        "other-audience": (response, _bars(house, {"aud": house.url}), 401),
        "stale": (response, _bars(house, {"iat": 1, "exp": 2}), 401),
        "too-long": (response, _bars(house, {"exp": int(datetime.now(UTC).timestamp()) + 4000}), 401),
        "a-request": (_message("servicerequest-request"), _bars(house), 422),
        "a-request-unproved": (_message("servicerequest-request"), _bars(house, key=ClientKey.generate("RS512")), 401),
        "another-event": (_message(CANARY), _bars(house), 422),
        "garbage": (garbage, _bars(house), 400),
        "empty": (b"", _bars(house), 400),
        "deep": (b"[" * 50_000, _bars(house), 400),
        "an-array": (b"[]", _bars(house), 422),
        "huge": (b'"' + b"a" * 3_000_000 + b'"', _bars(house), (400, 413)),
    }
    for name, (body, token, status) in cases.items():
        headers = {"content-type": "application/fhir+json", "x-request-id": str(uuid.uuid4())}
        # when each is sent
        reply = httpx.post(
            f"{house.url}/fhir/R4/$process-message",
            content=body,
            headers=headers | ({"authorization": token} if token else {}),
            timeout=30,
            trust_env=False,
        )
        # then it is an OperationOutcome with a code and what to do, and holds nothing that was sent
        assert reply.status_code in (status if isinstance(status, tuple) else (status,)), (name, reply.text)
        assert reply.headers["content-type"].startswith("application/fhir+json")
        assert CANARY not in reply.text
        outcome = reply.json()
        assert outcome["resourceType"] == "OperationOutcome"
        issue = outcome["issue"][0]
        assert issue["severity"] == "error"
        assert issue["details"]["coding"][0]["code"].startswith("REC_")
        assert issue["diagnostics"], name
        assert reply.headers["x-request-id"] == headers["x-request-id"]


def test_callbacks_without_a_good_proof_are_refused(house: House) -> None:
    # given a true answer's body, and a connection that takes callbacks
    body, now = as_json({"idempotencyKey": str(uuid.uuid4()), "status": CANARY}), datetime.now(UTC)
    url = f"{house.url}/v1/callbacks"
    bare = {"content-type": "application/json"}

    def post(path: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        return httpx.post(f"{url}/{path}", content=content, headers=headers, timeout=30, trust_env=False)

    # when it comes unsigned, under another secret, stale, early, oddly signed, huge, and to addresses that take none
    replies = {
        "callback-unproved": [post(HOUSING, body, bare)],
        "callback-untrusted": [
            house.callback(HOUSING, body, secret="whsec_" + "A" * 44),
            post(HOUSING, body, bare | {"webhook-id": CANARY, "webhook-timestamp": "x", "webhook-signature": "v1,x"}),
            post(HOUSING, body, bare | {"webhook-id": "a b", "webhook-timestamp": "1", "webhook-signature": CANARY}),
        ],
        "callback-expired": [house.callback(HOUSING, body, at=now - timedelta(minutes=6))],
        "callback-clock-skew": [house.callback(HOUSING, body, at=now + timedelta(minutes=6))],
        "body-too-large": [house.callback(HOUSING, b'"' + b"a" * 200_000 + b'"')],
        "not-found": [
            house.callback("no-such-connection", body),
            house.callback(TREATMENT, body),
            house.callback(CANARY, body),
            house.callback("..%2f..", body),
        ],
    }
    # then each is refused by its name
    for kind, each in replies.items():
        for reply in each:
            assert refused(reply, 401, 404, 413)["type"] == f"/problems/{kind}"


METHODS = [("GET", SHARES), ("DELETE", SHARES), ("PUT", "/v1/services"), ("POST", "/nothing/here"), ("TRACE", SHARES)]


@pytest.mark.parametrize(("method", "path"), METHODS)
def test_methods_and_addresses_that_are_not_there_are_problems_too(house: House, method: str, path: str) -> None:
    # given an address or method that the hub does not have; when it is asked, then it is a problem
    refused(house.cases.http.request(method, f"{path}?q={CANARY}", headers={"x-name": CANARY}), 404, 405)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_whatever_json_stands_in_a_share_the_hub_never_fails(house: House, data: st.DataObject) -> None:
    # given a share with any JSON in one to three of its places, and a service that nothing may go to
    share: Any = canaried() | {"services": ["no-such-service"]}
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([each for each in places(share) if each and each != ("services",)]))
        share = put(share, path, data.draw(JSON))
        if not isinstance(share, dict):
            break
    if isinstance(share, dict):
        share["services"] = ["no-such-service"]
    # when it is previewed, then it is shown or refused, never a fault of the hub's, and the canary is not in a refusal
    reply = house.cases.post("/v1/shares/preview", json.dumps(share).encode())
    assert reply.status_code in {200, 400, 422}, (reply.status_code, reply.text)
    if reply.status_code != 200:
        refused(reply, 400, 422)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_bytes_come_the_hub_never_fails(house: House, body: bytes) -> None:
    # given any bytes; when they are sent to every address that takes a body, then each refuses them
    for path in (SHARES, f"/v1/deliveries/{_known(house)}/heard"):
        refused(house.cases.post(path, body), 400, 422)
    refused(house.callback(HOUSING, body, secret="whsec_" + "B" * 44), 401)


def test_consents_may_not_be_doubled_for_one_service(house: House) -> None:
    # given two consents for one service, of which one allows more
    share = canaried()
    share["consents"] = [
        consent_of(share, HOUSING),
        consent_of(share, HOUSING) | {"reference": "c-9", "categories": []},
    ]
    # when it is sent, then it is refused, for nobody could say which one counts
    problem = refused(house.cases.post(SHARES, share), 422)
    assert problem["faults"] == [{"pointer": "/consents/1/service", "detail": "must not be used twice in one share"}]
