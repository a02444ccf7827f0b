"""Each way to write a connector wrongly is found by the check that is meant to find it, with file, line and fix."""

from __future__ import annotations

import pytest

from hub.conformance.check import CHECKS, every_check
from hub.conformance.run import FIRST, trying

CONNECTOR, READING = "hub_river_trust/connector.py", "hub_river_trust/reading.py"
MANIFEST, MAPPING = "hub_river_trust/manifest.toml", "hub_river_trust/mappings/river-trust-referral/1.0.0/mapping.yaml"

SECRET_IN_URL = """url = self.settings.base_url + "/referrals?k=" + context.secrets["client_key"].splitlines()[1]"""

BROKEN = [
    (
        "takes-a-422-for-good",
        READING,
        "return Rejected(code) if 400 <= reply.status < 500 else InDoubt(code)",
        "return InDoubt(code)",
    ),
    ("holds-the-connection-on-403", READING, "{401, 403}", "{401}"),
    ("waits-the-seconds-it-is-asked", READING, "retry_after(reply, now)", "None"),
    ("survives-a-hostile-reply", READING, "except (ValueError, RecursionError):", "except UnicodeError:"),
    ("says-nothing-of-its-secrets", CONNECTOR, 'url = f"{self.settings.base_url}/referrals"', SECRET_IN_URL),
    ("prints-nothing", READING, "said = _object(reply.body)\n", "said = _object(reply.body)\n    print(said)\n"),
    (
        "finds-what-arrived-without-sending-it-twice",
        CONNECTOR,
        "case sdk.Delivered() | sdk.RetryLater(",
        "case sdk.RetryLater(",
    ),
    ("refuses-what-is-not-a-message", READING, "if not reference or not message_id:", "if not message_id:"),
    ("sends-the-exact-bytes", CONNECTOR, "read, parcel=parcel)", "read, parcel=_worse(parcel))\n\n\n    _ = None"),
    ("carries-its-key-where-the-manifest-says", MANIFEST, 'key = "Idempotency-Key"', 'key = "/reference"'),
    ("has-nothing-left-of-its-template", MANIFEST, "when it breaks", "when it fails"),
    ("imports-the-sdk-and-its-own-libraries-only", READING, "import json\n", "import json\nimport hub.store\n"),
    ("has-no-way-out-of-its-own", READING, "import json\n", "import json\nimport socket\n"),
    ("uses-the-secrets-its-manifest-names", MANIFEST, 'secrets = ["client_key"]', 'secrets = ["client_key", "other"]'),
    ("has-the-verbs-its-manifest-promises", MANIFEST, 'answers = ["callback"]', 'answers = ["poll"]'),
    ("touches-only-what-it-accepts", MANIFEST, '"goal"]', '"goal", "housing"]'),
    ("has-a-readme-that-equals-its-manifest", MANIFEST, "in_flight = 16", "in_flight = 17"),
    ("has-a-readme-in-business-words", "README.md", "## Troubleshooting", "## Notes"),
    ("passes-every-case-of-its-mapping", MAPPING, "urgent: {$?: share.urgent}", "soon: {$?: share.urgent}"),
    (FIRST, CONNECTOR, 'register("river-trust"', 'register("another"'),
    (FIRST, CONNECTOR, "from hub import sdk\n", "from hub import sdk\nimport nothing_here\n"),
]

WORSE = """

def _worse(parcel: sdk.Parcel) -> sdk.Parcel:
    from dataclasses import replace

    return replace(parcel, body=parcel.body + b" ")
"""


@pytest.mark.parametrize(("name", "file", "old", "new"), BROKEN, ids=lambda value: str(value)[:40])
def test_what_is_wrong_is_found_and_said_where(pack, change, name: str, file: str, old: str, new: str) -> None:
    # given a pack with one thing wrong
    change(file, old, new)
    if "_worse" in new:
        (pack / CONNECTOR).write_text((pack / CONNECTOR).read_text(encoding="utf-8") + WORSE, encoding="utf-8")
    # when the check that is meant for it is run
    every_check()
    with trying(str(pack)) as tried:
        result = tried.run("river-trust", CHECKS[name])
    # then it fails, with a place in the pack and something to do; a new pack may say that its rule is still to do
    assert result.state in {"failed", "to do"}, result
    assert result.where.startswith(str(pack)), result.where
    assert result.fix
