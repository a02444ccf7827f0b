"""The child process that runs one connector: it imports the SDK only, and is all that ever imports plugin code."""
