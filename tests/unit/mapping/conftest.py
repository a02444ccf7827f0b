"""What the mapping tests share: a folder of mappings on disk, and a view of one share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.mapping import Mapping, load_mapping

HEAD = "document: demo\nversion: 1.0.0\ncontent_type: application/json\ncodes: {reason: reasons}\ntemplate:\n"
CODES = """\
# source: made up
# version: 1
# date: 2026-11-20
code,word,title
rough_sleeping,HOMELESS,Sleeping rough
7,SEVEN,
"""


@pytest.fixture
def codes(tmp_path: Path) -> Path:
    """Return a folder with one code list, `reasons`."""
    folder = tmp_path / "codes"
    folder.mkdir()
    (folder / "reasons.csv").write_text(CODES, encoding="utf-8")
    return folder


@pytest.fixture
def write(tmp_path: Path, codes: Path) -> Callable[[str], Path]:
    """Return a writer of a mapping file; it takes the template, indented or in braces, and gives the folder."""

    def write(template: str, head: str = HEAD) -> Path:
        folder = tmp_path / "demo" / "1.0.0"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "mapping.yaml").write_text(f"{head}  {template}\n", encoding="utf-8")
        return folder

    return write


@pytest.fixture
def load(write: Callable[[str], Path], codes: Path) -> Callable[[str], Mapping]:
    """Return a loader of a mapping from its template."""

    def load(template: str) -> Mapping:
        return load_mapping(write(template), codes)

    return load


@pytest.fixture
def view() -> dict[str, Any]:
    """Return a minimised view as submit makes it, with four categories."""
    said = {"by": "the person", "how": "heard_directly", "on": "2026-11-18"}
    return {
        "section": {
            "identity": [
                {
                    "id": "s1",
                    "fields": {"given_name": "Sam", "family_name": "Rivers", "nhs_number": "943 476 5919"},
                    "text": "",
                    "said": None,
                }
            ],
            "in_their_words": [
                {"id": "s2", "fields": {}, "text": "A door that locks.", "said": said},
                {"id": "s3", "fields": {}, "text": "Not somebody new every week.", "said": said},
            ],
            "housing": [{"id": "s4", "fields": {"reason": "rough_sleeping", "nights": 0}, "text": "", "said": said}],
            "goal": [{"id": "s5", "fields": {}, "text": "A place of my own.", "said": said}],
        },
        "share": {
            "reference": "K7M-4QX",
            "ask": "act",
            "urgent": False,
            "sent_at": "2026-11-20T15:00:00+00:00",
            "sent_on": "2026-11-20",
        },
        "delivery": {
            "key": "7f0e1f1e-6a3c-4b58-9b0e-0a44f4a7a001",
            "case": "7f0e1f1e-6a3c-4b58-9b0e-0a44f4a7a002",
            "kind": "share",
            "reply_by": "2026-11-27T17:00:00+00:00",
            "reply_on": "2026-11-27",
        },
        "trusted_person": {
            "reference": "tp-77",
            "kind": "place",
            "name": "Riverside day centre",
            "contact": {"role": "Front desk", "email": "front.desk@daycentre.example", "phone": ""},
        },
        "consent": {
            "reference": "c-1",
            "purpose": "find-somewhere-to-live",
            "agreed_on": "2026-11-18",
            "how": "spoken",
            "able_to_decide": "yes",
            "until": "2027-02-18",
            "notice": "v3",
            "facts": {"chosen_authority": "E07000008", "consent_to_refer": True},
        },
        "service": {"id": "housing", "name": "City housing options", "address": "https://housing.example"},
        "sender": {"id": "riverside", "name": "Riverside", "ods": "", "address": "", "kind": "charity"},
    }


@pytest.fixture
def run(load: Callable[[str], Mapping], view: dict[str, Any]) -> Callable[[str], Any]:
    """Return a runner of a template over the view, giving the document as Python values."""

    def run(template: str) -> Any:
        return json.loads(load(template).run(view))

    return run
