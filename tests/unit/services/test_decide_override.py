"""R23: without the policy nobody's share goes without a yes; with it, only what it says and two people ask for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.override import NEVER, OverridePolicy, Second
from hub.domain.route import Champion, Directory, Safeguarding
from hub.domain.share import Category, Choice, Override, Share
from hub.domain.trusted_person import Link
from hub.services.decide import Sender, Verdict, decide
from tests.scenery import HOUSING, NOW, TREATMENT, directory, sample_share

BASIS, ROLE = "DPA-2018-Sch1-18", "safeguarding lead"
POLICY = OverridePolicy(
    BASIS,
    frozenset({HOUSING}),
    frozenset({Category.IDENTITY, Category.GOAL}),
    frozenset({ROLE}),
    date(2026, 11, 2),
    "DPIA-7",
)
PLAIN = directory()
SENDER = Sender(PLAIN.partners["day-centre"], "day-centre-system", "worker-1", "key worker")
LEAD = Champion("lead", "Morgan", "lead@example.org", "partnership")


def adopted(policy: OverridePolicy | None = POLICY) -> Directory:
    return replace(PLAIN, safeguarding=Safeguarding(LEAD, (), policy))


def without_a_yes(**changes: object) -> Share:
    asked = Override(BASIS, [Category.IDENTITY, Category.GOAL])
    share = replace(sample_share(), consents=[], services=[HOUSING], at_risk_now=True, override=asked)
    return replace(share, **changes)  # type: ignore[arg-type]


def of(share: Share, sender: Sender, where: Directory, link: Link | None = None) -> Verdict:
    (verdict,) = decide(share, sender, where, NOW, link=link or Link())
    return verdict


TWO = replace(SENDER, second=Second("worker-2", ROLE))

asks = st.builds(
    Override, st.sampled_from([BASIS, "other"]), st.lists(st.sampled_from(Category), max_size=18, unique=True)
)
seconds = st.one_of(
    st.none(),
    st.builds(Second, st.sampled_from(["worker-1", "worker-2"]), st.sampled_from([ROLE, ROLE.upper(), "key worker"])),
)


@given(st.one_of(st.none(), asks), seconds, st.booleans(), st.sampled_from([HOUSING, TREATMENT]))
@settings(max_examples=200, deadline=None)
def test_r23_override_without_the_policy_no_share_without_a_yes_ever_goes(
    asked: Override | None, second: Second | None, at_risk: bool, service: str
) -> None:
    # given whatever a share may ask for and whoever signs it, and a partnership that adopted no policy
    share = without_a_yes(override=asked, at_risk_now=at_risk, services=[service])
    # when it is decided, then it is refused as if it had not asked
    for where in (PLAIN, adopted(None)):
        verdict = of(share, replace(SENDER, second=second), where)
        assert verdict == of(replace(share, override=None), SENDER, where)
        assert [each.type for each in verdict.refusals] == ["consent-absent"]


@given(
    st.one_of(st.none(), asks),
    seconds,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([HOUSING, TREATMENT]),
    st.sampled_from([date(2026, 11, 2), date(2026, 11, 21)]),
)
@settings(max_examples=400, deadline=None)
def test_r23_override_goes_only_where_every_condition_holds(
    asked: Override | None,
    second: Second | None,
    at_risk: bool,
    looks_safe: bool,
    marked: bool,
    service: str,
    agreed_on: date,
) -> None:
    # given a policy, and every way of asking for it
    choice = Choice("outreach", nothing_suggests_unsafe=looks_safe)
    share = without_a_yes(override=asked, at_risk_now=at_risk, services=[service], choice=choice)
    where = adopted(replace(POLICY, agreed_on=agreed_on))
    # when it is decided
    verdict = of(share, replace(SENDER, second=second), where, Link(not_safe=marked))
    # then it goes where all of them hold at once, and nowhere else
    holds = (
        asked is not None
        and asked.basis == BASIS
        and not POLICY.categories.isdisjoint(asked.categories)
        and second is not None
        and second.author != "worker-1"
        and second.role.casefold() == ROLE
        and (at_risk, looks_safe, marked) == (True, True, False)
        and service == HOUSING
        and agreed_on <= NOW.date()
    )
    assert (verdict.refusals == ()) == holds
    if holds:
        assert asked is not None
        assert verdict.view is not None
        assert {each.category for each in verdict.view.sections} <= POLICY.categories & set(asked.categories)


def test_r23_override_is_the_least_of_what_is_asked_agreed_and_accepted() -> None:
    # given a policy that names everything, a share that asks for everything, and a connection that takes three
    every = replace(POLICY, categories=frozenset(Category))
    where = adopted(every)
    takes = frozenset({Category.IDENTITY, Category.LOCATION, Category.ABOUT_SOMEONE_ELSE, Category.OFFENDING})
    connections = {**where.connections, "housing": replace(where.connections["housing"], accepts=takes)}
    # when it is decided
    asked = Override(BASIS, list(Category))
    verdict = of(without_a_yes(override=asked), TWO, replace(where, connections=connections))
    # then where they are, someone else's story and offending stay behind all the same
    assert verdict.view is not None
    assert {each.category for each in verdict.view.sections} == {Category.IDENTITY}
    assert verdict.override is not None
    assert verdict.override.categories.isdisjoint(NEVER)


def test_r23_override_is_never_weighed_where_the_person_was_asked() -> None:
    # given a share in which the person said no to the very service
    share = without_a_yes()
    no = replace(next(each for each in sample_share().consents if each.service == HOUSING), answer="no")
    # when two people ask for an override beside it
    verdict = of(replace(share, consents=[no]), TWO, adopted())
    # then the no is what counts
    assert [each.type for each in verdict.refusals] == ["consent-refused"]
    assert verdict.override is None
