"""Telling champions by e-mail and case systems by webhook, without telling the story (R45)."""
