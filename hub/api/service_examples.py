"""Examples of how services are listed, as the description of the API shows them."""

from __future__ import annotations

from typing import Any, Final

_AGREED: Final = {"agreed_by": "Housing and the partnership", "agreed_on": "2026-11-02"}
_MINUTES: Final[dict[str, Any]] = {"minutes": 15, **_AGREED}
_DAYS: Final[dict[str, Any]] = {"working_days": 3, **_AGREED}

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
            "asks_for": ["consent_to_refer"],
            "gates": [
                {
                    "id": "duty-to-refer",
                    "title": "Referral to a council's housing team",
                    "asks": [
                        {
                            "type": "gate-consent-to-refer",
                            "of": "share",
                            "facts": ["consent_to_refer"],
                            "title": "The person has not agreed to be referred to housing.",
                            "next_step": "Ask if they want this. If they do, write that down and send it again.",
                        }
                    ],
                }
            ],
            "you_may_send": True,
            "instead": [],
            "clocks": {
                "standard": {"L1": _MINUTES, "L2": _DAYS, "L3": _DAYS, "L4": _DAYS},
                "urgent": {"L3": _DAYS},
            },
            "cannot": ["They cannot house anyone tonight.", "They cannot be sent a later fact: ring them."],
            "cannot_receive": ["offending", "physical_health"],
            "follow_up": "The champion of City council",
            "waits_for_approval": False,
            "duties": "They may have to tell other council teams if a child or an adult is at risk.",
            "children": False,
        }
    ]
}

OPEN_REFERRAL: Final[dict[str, Any]] = {
    "total_items": 1,
    "total_pages": 1,
    "page_number": 1,
    "size": 1,
    "first_page": True,
    "last_page": True,
    "empty": False,
    "contents": [
        {
            "id": "8a0a4f0c-61a8-5f0e-9a53-3b7f1f0f7a10",
            "name": "City Housing Options",
            "description": "It can act on: find-somewhere-to-live. To be listed is no permission to send.",
            "status": "active",
            "assured_date": "2026-11-02",
            "alert": "They may have to tell other council teams if a child or an adult is at risk.",
            "organization": {
                "id": "3c1f…",
                "name": "City Council",
                "description": "City Council is in this partnership.",
            },
        }
    ],
}
