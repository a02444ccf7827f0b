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

CHECKPOINT: Final[dict[str, Any]] = {
    "after": 1704,
    "at": "2026-11-20T15:00:00.412731+00:00",
    "chain": "5d1a2f3c0b7e4c55a2b1f7f3d2a9c6e4",
    "hash": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    "position": 1711,
    "signature": "dGhpcyBpcyBub3QgYSBzaWduYXR1cmU",
}

RECEIPT: Final[dict[str, Any]] = {
    "id": "7e3c771a8b9f4898a291abc59e680f8d",
    "reference": "K7M-4QX",
    "your_reference": "DC-2026-0415",
    "consent": "383d7a369c1a4825a5d7f4cfe3a45a6f",
    "status": "open",
    "words": "This is safe with us. We are passing it on.",
    "support": {
        "words": "If this is hard, or you do not feel safe, talk to your champion, Ashley.",
        "name": "Ashley",
        "email": "champion@daycentre.example",
    },
    "deliveries": [
        {
            "id": "484820eff02a44ef944053fd0cc2fc3f",
            "consent": "5b0c1a4e9d2f4a7e8c33d0a1f6b7c8d9",
            "service": "city-housing-options",
            "name": "Housing",
            "state": "queued",
            "words": "Housing does not have this yet. It is safe with us and on its way.",
            "reply_by": "2026-11-27T17:00:00+00:00",
        }
    ],
    "refused": [_REFUSED],
    "withheld": [_WITHHELD],
    "checkpoint": CHECKPOINT,
}

PREVIEW: Final[dict[str, Any]] = {
    "reference": "K7M-4QX",
    "status": "open",
    "words": "",
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
    "duties": [
        {
            "service": "city-housing-options",
            "name": "Housing",
            "words": "They may have to tell other council teams if a child or an adult is at risk.",
        }
    ],
    "note": "We cannot spot every place. Read it as if the person who hurt them could see it.",
}

