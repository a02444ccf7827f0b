"""The HTTP API: one module a resource; every error is problem+json with a next step (RFC 9457)."""
