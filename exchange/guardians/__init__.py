"""The guardians' door: a code handed over by the school, and behind it the own child's record (RD-4)."""
