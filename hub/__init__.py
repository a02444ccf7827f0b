"""The Trusted Person Hub: one telling, sent to each service able to act, with silence always noticed."""

import os

#: Before the first model is made, in the hub and in its hosts: pydantic imports any distribution that says it is its
#: plugin, listed or not (TH08).
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
