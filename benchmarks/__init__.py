"""The floor and our figure, measured in one run: `python -m benchmarks` (docs/performance.md)."""

MARKER = "X-Measure"  # each request carries a number, by which its line in the web log is found
# For granian's access log. Nothing in it is a pupil's.
LOG_FORMAT = f"measure %(header{{{MARKER}}})s %(status)d %(dt_ms).3f"
