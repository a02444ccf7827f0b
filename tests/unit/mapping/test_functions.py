"""The named functions: each by example through a mapping, and none ever raises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.mapping.functions import date_of, date_uk, functions, nhs_number, said_line

Run = Callable[[str], Any]


@pytest.mark.parametrize(
    ("expression", "gives"),
    [
        ("join(', ', section.in_their_words[].id)", "s2, s3"),
        ("join(', ', [sender.ods, sender.name, share.urgent])", "Riverside, false"),
        ("join(', ', section.money)", None),
        ("concat('urn:uuid:', delivery.key)", "urn:uuid:7f0e1f1e-6a3c-4b58-9b0e-0a44f4a7a001"),
        ("concat('tel:', trusted_person.contact.phone)", None),
        ("coalesce(section.money, sender.ods, sender.name)", "Riverside"),
        ("coalesce(share.urgent, 'x')", False),
        ("not_null(sender.ods, 'x')", "x"),
        ("first(section.in_their_words[].text)", "A door that locks."),
        ("first(section.in_their_words)", {"id": "s2", "text": "A door that locks."}),
        ("upper(share.ask)", "ACT"),
        ("lower(share.reference)", "k7m-4qx"),
        ("length(section.in_their_words)", 2),
        ("length(section.money)", 0),
        ("contains(section.in_their_words[].id, 's3')", True),
        ("contains(sender.name, 'side')", True),
        ("contains(section.housing[].fields.nights, share.urgent)", False),
        ("starts_with(consent.facts.chosen_authority, 'E07')", True),
        ("to_list(share.ask)", ["act"]),
        ("to_text(share.urgent)", "false"),
        ("to_text(section.housing[0].fields.nights)", "0"),
        ("text_of(section.in_their_words)", "A door that locks.\n\nNot somebody new every week."),
        ("lookup('reason', section.housing[0].fields.reason)", "HOMELESS"),
        ("lookup('reason', section.housing[0].fields.reason, 'title')", "Sleeping rough"),
        ("lookup('reason', share.ask)", None),
        ("lookup('reason', `7`)", "SEVEN"),
        ("lookup('reason', '7', 'title')", None),
        ("date_uk(consent.agreed_on)", "18 November 2026"),
        ("date_uk(share.ask)", None),
        ("date_of(delivery.reply_by)", "2026-11-27"),
        ("date_of('2026-07-31T23:30:00+00:00')", "2026-08-01"),
        ("add_zone(consent.until)", "2027-02-18T00:00:00+00:00"),
        ("add_zone('2026-07-01')", "2026-07-01T00:00:00+01:00"),
        ("add_zone('2026-07-01T09:30:00')", "2026-07-01T09:30:00+01:00"),
        ("add_zone(share.sent_at)", "2026-11-20T15:00:00+00:00"),
        ("utc('2026-07-01T09:30:00')", "2026-07-01T08:30:00Z"),
        ("end_of_day('2026-07-01')", "2026-07-01T23:59:59+01:00"),
        ("nhs_number(section.identity[0].fields.nhs_number)", "9434765919"),
        ("said_line(section.goal[0])", "Told to the worker by the person, heard directly, on 18 November 2026"),
        ("said_line(section.identity[0])", None),
        ("said_line(section.in_their_words) | length(@)", 2),
        # the published example of RFC 9562, appendix A.4
        ("uuid5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')", "2ed6657d-e927-568b-95e1-2665a8aea6a2"),
        ("uuid5('case', '1') == uuid5(uuid5('6ba7b811-9dad-11d1-80b4-00c04fd430c8', 'case'), '1')", True),
        ("uuid5(delivery.key, sender.ods)", None),
    ],
)
def test_each_function_by_example(run: Run, expression: str, gives: Any) -> None:
    # given an expression over the view, when it is an optional leaf, then this is sent, or it is left out
    document = run(f'{{a: {{$?: "{expression}"}}, b: 1}}')
    got = document.get("a")
    if isinstance(gives, dict):
        got = {key: got[key] for key in gives}
    assert got == gives
    assert type(got) is type(gives)


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ("heard_directly", "Told to the worker by Sam, heard directly, on 1 December 2026"),
        ("passed_on", "Told to the worker by Sam, passed on from someone else, on 1 December 2026"),
        ("observed", "Noted by Sam from what they saw, on 1 December 2026"),
        ("guessed", None),
    ],
)
def test_r39_a_line_says_who_said_it_how_it_is_known_and_when(how: str, line: str | None) -> None:
    assert said_line({"said": {"by": "Sam", "how": how, "on": "2026-12-01"}}) == line


def test_who_said_it_is_never_read_as_a_pattern() -> None:
    # given a name with braces in it, when the line is made, then it is shown as it is
    assert said_line({"said": {"by": "{how} {0}", "how": "observed", "on": "2026-12-01"}}) == (
        "Noted by {how} {0} from what they saw, on 1 December 2026"
    )


@given(st.integers(0, 999_999_999))
def test_an_nhs_number_has_one_right_check_digit_at_most(stem: int) -> None:
    # given nine digits, when each check digit is tried, then one passes, or none where Modulus 11 gives 10
    passing = [digit for digit in range(10) if nhs_number(f"{stem:09d}{digit}")]
    check = 11 - sum(int(figure) * (10 - place) for place, figure in enumerate(f"{stem:09d}")) % 11
    assert passing == ([] if check == 10 else [check % 11])


@pytest.mark.parametrize("text", ["943 476 5919", "943-476-5919", " 9434765919 "])
def test_an_nhs_number_is_read_as_people_write_it(text: str) -> None:
    assert nhs_number(text) == "9434765919"


@pytest.mark.parametrize(
    "text", ["9434765918", "943476591", "94347659190", "\u0669" * 10, "", None, 9434765919, "x" * 10]
)
def test_what_is_not_an_nhs_number_is_nothing(text: object) -> None:
    assert nhs_number(text) is None


@given(st.dates())
def test_a_date_is_written_with_no_leading_zero(day: date) -> None:
    written = date_uk(day.isoformat())
    assert written is not None
    number, month, year = written.split()
    assert (int(number), int(year)) == (day.day, day.year)
    assert month == day.strftime("%B")
    assert not written.startswith("0")


@given(st.datetimes(timezones=st.just(None)).filter(lambda moment: 2 < moment.year < 9998), st.integers(-720, 720))
def test_the_day_of_an_instant_does_not_depend_on_how_its_zone_is_written(moment: Any, minutes: int) -> None:
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    here = moment + timedelta(minutes=minutes)
    assert date_of(f"{moment.isoformat()}+00:00") == date_of(f"{here.isoformat()}{sign}{hours:02d}:{rest:02d}")


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["0001-01-01", "9999-12-31T23:59:59-14:00", "2026-11-18", "0001-01-01T00:00:00+14:00"]),
    ),
    lambda inside: st.one_of(
        st.lists(inside, max_size=4),
        st.dictionaries(st.sampled_from(["text", "said", "by", "how", "on"]), inside, max_size=4),
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", sorted(name for name in functions({}) if name != "lookup"))
def test_no_function_raises_or_changes_what_it_is_given(name: str, data: st.DataObject) -> None:
    # given any values, with text where the grammar asks for a literal
    function = functions({})[name]
    values = [
        data.draw(st.text(max_size=5) if position in function.literals else ANYTHING)
        for position in range(min(function.most, 3))
    ]
    before = repr(values)
    # when called, then it gives something without raising
    function.call(*values)
    assert repr(values) == before
