"""Keys, encryption at rest, and proof of who is calling: clients, authors, partners' callbacks and our own webhooks."""
