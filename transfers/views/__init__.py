"""Pages of cases, by subject. Thin: read the request, call one service or query, render, leave the trace."""
