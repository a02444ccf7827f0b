"""Log lines carry ids and codes only: canaries in every place a value could hide never come out."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from hub import logs

CANARIES = ("Sam Rivers", "07700 900123", "sofas since the summer", "9434765919", "sam@example.org", "Zoë")


@pytest.fixture
def read() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Configure logging into memory, as `hub serve` does, and put everything back afterwards."""
    stream = io.BytesIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logs.configure(stream)

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield lines
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_an_event_keeps_its_name_level_time_and_ids(read) -> None:
    # when the hub says something, as its modules do
    structlog.get_logger().info("host.started", connection="city-housing", pid=7, held="landlock")

    # then a line holds just that
    (line,) = read()
    assert line.pop("at").endswith("Z")
    expected = {"event": "host.started", "level": "info", "connection": "city-housing", "pid": 7, "held": "landlock"}
    assert line == expected


def test_an_unknown_key_is_dropped_and_counted(read) -> None:
    structlog.get_logger().warning("share.kept", share="a1b2", person="P-1001", story="a story")

    (line,) = read()
    assert (line["share"], line["dropped"]) == ("a1b2", 2)
    assert {"person", "story"}.isdisjoint(line)


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("key", sorted(logs.ALLOWED_KEYS - {"event", "level", "at", "dropped"}))
def test_a_sentence_in_an_allowed_key_is_withheld(read, key, canary) -> None:
    structlog.get_logger().error("delivery.failed", **{key: canary})

    (line,) = read()
    assert line[key] == logs.WITHHELD
    assert canary not in json.dumps(line)


@pytest.mark.parametrize("canary", CANARIES)
def test_words_in_place_of_an_event_name_are_withheld(read, canary) -> None:
    structlog.get_logger().error(f"could not send {canary}")

    (line,) = read()
    assert line["event"] == logs.WITHHELD
    assert canary not in json.dumps(line)


@pytest.mark.parametrize("canary", CANARIES)
def test_an_exception_leaves_its_type_and_nothing_else(read, canary) -> None:
    # given an error whose text and local variables hold what a person said
    story = canary
    try:
        int(story, base=2)
    except ValueError:
        # when it is logged with its trace, by the hub or by a library
        structlog.get_logger().exception("courier.look_failed")
        logging.getLogger("some.library").exception("cannot parse %s", story)

    # then both lines name the type alone
    ours, theirs = read()
    assert (ours["error"], theirs["error"]) == ("ValueError", "ValueError")
    assert (theirs["event"], theirs["logger"]) == ("library.said", "some.library")
    assert canary not in json.dumps([ours, theirs])


def test_a_library_warns_without_its_words_and_is_silent_below_a_warning(read) -> None:
    logging.getLogger("httpx").info("HTTP Request: POST https://council.example/people/Sam")
    logging.getLogger("httpx").warning("retrying Sam")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("Sam is deprecated", stacklevel=1)

    found = read()
    assert [line["logger"] for line in found] == ["httpx", "py.warnings"]
    assert "Sam" not in json.dumps(found)


def test_lists_and_objects_are_judged_as_text(read) -> None:
    structlog.get_logger().info("share.kept", share=["a", "Sam Rivers"], count=3, seconds=0.5, service=None)

    (line,) = read()
    assert (line["share"], line["count"], line["seconds"], line["service"]) == (logs.WITHHELD, 3, 0.5, None)
