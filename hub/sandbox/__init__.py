"""A case system and the demo's story; partner sandboxes live in their packs."""
