"""The calendar of the school year and the yearly promotion (HANDBOOK A7.2, A7.4)."""
