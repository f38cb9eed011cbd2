"""A demonstration country inside the real tree: invented schools, pupils and accounts. Nobody is real."""
