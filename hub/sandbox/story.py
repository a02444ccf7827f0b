"""The demo's story: seven shares from one day centre, played against real partner processes, scene by scene."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.sandbox.case_system import load_share
from hub.sandbox.sectors import CHILDREN, DISTRICT, OFFICE, PROBATION, TREATMENT
from hub.sandbox.stage import Stage, StageError, wait_for
from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour

Say = Callable[[str], None]

#: Monday's working day is over: one working day after the Friday on which the story begins (R43).
AFTER_ONE_WORKING_DAY = datetime(2026, 11, 23, 17, 0, 30, tzinfo=UTC)


@dataclass(slots=True)
class Play:
    """One run: what was sent, and what the scenes need of each other."""

    stage: Stage
    say: Say
    receipts: list[dict[str, Any]] = field(default_factory=list)

    def send(self, name: str) -> dict[str, Any]:
        """Send one of the demo's shares and keep its receipt."""
        return self.send_this(load_share(name))

    def send_this(self, share: dict[str, Any]) -> dict[str, Any]:
        """Send a share and keep its receipt."""
        receipt = self.stage.cases.send(share)
        self.receipts.append(receipt)
        self.say(f"  The worker gets the reference {receipt['reference']}, the same one everyone will see")
        return receipt

    def delivery(self, receipt: dict[str, Any], service: str) -> dict[str, Any]:
        """Read one delivery of a share as the case system sees it now."""
        report = self.stage.cases.read(receipt["id"])
        return next(each for each in report["deliveries"] if each["service"] == service)

    def wait_for(self, receipt: dict[str, Any], service: str, what: str, **wanted: str) -> dict[str, Any]:
        """Wait until a delivery is as wanted, and tell it in the hub's own words."""

        def look() -> dict[str, Any] | None:
            found = self.delivery(receipt, service)
            return found if all(found[name] == value for name, value in wanted.items()) else None

        found: dict[str, Any] = wait_for(what, look)
        self.say(f"  {found['words']}")
        return found

    def wait_for_webhook(self, receipt: dict[str, Any], service: str) -> None:
        """Wait until the hub has told the case system of an answer (R36)."""

        def look() -> bool:
            told = [each["data"] for each in self.stage.heard_back() if each["type"] == "delivery.answered"]
            return any(each["share"] == receipt["id"] and each["service"] == service for each in told)

        wait_for("the answer to reach the case system", look)


def told_once(play: Play) -> None:
    """A day centre's worker tells one person's story once, for housing and for health"""
    receipt = play.send("told_once")
    found = play.wait_for(receipt, "city-housing-options", "housing to say yes", answer="accepted")
    _require(bool(found["owner"]), "housing names who owns it")
    play.wait_for(receipt, "county-treatment", "the treatment service to have it", state="delivered", level="L2")
    key = _key_of(play.stage.health, receipt)
    play.stage.health.say(key=key, decision="accepted", owner="Intake team, County Treatment")
    play.wait_for(receipt, "county-treatment", "the treatment service to decide", answer="accepted")
    for service in ("city-housing-options", "county-treatment"):
        play.wait_for_webhook(receipt, service)
    play.say("  Both answers are in the worker's own case system, with nothing new to log in to")


