"""The second wall: row-level security that every protected table is born with (AZ-8)."""

from django.db.migrations import RunSQL

# Sub-selects, so that the planner takes the range as an index condition; a range, because LIKE and functions
# are not leakproof and would lose the index. Unset, empty or foreign settings compare as NULL: no rows.
_INSIDE = """(
  {column} >= (SELECT nullif(current_setting('app.scope', true), '')) AND
  {column} <  (SELECT nullif(current_setting('app.scope', true), '') || '~'))"""


def wall_sql(table: str, *columns: str) -> list[str]:
    """The statements that put `table` behind the wall; `columns` are its path columns, any of which lets a
    row through.
    """
    columns = columns or ("org_path",)
    inside = " OR ".join(_INSIDE.format(column=column) for column in columns)
    checks = [
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_form "
        f"CHECK ({column} >= 'CN.' AND {column} < 'CN.~' AND right({column}, 1) = '.')"
        for column in columns
    ]
    return [
        *checks,
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY scope_wall ON {table} USING ({inside})",
    ]


def wall(table: str, *columns: str) -> RunSQL:
    """A migration step that walls `table`; its reverse is dropping the table."""
    return RunSQL([*wall_sql(table, *columns)], RunSQL.noop)
