"""The command line: one module a command group; whatever is slow to import is imported inside its command."""
