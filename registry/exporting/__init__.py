"""在内导出: ask → another person approves → a job writes the sealed file → collect → erase (EX-1)."""
