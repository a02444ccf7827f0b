"""The probation pack: an office that a person named, or, where it is turned on, the team that has them."""
