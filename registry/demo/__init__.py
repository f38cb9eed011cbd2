"""A demonstration country inside the real tree: invented schools, pupils and accounts. Nothing here is a real person."""
