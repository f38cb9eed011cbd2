"""Monthly partitions of the log. Each is born with its policy, its refusing triggers and no grants of its
own.
"""

from datetime import date

from django.db import connection

from config.wall import wall_sql

TABLES = {"audit_event": ("org_path", "other_path"), "audit_accessentry": ("org_path",)}
MONTHS_AHEAD = 24


def append_only_sql(table: str) -> list[str]:
    """Plain triggers: pgtrigger's can be switched off by any role through a setting (tried)."""
    return [
        f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()",
        f"CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()",
    ]


def months_from(start: date, count: int) -> list[date]:
    first = start.year * 12 + start.month - 1
    return [date((first + n) // 12, (first + n) % 12 + 1, 1) for n in range(count + 1)]


def make_partitions(start: date, months: int = MONTHS_AHEAD) -> list[str]:
    """Create what is missing from `start`'s month on, `months` ahead; run as the owner. Returns the new
    names.
    """
    made = []
    bounds = months_from(start, months + 1)
    with connection.cursor() as cursor:
        for table, columns in TABLES.items():
            for low, high in zip(bounds, bounds[1:], strict=False):
                name = f"{table}_{low:%Y%m}"
                cursor.execute("SELECT to_regclass(%s)", [name])
                if cursor.fetchone()[0]:
                    continue
                cursor.execute(
                    f"CREATE TABLE {name} PARTITION OF {table} "
                    f"FOR VALUES FROM ('{low} 00:00+08') TO ('{high} 00:00+08')"
                )
                # Row triggers come down from the parent by themselves; truncation is refused per table.
                statements = [s for s in wall_sql(name, *columns) if "ADD CONSTRAINT" not in s]
                for statement in [*statements, append_only_sql(name)[1]]:
                    cursor.execute(statement)
                cursor.execute(f"REVOKE ALL ON {name} FROM xueji_app, xueji_worker")
                made.append(name)
    return made
