"""The answer page: where a team with no system of its own reads what was shared with it, and answers (R64)."""
