"""A share and the refusals about it: who it is addressed to, and errors that say what to do without an echo."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.errors import Conflict, Fault, HubError, Malformed, NotFound, Refusal
from hub.domain.outcome import Delivered, RetryLater
from hub.domain.share import Consent, Share

names = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=6)


@given(names, st.none() | names)
def test_r13_addressed_once_each_in_the_order_given(
    share: Share, consent: Consent, consented: list[str], services: list[str] | None
) -> None:
    # given consents for some services, and perhaps services named
    told = replace(share, consents=[replace(consent, service=name) for name in consented], services=services)
    # then those named decide, and the consents only where none are named
    named = services if services is not None else consented
    assert set(told.addressed) == set(named)
    assert list(told.addressed) == sorted(set(named), key=named.index)


def test_what_was_told_cannot_be_changed(share: Share) -> None:
    with pytest.raises(FrozenInstanceError):
        share.urgent = True  # type: ignore[misc]


@pytest.mark.parametrize("kind", [Malformed, NotFound, Conflict])
def test_an_error_carries_its_refusal_and_prints_only_its_type(kind: type[HubError]) -> None:
    refusal = Refusal(
        "reference-taken", "You have sent this before.", "Look at the one you sent.", pointer="/reference"
    )
    error = kind(refusal, (Fault("/reference", "must be new"),))
    assert str(error) == "reference-taken"
    assert error.refusal is refusal
    assert error.faults[0].pointer == "/reference"


def test_an_outcome_is_a_value() -> None:
    assert Delivered("r1") == Delivered("r1")
    assert RetryLater("busy").counts
    assert RetryLater("busy", counts=False) != RetryLater("busy")
