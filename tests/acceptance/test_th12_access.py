"""TH12: every operation is tried as everybody, and nobody is let in for whom it is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.access import ACTORS, ALL, EMPTY, SHUT_OUT, TABLE, Actors, is_refused, operations, with_everybody
from tests.acceptance.house import Troupe, open_house


@pytest.fixture(scope="module")
def actors(troupe: Troupe, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Actors]:
    """A hub with one share that nobody has answered, and everybody who may ask something of it."""
    folder = tmp_path_factory.mktemp("access") / "instance"
    with open_house(folder, troupe, edit=with_everybody) as house:
        found = Actors(house)
        found.gather()
        yield found
        found.close()


def test_th12_for_every_operation_it_is_said_who_may(actors: Actors) -> None:
    # given every route that there is / then the table says for whom each is, and names none that is gone
    assert operations(actors.house) == set(TABLE)


def test_th12_nobody_is_let_in_for_whom_an_operation_is_not(actors: Actors) -> None:
    # given every operation with everybody for whom it is not
    tries = [(actor, operation) for operation, who in TABLE.items() for actor in ACTORS if actor not in who]
    assert len(tries) > 400

    # when each is tried, with every proof that they have
    let_in = [each for each in tries if not actors.is_shut_out(*each)]

    # then none is let in: not even to hear what is wrong with what they sent
    assert let_in == []


def test_th12_whoever_may_is_let_in(actors: Actors) -> None:
    # given every operation with those for whom it is, what changes things last / then each is let in
    order = sorted(TABLE, key=lambda each: (not each.startswith("GET"), "death" in each, each))
    order = [each for each in order if each not in EMPTY and "sign-out" not in each]
    tries = [(actor, each) for each in order if TABLE[each] != ALL for actor in ACTORS if actor in TABLE[each]]
    assert [each for each in tries if is_refused(actors.ask(*each))] == []


def test_th12_who_was_shut_out_looks_like_nobody(actors: Actors) -> None:
    # given each screen of the console
    screens = [each for each in TABLE if each.startswith("GET /console")]
    assert screens

    # when it is asked for by somebody whose session is over, or who was shut out, or left / then it is as for anybody
    for screen in screens:
        nobody = actors.ask("nobody", screen)
        for actor in SHUT_OUT:
            reply = actors.ask(actor, screen)
            assert (reply.status_code, reply.content) == (nobody.status_code, nobody.content)
            assert reply.headers.get("location") == nobody.headers.get("location")
