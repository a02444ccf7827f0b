"""What each reply looks like: examples for /openapi.json, held to the real replies by a test."""

from __future__ import annotations

from typing import Any, Final

_REFUSED: Final = {
    "service": "county-treatment",
    "type": "consent-absent",
    "title": "They have not agreed to share with this service.",
    "next_step": "Ask if they want this service to know.",
    "pointer": "/consents",
}
_WITHHELD: Final = {
    "service": "city-housing-options",
    "pointer": "/sections/6",
    "why": "not-agreed",
    "words": "They did not agree to share this here.",
}

RECEIPT: Final[dict[str, Any]] = {
    "id": "7e3c771a8b9f4898a291abc59e680f8d",
    "reference": "K7M-4QX",
    "your_reference": "DC-2026-0415",
    "consent": "383d7a369c1a4825a5d7f4cfe3a45a6f",
    "deliveries": [
        {
            "id": "484820eff02a44ef944053fd0cc2fc3f",
            "service": "city-housing-options",
            "name": "Housing",
            "state": "queued",
            "words": "Housing does not have this yet. It is safe with us and on its way.",
            "reply_by": "2026-11-27T17:00:00+00:00",
        }
    ],
    "refused": [_REFUSED],
    "withheld": [_WITHHELD],
}

PREVIEW: Final[dict[str, Any]] = {
    "reference": "K7M-4QX",
    "deliveries": [
        {
            "service": "city-housing-options",
            "name": "Housing",
            "content_type": "application/json",
            "parcel": "the exact text that would be sent",
            "sections": ["s1", "s2"],
        }
    ],
    "refused": [_REFUSED],
    "withheld": [_WITHHELD],
    "note": "We cannot spot every place. Before you send it, read it as if someone who might harm them could see it.",
}

_ANSWER: Final = {
    "state": "accepted",
    "at": "2026-11-20T15:40:00+00:00",
    "source": "heard",
    "usual": True,
    "owner_missing": False,
    "reason_missing": False,
    "held_back": [],
    "owner": "Duty officer",
    "text": "",
    "reason": "",
    "stage": "",
    "next_step": "They ring on Monday.",
    "next_date": "2026-11-23",
    "told": {"to": "Jo at the front desk", "by": "The duty officer", "how": "phone", "on": "2026-11-20"},
}

REPORT: Final[dict[str, Any]] = {
    "id": "7e3c771a8b9f4898a291abc59e680f8d",
    "reference": "K7M-4QX",
    "your_reference": "DC-2026-0415",
    "consent": "383d7a369c1a4825a5d7f4cfe3a45a6f",
    "status": "answered",
    "sent_at": "2026-11-20T15:00:00+00:00",
    "deliveries": [
        {
            "id": "484820eff02a44ef944053fd0cc2fc3f",
            "service": "city-housing-options",
            "name": "Housing",
            "kind": "share",
            "state": "delivered",
            "answer": "accepted",
            "level": "L3",
            "words": "Housing has said yes.",
            "owner": "Duty officer",
            "since": "2026-11-20T15:40:00+00:00",
            "reply_by": None,
            "overdue": False,
            "answers": [_ANSWER],
        }
    ],
}

WITHDRAWN: Final[dict[str, Any]] = {
    "share": "7e3c771a8b9f4898a291abc59e680f8d",
    "stopped": [{"service": "supported-housing", "words": "Supported housing will not get this."}],
    "tried": [],
    "already_sent": [
        {
            "service": "city-housing-options",
            "words": "Housing has this. We cannot take it back. We are asking them to stop using it.",
        }
    ],
}

HEARD: Final[dict[str, Any]] = {"delivery": "484820eff02a44ef944053fd0cc2fc3f", "state": "accepted"}

SERVICES: Final[dict[str, Any]] = {
    "services": [
        {
            "id": "city-housing-options",
            "name": "Housing",
            "organisation": "City council",
            "purposes": ["find-somewhere-to-live", "keep-my-tenancy"],
            "area": "E07000008",
            "phone": "01223 000100",
            "can_receive": ["contact", "housing", "identity"],
            "asks_for": ["consent_to_refer", "chosen_authority", "consent_to_pass_contact"],
        }
    ]
}

TOKEN: Final[dict[str, Any]] = {"access_token": "eyJ…", "token_type": "Bearer", "expires_in": 600, "scope": "share"}

TOKEN_REFUSED: Final[dict[str, Any]] = {
    "error": "invalid_client",
    "error_description": "the client assertion has run out",
}

PROBLEM: Final[dict[str, Any]] = {
    "type": "/problems/body-malformed",
    "title": "Some of this cannot be read.",
    "status": 422,
    "next_step": "Mend each part named below and send it again.",
    "origin": "sender",
    "faults": [{"pointer": "/reference", "detail": "is missing"}],
}
