"""The pack keeps every rule of the conformance kit."""


def test_conformance(conformance) -> None:
    conformance.check()
