"""Administering accounts: each level its own office and the next one below, never further (R-ACC-01)."""
