"""Pure rules of the hub: standard library only, and `now` is always an argument."""
