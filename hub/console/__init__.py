"""The console: where champions, coordinators, network managers and privacy officers sign in, one module a screen."""
