"""Enrolment into the next stage (HANDBOOK A7.3)."""
