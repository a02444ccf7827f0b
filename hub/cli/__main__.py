"""Run the command line with `python -m hub.cli`."""

from hub.cli.main import main

main()
