"""Many rows at once: COPY into a temporary table, then INSERT … SELECT; COPY cannot enter a walled table."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import JSONField, Model
from django.db.models.expressions import DatabaseDefault
from psycopg import sql

# Kinds of values that psycopg cannot write as Python holds them; asking every field costs more than copying.
_PREPARED = (ArrayField, JSONField)


def copy_rows(model: type[Model], rows: Sequence[Any]) -> None:
    """Insert unsaved `rows` of one model; columns that the database fills (ids, defaults) are left to it.

    All rows must leave out the same columns as the first one. Needs an open transaction.
    """
    if not rows:
        return
    fields = [
        field
        for field in model._meta.concrete_fields
        if not isinstance(value := getattr(rows[0], field.attname), DatabaseDefault)
        and not (field.primary_key and value is None)
    ]
    table, temporary = sql.Identifier(model._meta.db_table), sql.Identifier(f"new_{model._meta.model_name}")
    columns = sql.SQL(", ").join([sql.Identifier(str(field.column)) for field in fields])
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA")
            .format(temporary, columns, table)
            .as_string()  # text: within a request the history's wrapper reads what is executed
        )
        names = [field.attname for field in fields]
        prepared = [(place, field) for place, field in enumerate(fields) if isinstance(field, _PREPARED)]
        value_of = attrgetter(*names) if len(names) > 1 else lambda row: (getattr(row, names[0]),)
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(temporary, columns)) as copy:
            for row in rows:
                values = list(value_of(row))
                for place, field in prepared:
                    values[place] = field.get_db_prep_save(values[place], connection)
                copy.write_row(values)
        cursor.execute(sql.SQL("ANALYZE {}").format(temporary).as_string())
        cursor.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}")
            .format(table, columns, columns, temporary)
            .as_string()
        )
        cursor.execute(sql.SQL("DROP TABLE {}").format(temporary).as_string())