def no_answer(play: Play) -> None:
    """A second share gets no answer; the champion is told, and then the service rings back"""
    stage = play.stage
    stage.supported.behave(Behaviour.SILENT)
    receipt = play.send("no_answer")
    found = play.wait_for(receipt, "supported-housing", "supported housing to have it", state="delivered")
    play.say("  It is Friday, 15:00. Nobody answers. Moving the demo's clock to Monday evening")
    stage.move_time(AFTER_ONE_WORKING_DAY)
    wait_for("the champion's email", lambda: _mails(stage, receipt, "champion@daycentre.example"))
    wait_for("the receiving champion's email", lambda: _mails(stage, receipt, "champion@council.example"))
    mail = _mails(stage, receipt, "champion@daycentre.example")[0]
    play.say(f"  Email to the champion: {mail['subject']}")
    _require("Alex" not in mail["raw"] and "shelter" not in mail["raw"], "the email tells no story")
    _require(len(_mails(stage, receipt, "champion@daycentre.example")) == 1, "the champion gets one email, not two")
    play.say("  The service rings back, and the worker writes down what was said")
    stage.cases.record_heard(
        found["id"],
        state="accepted",
        how="phone",
        on="2026-11-23",
        told_to="the front desk",
        said_by="The team leader",
        owner="Team leader, supported housing",
        next_date="2026-11-25",
    )
    found = play.wait_for(receipt, "supported-housing", "the clock to stop", answer="accepted")
    _require(not found["overdue"], "the clock stops")
    stage.supported.behave(Behaviour.PROMPT)


def withdrawn(play: Play) -> None:
    """A third is withdrawn between acceptance and sending: nothing is sent"""
    stage = play.stage
    before = len(stage.housing.entries())
    stage.command("connection", "hold", "city-housing-options")
    play.say("  The way to housing is on hold for a moment, so that the share waits")
    receipt = play.send("withdrawn")
    _require(play.delivery(receipt, "city-housing-options")["state"] == "held", "the share waits")
    reply = stage.cases.withdraw(receipt["consent"])
    play.say(f"  The person changes their mind. {reply['stopped'][0]['words']}")
    stage.command("connection", "resume", "city-housing-options")
    play.wait_for(receipt, "city-housing-options", "the share to stay stopped", state="cancelled")
    _require(len(stage.housing.entries()) == before, "housing got nothing")


def one_refused(play: Play) -> None:
    """A fourth has no consent for one of two services: that one is refused, the other goes"""
    receipt = play.send("one_refused")
    _require(len(receipt["refused"]) == 1 and len(receipt["deliveries"]) == 1, "one goes and one is refused")
    refused = receipt["refused"][0]
    play.say(f"  {refused['title']} {refused['next_step']}")
    play.wait_for(receipt, "city-housing-options", "housing to say yes", answer="accepted")
    _require(not _arrived(play.stage.health, receipt), "the treatment service got nothing")


def receiver_down(play: Play) -> None:
    """A fifth meets a receiver that is down, then up: it is delivered once"""
    stage = play.stage
    stage.housing.stop()
    play.say("  Housing's system is down")
    receipt = play.send("receiver_down")
    play.wait_for(receipt, "city-housing-options", "a first try to fail", state="retrying")
    stage.housing.start()
    play.say("  Housing's system is back")
    play.wait_for(receipt, "city-housing-options", "housing to say yes", state="delivered", answer="accepted")
    _require_one_effect(stage.housing, receipt)


def receiver_crashes(play: Play) -> None:
    """A sixth hits a receiver that crashes after reading: the outcome is in doubt, found out, and not doubled"""
    stage = play.stage
    stage.housing.behave(Behaviour.CRASHING, times=1)
    receipt = play.send("receiver_crashes")
    stage.housing.wait()
    play.say("  Housing's system read the share, then crashed before it could answer")
    play.wait_for(receipt, "city-housing-options", "the hub to be in doubt", state="in_doubt")
    stage.housing.start()
    play.wait_for(receipt, "city-housing-options", "the hub to find out", state="delivered")
    _require_one_effect(stage.housing, receipt)
    stage.housing.say(key=_key_of(stage.housing, receipt), status="ACCEPTED", outcomeReason="PRIORITY_NEED")
    play.wait_for(receipt, "city-housing-options", "housing to say yes", answer="accepted")


