"""Callbacks: each of the four ways takes its partner's own proof, once, and refuses everything else by value."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from standardwebhooks.webhooks import Webhook

from hub.domain.errors import Unauthenticated
from hub.security.assertions import ClientKey
from hub.security.callbacks import Callback, CallbackKeys, Kind, verify_callback
from hub.security.tokens import Seen
from hub.security.webhooks import new_secret, sign_webhook

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
AT = int(NOW.timestamp())
BODY = b'{"reference":"0192","answer":"accepted"}'
OURS = "https://hub.example/v1/callbacks/mind"
SECRET = new_secret()
KEY = ClientKey.generate()
WEBHOOK_KEYS = CallbackKeys(secrets=(SECRET,))
JWT_KEYS = CallbackKeys(jwks=KEY.jwks(), issuer="mind", audience=OURS)


def refusal(check: Callable[[], object]) -> str:
    """The type of the refusal that a check ends in; the partner's side is where it is mended."""
    with pytest.raises(Unauthenticated) as raised:
        check()
    assert raised.value.refusal.origin == "receiver"
    return raised.value.refusal.type


def webhook(now: datetime = NOW, secret: str = SECRET, body: bytes = BODY, **headers: str) -> Callback:
    """A rightly signed webhook, some headers changed (underscores for hyphens)."""
    signed = sign_webhook("msg_1", body, [secret], now)
    return Callback("mind", {**signed, **{name.replace("_", "-"): value for name, value in headers.items()}}, body)


def bearer_jwt(**changed: object) -> Callback:
    """A request with a partner's signed bearer token, some claims changed, None for absent."""
    claims = {"iss": "mind", "aud": OURS, "iat": AT, "exp": AT + 300, "jti": "one", **changed}
    token = KEY.sign({name: value for name, value in claims.items() if value is not None})
    return Callback("mind", {"authorization": f"Bearer {token}"}, BODY)


def test_a_webhook_signed_by_the_standards_library_is_taken(seen: Seen) -> None:
    # given what a partner signs with the public library, when it arrives, then its own id comes out
    signature = Webhook(SECRET).sign("msg_p2", NOW, BODY.decode())
    headers = {"webhook-id": "msg_p2", "webhook-timestamp": str(AT), "webhook-signature": signature}
    assert verify_callback("standard-webhooks", Callback("mind", headers, BODY), WEBHOOK_KEYS, NOW, seen) == "msg_p2"


def test_what_the_hub_signs_the_standards_library_takes() -> None:
    # given a notice signed with two active secrets, when a receiver verifies with either, then both agree
    other = new_secret()
    now = datetime.now(UTC)
    headers = sign_webhook("notice-1", BODY, [SECRET, other], now)
    for secret in (SECRET, other):
        assert Webhook(secret).verify(BODY, headers) == json.loads(BODY)


@pytest.mark.parametrize("secrets", [[], ["plain"], ["whsec_c2hvcnQ="], ["whsec_***"]])
def test_the_hub_signs_with_proper_secrets_only(secrets: list[str]) -> None:
    # given no secret or a poor one, when a notice is signed, then it is refused before anything is sent
    with pytest.raises(ValueError, match=r"secret|base64|[Bb]ase64|Non-base64|padding"):
        sign_webhook("notice-1", BODY, secrets, NOW)


def test_a_webhook_can_be_signed_with_any_secret_in_use(seen: Seen) -> None:
    # given two secrets while rotating, when either signs, then it is taken; a third is not
    old, new = new_secret(), new_secret()
    keys = CallbackKeys(secrets=("", "whsec_", "not base64!", old, new))
    both = sign_webhook("msg_2", BODY, [new_secret(), new], NOW)
    assert verify_callback("standard-webhooks", webhook(secret=old), keys, NOW, seen) == "msg_1"
    assert verify_callback("standard-webhooks", Callback("mind", both, BODY), keys, NOW, seen) == "msg_2"
    stranger = webhook(secret=new_secret())
    assert refusal(lambda: verify_callback("standard-webhooks", stranger, keys, NOW, seen)) == "callback-untrusted"


@pytest.mark.parametrize(
    ("away", "outcome"),
    [(-301, "callback-expired"), (-300, None), (300, None), (301, "callback-clock-skew")],
)
def test_a_webhook_lasts_five_minutes_either_way(seen: Seen, away: int, outcome: str | None) -> None:
    # given a rightly signed webhook from that many seconds away, when it arrives, then the window decides
    callback = webhook(NOW + timedelta(seconds=away))
    if outcome is None:
        assert verify_callback("standard-webhooks", callback, WEBHOOK_KEYS, NOW, seen) == "msg_1"
    else:
        assert refusal(lambda: verify_callback("standard-webhooks", callback, WEBHOOK_KEYS, NOW, seen)) == outcome


