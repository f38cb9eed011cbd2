"""Dropout control (控辍保学): absences, the alarm, ledgers, persuasion, reports upward, the watch list and
the comparison with household lists (HANDBOOK A10).
"""
