"""Pages of the registry, by subject. Thin: read the request, ask a query or a service, render, leave the
trace.
"""
