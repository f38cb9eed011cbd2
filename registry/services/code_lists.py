from datetime import date

from django.db.backends.postgresql.psycopg_any import DateRange

from registry.codes import load_code_lists
from registry.models import CodeValue

# The standard the lists come from (JY/T 1001-2012) is the first version; later ones end and follow it.
FIRST_VERSION = date(2012, 3, 15)


def load_codes() -> int:
    """Put the code lists into the database as their first version; what is there already is left alone."""
    known = set(CodeValue.objects.values_list("list", "code"))
    rows = [
        CodeValue(
            list=row.list,
            code=row.code,
            name_zh=row.name_zh,
            name_en=row.name_en,
            source=row.source[:100],
            confidence=row.confidence,
            valid=DateRange(FIRST_VERSION, None),
        )
        for row in load_code_lists()
        if (row.list, row.code) not in known
    ]
    return len(CodeValue.objects.bulk_create(rows, batch_size=500))
