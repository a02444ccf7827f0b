"""TH05 and R13: thousands of hostile shares are planned, and no parcel ever holds what was not agreed for it."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

from hub.domain.share import Category, Share
from hub.services.decide import Sender
from hub.services.plan import derive_ids, plan
from tests.acceptance.house import House
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT

#: `make fuzz` makes many more.
SHARES = int(os.environ.get("FUZZ_SHARES", "2000"))
SHARE: TypeAdapter[Share] = TypeAdapter(Share)
MARK = re.compile(r"zq[0-9a-f]{6}z")
#: What each connector's manifest may be sent: written down here again, so that a wider manifest fails this test.
HOUSING_MAY = {"identity", "contact", "in_their_words", "goal", "approach", "housing", "plan_reference"}
MAY = {
    HOUSING: HOUSING_MAY,
    SUPPORTED: HOUSING_MAY,
    TREATMENT: {
        *("identity", "contact", "in_their_words", "goal", "approach", "plan_reference"),
        *("physical_health", "mental_health", "substance_use"),
    },
}
#: Fields that say where someone is, whatever section they stand in (R62).
PLACES = ("address", "postcode", "town", "hostel_name", "address_line_1", "workplace", "where_staying", "latitude")
FIELDS = (
    *("given_name", "family_name", "name", "birth_date", "nhs_number", "phone", "email", "safe_to_call", "text_ok"),
    *("times", "code_phrase", "not_safe_to_talk_to", "reason", "route", "goal", "substances", "unknown_field", "note"),
)
#: What must be said of a way to make contact before it goes (R65).
SAFE_WHERE = {"phone": ("safe_to_call", "text_ok"), "email": ("email_ok",)}
PURPOSES = {HOUSING: "find-somewhere-to-live", SUPPORTED: "keep-my-tenancy", TREATMENT: "start-treatment"}


class Teller:
    """Tells one share at random, and remembers where each marked value stands."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.place: dict[str, tuple[int, str]] = {}  #: mark -> (section, field), -1 for the frame around the sections
        self._count = 0

    def mark(self, section: int, field: str = "") -> str:
        """A value that stands nowhere else."""
        self._count += 1
        value = f"zq{self._count:06x}z"
        self.place[value] = (section, field)
        return value

    def share(self) -> dict[str, Any]:
        """A share for one to three services, in any order, with any sections."""
        chance = self.random
        sections = [self._section(index) for index in range(chance.randint(0, 12))]
        services = chance.sample(sorted(PURPOSES), chance.randint(1, 3))
        return {
            "reference": "R-1",
            "person": {"reference": "P-1"},
            "trusted_person": {
                "reference": "tp-1",
                "kind": "person",
                "name": "Trusted one",
                "contact": {"role": "Front desk", "email": "desk@example.org", "phone": "01223 000000"},
                "can_see": [self.mark(-1)],
            },
            "choice": {"discussed_with": self.mark(-1), "nothing_suggests_unsafe": True},
            "at_risk_now": chance.random() < 0.2,
            "sections": sections,
            "consents": [self._consent(index, service) for index, service in enumerate(services)],
        }

    def _section(self, index: int) -> dict[str, Any]:
        chance = self.random
        category = chance.choice([None, *[str(each) for each in Category], "identity", "contact", "housing", "goal"])
        names = chance.sample((*FIELDS, *PLACES), chance.randint(0, 8))
        fields = {name: self._value(index, name) for name in names}
        if category == "identity":
            fields |= {name: self.mark(index, name) for name in ("given_name", "family_name")}
        if category == "housing" and chance.random() < 0.8:
            fields["reason"] = "threatened_with_homelessness_56_days"
        if category == "contact" and chance.random() < 0.5:
            fields |= {"text_ok": chance.choice(["yes", "no", "unknown"]), "phone": self.mark(index, "phone")}
            fields |= {"email_ok": chance.choice(["yes", "no"]), "email": self.mark(index, "email")}
        said = {"by": self.mark(index), "how": "heard_directly", "on": "2026-11-18"}
        return {
            "id": f"s{index}",
            "category": category,
            "fields": fields,
            "text": self.mark(index) if chance.random() < 0.7 else "",
            "said": said if chance.random() < 0.7 else None,
        }

    def _value(self, index: int, name: str) -> Any:
        chance = self.random
        kind = chance.random()
        if kind < 0.6:
            return self.mark(index, name)
        if kind < 0.8:
            return [self.mark(index, name) for _ in range(chance.randint(0, 3))]
        return chance.choice([True, False, 0, 17, ""])

    def _consent(self, index: int, service: str) -> dict[str, Any]:
        chance = self.random
        every = [str(each) for each in Category]
        categories = chance.sample(every, chance.randint(1, len(every)))
        if chance.random() < 0.7:
            categories = sorted({*categories, "identity", "housing", "contact"})
        return {
            "reference": f"c-{index}",
            "service": service,
            "categories": categories,
            "purpose": PURPOSES[service],
            "agreed": {
                "on": "2026-11-18",
                "how": "spoken",
                "able_to_decide": "yes",
                "duties_explained": True,
                "notice": "v3",
            },
            "until": "2027-02-18",
            "returns": [],
            "location_ok": chance.random() < 0.3,
            "ticked": {each: self.mark(-1) for each in ("about_someone_else", "offending") if chance.random() < 0.5},
            "facts": {
                "consent_to_refer": True,
                "chosen_authority": "E07000008",
                "consent_to_pass_contact": True,
                "something_else": self.mark(-1),
            },
        }


def allowed(share: dict[str, Any], service: str, section: int, field: str) -> bool:
    """Whether the person agreed that this service sees this part; worked out here from the share alone."""
    consent = next(each for each in share["consents"] if each["service"] == service)
    if section < 0:
        return False
    told = share["sections"][section]
    if told["category"] not in consent["categories"] or told["category"] not in MAY[service]:
        return False
    if field in SAFE_WHERE:
        said = [told["fields"].get(each) for each in SAFE_WHERE[field]]
        return told["category"] == "contact" and any(each == "yes" or each is True for each in said)
    return consent["location_ok"] or field not in PLACES


def test_th05_no_parcel_holds_what_was_not_agreed(new_house: Callable[..., House]) -> None:
    # given the hub's own directory and mappings, and shares with a mark in every string
    hub = new_house().hub
    sender = Sender(hub.directory.partners["riverside"], "riverside-cases", "worker-7")
    parcels = refused = marks = 0
    reached: set[str] = set()

    for seed in range(SHARES):
        teller = Teller(seed)
        document = teller.share()
        share = SHARE.validate_python(document)
        # when the plan is made, twice, as preview and submit make it
        ids = derive_ids(hub.vault, "riverside", f"fuzz-{seed}")
        made = plan(share, sender, ids, hub.directory, hub.library, hub.now.business(), hub.calendar)
        refused += len(made.refused)
        for parcel in made.parcels:
            # then every mark in the parcel's bytes stands in a part that this service may see
            service = parcel.route.service.id
            found = MARK.findall(json.dumps(json.loads(parcel.body), ensure_ascii=False))
            wrong = [teller.place[mark] for mark in found if not allowed(document, service, *teller.place[mark])]
            assert not wrong, (seed, service, wrong)
            parcels += 1
            marks += len(found)
            reached |= {str(document["sections"][teller.place[mark][0]]["category"]) for mark in found}

    # and the shares were not all refused, nor the parcels empty: the search saw what it was looking for
    assert parcels > SHARES / 4
    assert refused > 100
    assert marks > parcels * 4
    assert reached >= HOUSING_MAY
