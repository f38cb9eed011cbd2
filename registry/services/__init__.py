"""Acts of the registry: each checks, changes and records in one transaction."""