def test_a_replayed_webhook_is_refused_and_another_attempt_is_not(seen: Seen) -> None:
    # given a webhook that was taken, when the very same comes again, then it is a replay (TH11)
    assert verify_callback("standard-webhooks", webhook(), WEBHOOK_KEYS, NOW, seen) == "msg_1"
    assert refusal(lambda: verify_callback("standard-webhooks", webhook(), WEBHOOK_KEYS, NOW, seen)) == (
        "callback-replayed"
    )
    # when its sender tries again later under the same id, then it passes with that id, for the inbox to know
    later = NOW + timedelta(seconds=5)
    assert verify_callback("standard-webhooks", webhook(later), WEBHOOK_KEYS, later, seen) == "msg_1"
    # and the same message to another connection is that connection's own
    elsewhere = replace(webhook(), connection="shelter")
    assert verify_callback("standard-webhooks", elsewhere, WEBHOOK_KEYS, NOW, seen) == "msg_1"


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook_id": ""},
        {"webhook_timestamp": ""},
        {"webhook_signature": ""},
        {"webhook_id": "a.b"},
        {"webhook_id": "x" * 121},
        {"webhook_id": "msg 1"},
        {"webhook_timestamp": "nan"},
        {"webhook_timestamp": "inf"},
        {"webhook_timestamp": "-1"},
        {"webhook_timestamp": "1_0_0_0_0_0_0_0_0_0"},
        {"webhook_timestamp": f"{AT}.5"},
        {"webhook_timestamp": f" {AT}"},
        {"webhook_timestamp": "9" * 400},
        {"webhook_timestamp": "99999999999"},
        {"webhook_timestamp": "١٢٣٤٥٦٧٨٩٠"},
        {"webhook_signature": "v1"},
        {"webhook_signature": "v1,"},
        {"webhook_signature": ",,,,"},
        {"webhook_signature": "v1,not base64"},
        {"webhook_signature": "v1,é"},
        {"webhook_signature": "v1a,AAAA"},
        {"webhook_signature": " ".join(["v1,AAAA"] * 5000)},
    ],
)
def test_a_malformed_header_is_refused_by_value(seen: Seen, headers: dict[str, str]) -> None:
    # given one malformed header, when it arrives, then it is a refusal and never a fault of the hub
    callback = webhook(**headers)
    found = refusal(lambda: verify_callback("standard-webhooks", callback, WEBHOOK_KEYS, NOW, seen))
    assert found in {"callback-unproved", "callback-untrusted"}


def test_a_body_that_is_not_text_is_refused(seen: Seen) -> None:
    # given bytes that no JSON message has, when they arrive under a good header, then they are refused
    callback = replace(webhook(), body=b"\xff\xfe\x00")
    assert refusal(lambda: verify_callback("standard-webhooks", callback, WEBHOOK_KEYS, NOW, seen)) == (
        "callback-untrusted"
    )


def test_no_altered_webhook_is_believed(seen: Seen) -> None:
    # given a good webhook, when any one character of any header, or byte of the body, is changed, ten ways each
    good = webhook()
    chance = random.Random(5)
    tried = 0
    for name, value in good.headers.items():
        for place in range(len(value)):
            for code in chance.sample([code for code in range(32, 127) if chr(code) != value[place]], 10):
                altered = value[:place] + chr(code) + value[place + 1 :]
                callback = replace(good, headers={**good.headers, name: altered})
                # then it proves nothing
                refusal(lambda c=callback: verify_callback("standard-webhooks", c, WEBHOOK_KEYS, NOW, seen))
                tried += 1
    for place in range(len(BODY)):
        for flip in chance.sample(range(1, 256), 10):
            body = BODY[:place] + bytes([BODY[place] ^ flip]) + BODY[place + 1 :]
            refusal(lambda b=body: verify_callback("standard-webhooks", replace(good, body=b), WEBHOOK_KEYS, NOW, seen))
            tried += 1
    assert tried > 1000
    # and the original is not used up by them
    assert verify_callback("standard-webhooks", good, WEBHOOK_KEYS, NOW, seen) == "msg_1"


def test_a_signed_bearer_token_is_taken_once(seen: Seen) -> None:
    # given a partner's token for our address, when it comes twice, then the second is a replay
    identity = verify_callback("jwt", bearer_jwt(), JWT_KEYS, NOW, seen)
    assert identity == f"sha256:{hashlib.sha256(BODY).hexdigest()}"
    assert refusal(lambda: verify_callback("jwt", bearer_jwt(), JWT_KEYS, NOW, seen)) == "callback-replayed"
    # and the same message under a fresh token has the same id, for the inbox to know
    assert verify_callback("jwt", bearer_jwt(jti="two"), JWT_KEYS, NOW, seen) == identity


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"iss": "shelter"}, "callback-untrusted"),
        ({"aud": OURS + "2"}, "callback-untrusted"),
        ({"aud": None}, "callback-untrusted"),
        ({"jti": None}, "callback-untrusted"),
        ({"exp": None}, "callback-untrusted"),
        ({"exp": AT + 301}, "callback-untrusted"),
        ({"exp": AT}, "callback-expired"),
        ({"iat": AT + 61}, "callback-clock-skew"),
        ({"body_sha256": hashlib.sha256(b"other").hexdigest()}, "callback-untrusted"),
    ],
)
def test_a_bearer_token_with_one_thing_wrong_is_refused(seen: Seen, changed: dict[str, object], code: str) -> None:
    # given a token with one claim wrong, when it arrives, then the refusal names it
    assert refusal(lambda: verify_callback("jwt", bearer_jwt(**changed), JWT_KEYS, NOW, seen)) == code


