"""The connector to a GP practice: one document in an ITK3 message to its MESH mailbox, and its acknowledgements."""

from __future__ import annotations

import json

from hub.sdk import Inbound, Parcel
from hub.sdk.transports.mesh import Letter, Received
from hub.sdk.transports.mesh_connector import MeshConnector, MeshSettings
from hub_health_fhir.callbacks import dig
from hub_health_fhir.itk3 import read_acknowledgement


class GpMesh(MeshConnector[MeshSettings]):
    """Sends the message as it is, under our own key; acknowledgements come under the paired workflow id."""

    settings_type = MeshSettings

    def letter(self, parcel: Parcel) -> Letter:
        """Return the message to send; one that does not bear its key is refused, as nothing could acknowledge it."""
        of, key = self.settings, parcel.idempotency_key
        try:
            named = dig(json.loads(parcel.body), "id")
        except RecursionError:
            raise ValueError("nested too deep") from None
        if named != key:
            raise ValueError("the message is not named by its key")
        return Letter(of.to_mailbox, of.workflow, key, parcel.body, parcel.content_type, f"{key}.json")

    def read(self, message: Received) -> Inbound:
        """Read an ITK3 acknowledgement; raises `ValueError` for anything else."""
        return read_acknowledgement(message.id, message.body)
