"""Planning: what a connection would refuse for ever is refused while the worker can still put it right."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

from tests.scenery import HOUSING, TREATMENT, Scene


def test_a_parcel_over_its_connection_s_limit_is_refused_at_once(scene: Scene) -> None:
    # given a connection that takes exactly as much as this parcel, and one that takes a byte less
    whole = scene.plan("key-1")
    weight = {each.route.connection.id: len(each.body) for each in whole.parcels}
    limits = {"housing": weight["housing"], "treatment": weight["treatment"] - 1}
    scene = copy(scene)
    connections = {name: replace(each, body_bytes=limits[name]) for name, each in scene.directory.connections.items()}
    scene.directory = replace(scene.directory, connections=connections)
    # when
    planned = scene.plan("key-1")
    # then
    assert [each.route.service.id for each in planned.parcels] == [HOUSING]
    (refused,) = planned.refused
    assert (refused.service_id, [each.type for each in refused.refusals]) == (TREATMENT, ["parcel-too-large"])
