"""The registry over the API, to read: same scope, same masks, same trace as the pages. No writing here."""