def test_a_connection_without_keys_believes_nobody(seen: Seen) -> None:
    # given a connection whose keys were never set, when proofs arrive, then each way refuses
    asked: list[tuple[Kind, Callback]] = [
        ("standard-webhooks", webhook()),
        ("jwt", bearer_jwt(iss="")),
        ("bearer", Callback("mind", {"authorization": "Bearer x"}, BODY)),
        ("mutual-tls", Callback("mind", {"client-cert": ":AAAA:"}, BODY, "127.0.0.1")),
    ]
    for kind, callback in asked:
        found = refusal(lambda k=kind, c=callback: verify_callback(k, c, CallbackKeys(), NOW, seen))
        assert found == "callback-untrusted"


def test_a_partner_without_a_name_is_nobody(seen: Seen) -> None:
    # given a connection whose issuer was left empty, when a token with an empty issuer comes, then it is refused
    keys = replace(JWT_KEYS, issuer="")
    assert refusal(lambda: verify_callback("jwt", bearer_jwt(iss=""), keys, NOW, seen)) == "callback-untrusted"


@pytest.mark.parametrize("kind", ["jwt", "bearer"])
@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic abc"}, {"authorization": "Bearer"}])
def test_no_bearer_is_no_proof(seen: Seen, kind: Kind, headers: dict[str, str]) -> None:
    # given no bearer token, when it arrives, then there is no proof
    keys = replace(JWT_KEYS, secrets=("token",))
    assert refusal(lambda: verify_callback(kind, Callback("mind", headers, BODY), keys, NOW, seen)) == (
        "callback-unproved"
    )


@pytest.mark.parametrize(("token", "taken"), [("old", True), ("new", True), ("", False), ("né", False), ("ne", False)])
def test_a_shared_token_must_be_one_in_use(seen: Seen, token: str, taken: bool) -> None:
    # given two tokens in use, when one arrives, then only exactly one of them is taken
    callback = Callback("mind", {"authorization": f"Bearer {token}"}, BODY)
    keys = CallbackKeys(secrets=("old", "new", ""))
    if taken:
        assert verify_callback("bearer", callback, keys, NOW, seen).startswith("sha256:")
    else:
        assert refusal(lambda: verify_callback("bearer", callback, keys, NOW, seen)).startswith("callback-un")


@pytest.fixture(scope="module")
def certificate() -> x509.Certificate:
    """A partner's client certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mind")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return builder.sign(key, hashes.SHA256())


def test_a_certificate_counts_from_our_proxy_only(seen: Seen, certificate: x509.Certificate) -> None:
    # given a partner's certificate in both forms that proxies send
    der = certificate.public_bytes(Encoding.DER)
    forms = [f":{base64.b64encode(der).decode()}:", quote(certificate.public_bytes(Encoding.PEM).decode())]
    printed = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    keys = CallbackKeys(fingerprints=(printed,), proxies=("10.1.0.0/24", "::1/128"))
    for form in forms:
        callback = Callback("mind", {"client-cert": form}, BODY, "10.1.0.9")
        # when it comes through the proxy, then it counts
        assert verify_callback("mutual-tls", callback, keys, NOW, seen).startswith("sha256:")
        # when anybody else sends the same header, or claims to be the proxy, then it does not
        for peer in ("10.1.1.9", "", "testclient", "2001:db8::1"):
            stranger = replace(callback, peer=peer, headers={**callback.headers, "x-forwarded-for": "10.1.0.9"})
            assert refusal(lambda c=stranger: verify_callback("mutual-tls", c, keys, NOW, seen)) == (
                "callback-untrusted"
            )
        # and another certificate through the proxy does not either
        other = replace(keys, fingerprints=("00" * 32,))
        assert refusal(lambda c=callback, k=other: verify_callback("mutual-tls", c, k, NOW, seen)) == (
            "callback-untrusted"
        )


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "callback-unproved"),
        (":::", "callback-untrusted"),
        (":%%%:", "callback-untrusted"),
        ("%ff", "callback-untrusted"),
        ("é", "callback-untrusted"),
        ("-----BEGIN CERTIFICATE-----", "callback-untrusted"),
    ],
)
def test_a_malformed_certificate_header_is_refused_by_value(seen: Seen, header: str, code: str) -> None:
    # given our proxy, when its header is empty or broken, then it is a refusal and never a fault of the hub
    keys = CallbackKeys(fingerprints=("00" * 32,), proxies=("127.0.0.0/8",))
    callback = Callback("mind", {"client-cert": header}, BODY, "127.0.0.1")
    assert refusal(lambda: verify_callback("mutual-tls", callback, keys, NOW, seen)) == code


def test_keys_are_not_printed() -> None:
    # given keys with a secret, when they are printed in a log or traceback, then the secret is not shown
    assert SECRET not in repr(WEBHOOK_KEYS)
