"""Ways to reach a partner that several connectors share: signed clients, and how long to wait."""