def every_way(play: Play) -> None:
    """A seventh goes to four services, each reached by a way of its own"""
    stage, share = play.stage, load_share("every_way")
    sectors = stage.sectors
    if sectors is None:
        raise StageError("the other sectors are not on this stage")
    has_mesh = sectors.start_mesh()
    if not has_mesh:
        play.say("  MESH's sandbox cannot be had on this machine, so treatment is left out this time")
        share["consents"] = [each for each in share["consents"] if each["service"] != TREATMENT]
    receipt = play.send_this(share)
    (parcel,) = wait_for("the district's own system to fetch its parcel", sectors.district.fetch)
    sectors.district.answer(parcel, state="accepted", owner="Duty officer", next_date="2026-11-26")
    play.say("  The district's housing team cannot be called: its system fetched the parcel, and answers")
    play.wait_for(receipt, DISTRICT, "the district to say yes", answer="accepted")
    wait_for("the probation office's email", lambda: _mails(stage, receipt, OFFICE))
    _require("Robin" not in _mails(stage, receipt, OFFICE)[0]["raw"], "the email names nobody")
    sectors.answer_on_the_page(receipt["reference"], "yes")
    play.say("  Probation has a mailbox alone: it followed a link, typed its code and answered on a page")
    play.wait_for(receipt, PROBATION, "probation to say yes", answer="accepted", level="L3")
    sectors.children.say(key=_key_of(sectors.children, receipt), outcomes=["NEW_REFERRAL"], team="Assessment team")
    play.wait_for(receipt, CHILDREN, "the front door to decide", level="L3")
    if has_mesh:
        play.wait_for(receipt, TREATMENT, "MESH to take it", state="delivered")
        wait_for(
            "the provider's desk to read it", lambda: receipt["reference"].encode() in sectors.arrived()[TREATMENT]
        )
        play.say("  Treatment has a MESH mailbox: its desk read a page there, and put a file back")
        _let_it_look(play, receipt)
        play.wait_for(receipt, TREATMENT, "treatment to say yes", answer="accepted")


def _let_it_look(play: Play, receipt: dict[str, Any]) -> None:
    """Let five minutes of the demo's clock go by, in which the hub looks into its MESH mailbox; more, if it must."""

    def answered() -> bool:
        return bool(play.delivery(receipt, TREATMENT)["answer"] == "accepted")

    for _ in range(6):
        play.stage.move_time(play.stage.time() + timedelta(minutes=5))
        with suppress(StageError):
            wait_for("the hub to find the file", answered, 2.0)
            return


SCENES = (told_once, no_answer, withdrawn, one_refused, receiver_down, receiver_crashes, every_way)


def perform(stage: Stage, say: Say) -> Play:
    """Play every scene; raises `StageError` naming the scene and what did not happen."""
    play = Play(stage, say)
    for number, scene in enumerate(SCENES, 1):
        title = (scene.__doc__ or "").strip()
        say(f"\n{number}. {title}")
        try:
            scene(play)
        except StageError as error:
            raise StageError(f"scene {number} ({title}): {error}") from error
    return play


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise StageError(f"it should be so that {what}, and it is not")


def _arrived(partner: SandboxProcess, receipt: dict[str, Any]) -> list[Any]:
    reference = receipt["reference"].encode()
    return [entry for entry in partner.entries() if reference in entry.body]


def _key_of(partner: SandboxProcess, receipt: dict[str, Any]) -> str:
    found = wait_for("the share in the partner's ledger", lambda: _arrived(partner, receipt))
    return str(found[0].key)


def _require_one_effect(partner: SandboxProcess, receipt: dict[str, Any]) -> None:
    # A note about its own answer bears the same reference, and is another parcel.
    share = _key_of(partner, receipt)
    effects = sum(entry.effect for entry in _arrived(partner, receipt) if entry.key == share)
    _require(effects == 1, f"housing acted on it once, not {effects} times")


def _mails(stage: Stage, receipt: dict[str, Any], to: str) -> list[dict[str, Any]]:
    return [mail for mail in stage.mails() if to in mail["to"] and receipt["reference"] in mail["subject"]]
