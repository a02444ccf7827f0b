"""The Trusted Person Hub: one telling, sent to each service able to act, with silence always noticed."""
