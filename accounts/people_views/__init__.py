"""Pages of administering accounts: thin, they parse, call a service and render."""
