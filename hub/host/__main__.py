"""Starts a host: `python -I -B -m hub.host FD`, by the courier only."""

import sys

from hub.host.main import main

sys.exit(main(sys.argv[1:]))
