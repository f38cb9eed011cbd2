"""Semester verification (学籍核准): campaign, findings, rolls, sign-off, samples (HANDBOOK A8)."""