_ANSWER: Final = {
    "state": "accepted",
    "at": "2026-11-20T15:40:00+00:00",
    "source": "heard",
    "usual": True,
    "owner_missing": False,
    "reason_missing": False,
    "next_date_missing": False,
    "check_with_person": False,
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
    "words": "",
    "person_told": None,
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

SHEET: Final[dict[str, Any]] = {
    "reference": "K7M-4QX",
    "title": "What was shared for you",
    "sent": "Friday 20 November 2026",
    "words": [],
    "services": [
        {
            "name": "Housing",
            "about": [{"what": "your own words", "said": "You said this on Wednesday 18 November 2026"}],
            "back": ["Housing has said yes.", "It is with Jo, duty desk."],
        }
    ],
    "forgotten": "We will forget your story by Thursday 18 February 2027. The services keep their own notes.",
    "change_your_mind": "You can change your mind at any time, about all of this or about one service. Tell Jo.",
    "safe_to_keep": "Could someone who may harm you find this sheet? Then do not keep it. Ask to hear it read out.",
}

_BASIS_CODES: Final = {"article_6": "6(1)(a)", "article_9": "9(2)(a)", "article_10": ""}

CONSENTS: Final[dict[str, Any]] = {
    "schema": "ISO/IEC TS 27560:2023",
    "record": "383d7a369c1a4825a5d7f4cfe3a45a6f",
    "share": "7e3c771a8b9f4898a291abc59e680f8d",
    "reference": "K7M-4QX",
    "person": "0b7d0f8c5a1e4d3c9b2a6f7e8d9c0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b",
    "language": "en",
    "jurisdiction": "GB",
    "kept_in": "GB",
    "kept_until": "2027-02-18T15:00:00+00:00",
    "withdraw": "POST /v1/consents/383d7a369c1a4825a5d7f4cfe3a45a6f/withdraw",
    "parties": [
        {
            "id": "city-council",
            "name": "City council",
            "role": "recipient",
            "type": "public_body",
            "address": "1 Guildhall Street, Cambridge",
            "services": ["city-housing-options"],
            "contact": {"email": "duty@council.example", "phone": "01223 000100"},
        }
    ],
    "consents": [
        {
            "id": "5b0c1a4e9d2f4a7e8c33d0a1f6b7c8d9",
            "service": "city-housing-options",
            "name": "Housing",
            "recipient": "city-council",
            "state": "given",
            "ends_at": "2027-02-19T00:00:00+00:00",
            "terms": {
                "reference": "c-1",
                "service": "city-housing-options",
                "categories": ["identity", "contact", "housing"],
                "purpose": "find-somewhere-to-live",
                "agreed": {
                    "on": "2026-11-18",
                    "how": "spoken",
                    "able_to_decide": "yes",
                    "duties_explained": True,
                    "notice": "v3",
                    "by": "person",
                    "young_person_refused": False,
                    "best_interests": None,
                },
                "until": "2027-02-18",
                "returns": ["state", "owner", "next_step"],
                "may_see_other_recipients": False,
                "location_ok": False,
                "facts": {"consent_to_refer": True, "chosen_authority": "E07000008", "consent_to_pass_contact": True},
                "answer": "yes",
                "ticked": {},
                "replaces": None,
            },
            "basis": {
                "agreement": "ISA-2026-01",
                "assessment": "DPIA-2026-01",
                "notice": "v3",
                "sender": _BASIS_CODES,
                "receiver": _BASIS_CODES,
                "duties": "They may have to tell other council teams if a child or an adult is at risk.",
            },
            "events": [
                {
                    "state": "given",
                    "type": "explicit",
                    "at": "2026-11-20T15:00:00+00:00",
                    "valid_until": "2027-02-19T00:00:00+00:00",
                    "by": "9f0e1d2c3b4a59687766554433221100ffeeddccbbaa99887766554433221100",
                    "client": "day-centre-cases",
                }
            ],
        }
    ],
}

SUBJECT_ACCESS: Final[dict[str, Any]] = {
    "reference": "K7M-4QX",
    "sent_at": "2026-11-20T15:00:00+00:00",
    "look_first": ["Read this before you give it to anyone."],
    "words": [],
    "about_the_person": {
        "your_reference": "DC-2026-0412",
        "agreed": [{"service": "city-housing-options", "state": "given", "terms": CONSENTS["consents"][0]["terms"]}],
        "sent": [
            {
                "service": "city-housing-options",
                "delivery": "d1f0a9c47b7e4f5f9b8f2f2f4d1a7c10",
                "kind": "share",
                "state": "delivered",
                "content_type": "application/json",
                "told": [{"category": "goal", "by": "the person", "how": "heard_directly", "on": "2026-11-18"}],
                "document": '{"goals": ["A door that locks."]}',
            }
        ],
        "came_back": [
            {
                "service": "city-housing-options",
                "delivery": "d1f0a9c47b7e4f5f9b8f2f2f4d1a7c10",
                "answers": [_ANSWER],
            }
        ],
    },
    "about_somebody_else": [{"service": "family-hub", "ticked_because": "she lives with her sister"}],
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

SHARES: Final[dict[str, Any]] = {
    "shares": [
        {
            "id": "7e3c771a8b9f4898a291abc59e680f8d",
            "reference": "K7M-4QX",
            "your_reference": "DC-2026-0415",
            "sent_at": "2026-11-20T15:00:00+00:00",
        }
    ],
    "next": "7e3c771a8b9f4898a291abc59e680f8d",
}

TRUSTED_PERSON: Final[dict[str, Any]] = {"trusted_person": "tp-77", "words": "We have kept this. Nobody was told."}
FURTHER: Final[dict[str, Any]] = {
    "id": "7e3c771a8b9f4898a291abc59e680f8d",
    "reference": "K7M-4QX",
    "your_reference": "DC-2026-0415",
    "consent": "383d7a369c1a4825a5d7f4cfe3a45a6f",
    "deliveries": [
        {
            "id": "0b1f6c1e3c0f4c0f9a2e4e9f7f3a1d55",
            "service": "city-housing-options",
            "name": "Housing",
            "kind": "addendum",
            "state": "queued",
            "words": "The new part is on its way to Housing. It is safe with us.",
            "reply_by": "2026-11-23T17:00:00+00:00",
        }
    ],
    "refused": [_REFUSED],
    "withheld": [_WITHHELD],
    "ring": [
        {
            "service": "supported-housing",
            "name": "Supported housing",
            "words": "Their system cannot take this. Ring Supported housing on 01223 000200 and tell them.",
        }
    ],
}

FURTHER_PREVIEW: Final[dict[str, Any]] = {
    "reference": "K7M-4QX",
    "deliveries": [
        {
            "service": "city-housing-options",
            "name": "Housing",
            "kind": "addendum",
            "content_type": "application/json",
            "parcel": "the exact text that would be sent",
            "sections": ["s20"],
        }
    ],
    "refused": [_REFUSED],
    "withheld": [_WITHHELD],
    "ring": FURTHER["ring"],
}

PERSON_TOLD: Final[dict[str, Any]] = {"share": "7e3c771a8b9f4898a291abc59e680f8d", "person_told": "yes"}

DEATH: Final[dict[str, Any]] = {
    "share": "7e3c771a8b9f4898a291abc59e680f8d",
    "words": "We are so sorry. We have stopped everything. Your champion has been told.",
}

HEARD: Final[dict[str, Any]] = {"delivery": "484820eff02a44ef944053fd0cc2fc3f", "state": "accepted"}

HELPED: Final[dict[str, Any]] = {"delivery": "484820eff02a44ef944053fd0cc2fc3f", "how": "kept_in_touch"}

FETCHED: Final[dict[str, Any]] = {
    "deliveries": [
        {
            "id": "484820eff02a44ef944053fd0cc2fc3f",
            "attempt": 1,
            "key": "0b9a4f7e-5d2c-4f0b-8a55-8f4b5f6f2f11",
            "case": "5f0f9c1e-7a43-4a5e-9a0d-1f8d0a2b3c4d",
            "kind": "share",
            "address": "housing-options",
            "content_type": "application/json",
            "content": "eyJyZWZlcmVuY2VOdW1iZXIiOiJLN00tNFFYIn0=",
            "acknowledge_by": "2026-11-20T15:05:00+00:00",
        }
    ],
    "more": False,
}
ACKNOWLEDGED: Final[dict[str, Any]] = {"delivery": "484820eff02a44ef944053fd0cc2fc3f", "level": "L1"}

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

RING: Final[dict[str, Any]] = {
    "id": "0c0f5f0bb7b34f1c9f6a4f3e0a4b8a11",
    "state": "waiting",
    "late": False,
    "words": "We asked at 3:05pm on Friday 20 November. Nobody has picked this up yet.",
    "asked_at": "2026-11-20T15:05:00+00:00",
}

GAP: Final[dict[str, Any]] = {**RING, "need": "find-somewhere-to-live", "area": "E07000008", "told": "Alex"}

SAFETY: Final[dict[str, Any]] = {
    "safeguarding": {
        "words": "This has NOT made a safeguarding referral.",
        "ring": [{"name": "Adults at risk (MASH)", "phone": "01223 000911", "when": "weekdays 9am to 5pm"}],
        "safety_lane": "/v1/safety-lane",
    },
    **RING,
}
