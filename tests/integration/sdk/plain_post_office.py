"""The kit's own MESH with a partner behind it that repeats the key of what it got."""

from __future__ import annotations

from hub.sdk.testing.mesh import PostOffice, Written
from hub.sdk.testing.sandbox import Sandbox
from hub.sdk.testing.serve import Surroundings, run


def make(around: Surroundings) -> Sandbox:
    return PostOffice(around, lambda post, _: Written(post.local_id.encode(), "text/plain")).sandbox


if __name__ == "__main__":
    run(make)
