"""The treatment connector: one page and one line for a spreadsheet to a provider's MESH mailbox, and its answer."""

from __future__ import annotations

from hub import sdk
from hub.sdk.transports.mesh import Letter, Received
from hub.sdk.transports.mesh_connector import MeshConnector, MeshSettings
from hub_treatment.documents import make_page, read_answer


class TreatmentMesh(MeshConnector[MeshSettings]):
    """Sends under our own id, which says nothing of whom or where; the answer comes under the paired workflow id."""

    settings_type = MeshSettings

    def letter(self, parcel: sdk.Parcel) -> Letter:
        """Return the page to send; its file name is our key and no more."""
        of, key = self.settings, parcel.idempotency_key
        return Letter(
            of.to_mailbox, of.workflow, key, make_page(parcel.body), "text/html; charset=utf-8", f"{key}.html"
        )

    def read(self, message: Received) -> sdk.Inbound:
        """Read the provider's answer; raises `ValueError` when it names no referral of ours."""
        return read_answer(message.id, message.body)


@sdk.hookimpl
def register_connectors(register: sdk.Register) -> None:
    """Offer the connector under the id that the manifest uses."""
    register("treatment-mesh", TreatmentMesh)
