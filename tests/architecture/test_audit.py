"""What `make audit` says of what pip-audit says: a library that was not looked up was not cleared."""

from __future__ import annotations

import json
from typing import Any

from tests.architecture.audit import verdict


def _said(*libraries: dict[str, Any]) -> str:
    return json.dumps({"dependencies": [{"name": "one", "version": "1", **each} for each in libraries]})


def test_only_what_was_looked_up_and_has_no_known_fault_is_well() -> None:
    # given what the tool can say of two libraries / when it is judged, then nothing but a full look is well
    fault = {"vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
    assert verdict(_said({"vulns": []}, {"vulns": []}), 2)[0] == 0
    assert verdict(_said({"vulns": []}, fault), 2)[0] == 1
    assert verdict(_said({"vulns": []}), 2)[0] == 2
    assert verdict(_said({"vulns": []}, {"skip_reason": "not found"}), 2)[0] == 2
    assert verdict("no JSON", 2)[0] == 2
    assert verdict("", 2)[0] == 2
    # and a fault is named with what mends it
    assert "PYSEC-1, mended in 2" in verdict(_said(fault), 1)[1][0]
