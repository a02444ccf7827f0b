"""The broker: carries nudges, never shares; everything it loses is found again in the rows."""
