"""Bad proof: a token, an assertion or a key that is not as it must be opens nothing, and leaves nothing behind."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OctKey

from hub.security.assertions import ClientKey, client_assertion
from tests.acceptance.caller import LEFT_OUT, as_json
from tests.acceptance.house import House
from tests.acceptance.refusals import (
    CANARY,
    SHARES,
    canaried,
    heard,
    refused,
)

pytestmark = pytest.mark.usefixtures("nothing_stored")


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
        sent = {} if path.endswith("withdraw") else heard()
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
