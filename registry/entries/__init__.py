"""Dated entries of the record: awards, sanctions, fitness, marks … (HANDBOOK C1, C6)."""
