"""The speakable reference: survives a telephone, a typist and bad luck, and says nothing of anyone."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.errors import Malformed
from hub.domain.reference import ALPHABET, make, parse, spoken

randomness = st.binary(min_size=8, max_size=16)
ALIKE = ["0O", "1IL", "UV", "2Z", "5S", "6G", "8B", "MN", "FS", "TDPB", "KJ", "CZ"]


@given(randomness)
def test_r74_a_reference_has_its_shape_and_reads_back(rand: bytes) -> None:
    reference = make(rand)
    assert len(reference) == 7
    assert reference[3] == "-"
    assert set(reference) <= set(ALPHABET) | {"-"}
    assert parse(reference) == reference
    assert make(rand) == reference


def test_r74_the_alphabet_has_no_two_that_look_or_sound_alike() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert not set(ALPHABET) & set("01ILOUVAE")
    for group in ALIKE:
        assert len(set(group) & set(ALPHABET)) <= 1


@given(randomness, st.randoms(use_true_random=False))
def test_r74_case_spaces_and_dashes_do_not_matter(rand: bytes, chance: random.Random) -> None:
    # given a reference typed in any case, with any breaks between its symbols
    reference = make(rand)
    typed = "".join(
        chance.choice([symbol.lower(), symbol]) + chance.choice(["", " ", "-", "\u2013", "\u2011", "\u00a0", "\u2212"])
        for symbol in reference
    )
    # then it is still the same reference
    assert parse(f" {typed}\n") == reference


@pytest.mark.parametrize(
    "text", ["", "K7M-4Q", "K7M-4QXX", "K7M-4Q0", "K7M-4QO", "K7M_4QX", "K7M4Q\x00", "<b>", "-" * 6]
)
def test_what_is_not_a_reference_is_refused_with_a_next_step(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(text)
    assert caught.value.refusal.type == "reference-malformed"
    assert "K7M-4QX" in caught.value.refusal.next_step


@given(st.text(max_size=12))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        assert parse(parse(text)) == parse(text)
    except Malformed:
        return


@pytest.mark.parametrize("rude", ["FCK", "WTF", "KKK", "666", "T4T"])
def test_r74_no_reference_holds_a_rude_word(rude: str) -> None:
    # given the very bytes that would spell it, at each place in the reference
    for place in range(4):
        symbols = ("2" * place + rude + "2" * 6)[:6]
        number = sum(ALPHABET.index(symbol) * len(ALPHABET) ** n for n, symbol in enumerate(symbols))
        # then another reference comes out
        assert rude not in make(number.to_bytes(8)).replace("-", "")


def test_r74_references_are_spread_evenly() -> None:
    # given 50,000 references
    chance = random.Random(74)
    made = [make(chance.randbytes(8)) for _ in range(50_000)]
    # then collisions are as rare as chance has them (26 expected), and each symbol comes as often as the next
    assert len(made) - len(set(made)) < 60
    counts = [sum(reference.count(symbol) for reference in made) for symbol in ALPHABET]
    assert max(counts) / min(counts) < 1.1


def test_too_little_randomness_is_refused() -> None:
    with pytest.raises(ValueError, match="8 random bytes"):
        make(b"1234567")


def test_r74_it_can_be_said() -> None:
    assert spoken("k7m 4qx") == "Kilo seven Mike, four Quebec X-ray"
    for symbol in ALPHABET:
        assert spoken(symbol * 6).split()[0]
