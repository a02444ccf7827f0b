"""A service with a mailbox and no system of its own: e-mail and the answer page."""
