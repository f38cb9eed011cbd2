"""Graduation, certificates and the roll of graduates (HANDBOOK A7.1)."""
