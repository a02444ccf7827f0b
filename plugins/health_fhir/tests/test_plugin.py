"""The pack as a plugin: found by its entry point, registered by pluggy, and light to import."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

import pluggy
from hub_health_fhir.closed_loop import FhirTask
from hub_health_fhir.connector import BarsConnector
from hub_health_fhir.gp_mesh import GpMesh

from hub.sdk.connector import PROJECT, Hooks


def test_the_entry_point_registers_the_connector_under_the_manifests_id() -> None:
    # given
    [found] = entry_points(group="hub.connectors", name="health-fhir")
    plugins = pluggy.PluginManager(PROJECT)
    plugins.add_hookspecs(Hooks)
    offered: dict[str, Any] = {}
    # when
    plugins.register(found.load())
    plugins.check_pending()
    plugins.hook.register_connectors(register=offered.__setitem__)
    # then
    assert offered == {"bars": BarsConnector, "gp-mesh": GpMesh, "fhir-task": FhirTask}


def test_the_connector_loads_neither_the_fhir_models_nor_a_server() -> None:
    # given: a fresh interpreter, as a host is
    heavy = {"fhir", "starlette", "httpx", "uvicorn"}
    code = f"import sys, hub_health_fhir.connector; print(sorted({heavy} & set(sys.modules)))"
    # when
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # then
    assert loaded.stdout.strip() == "[]"
