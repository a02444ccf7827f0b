"""A manifest that breaks a rule says which key, in words that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.conformance.scaffold import make_pack
from hub.sdk.manifest import read_manifest

KEY = 'key = "Idempotency-Key"'


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (KEY, f'where = "body", {KEY}', "idempotency.where: is no key of a manifest: plugins/README.md lists them"),
        (f"{KEY}, ", "", "connectors.river-trust.idempotency.key: is missing"),
        ('transport = "rest"', 'transport = "pigeon"', "connectors.river-trust.transport: Input should be 'rest',"),
    ],
)
def test_each_key_that_is_wrong_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    # given a manifest with one thing wrong
    file = make_pack("river-trust", "rest", tmp_path) / "hub_river_trust/manifest.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    # when it is read
    with pytest.raises(ValueError, match="connectors") as told:
        read_manifest(file)
    # then the key is named, and nothing of the library that reads it
    assert says in str(told.value)
    assert "pydantic" not in str(told.value)
