"""One verb a module: what the hub does, in transactions that the store carries out."""
