"""The bytes of an entry that its leaf is the hash of: form 1, specified in docs/operations/log.md.

A JSON array of texts (or null), UTF-8, without white space: the form, the kind of entry, then every column in
the order below as PostgreSQL writes it under `AS_WRITTEN`. A new column needs a new form; old leaves keep
theirs.
"""

from dataclasses import dataclass

FORM = 1
SUITE = 1  # SHA-256; SM3 will be another
# Moments are written in UTC and in ISO form, whatever the server's own settings say.
AS_WRITTEN = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'"

_TRACE = (
    "id", "xid", "at", "request_id", "actor_id", "actor_name", "office_path", "office_name", "org_path",
    "subject_type", "subject_id",
)  # fmt: skip
_LISTS = ("fields", "subject_ids")


@dataclass(frozen=True, slots=True)
class Source:
    """One of the two tables of the log, as the tree knows it."""

    number: int
    name: str
    table: str
    columns: tuple[str, ...]

    def canonical_sql(self, alias: str = "") -> str:
        """An SQL expression of type text over a row of the table."""
        texts = ", ".join(self._text(alias + column) for column in self.columns)
        return f"to_json(ARRAY['{FORM}', '{self.name}', {texts}])::text"

    def _text(self, column: str) -> str:
        value = f"array_to_json({column})" if column.endswith(_LISTS) else column
        return f"{value}::text"

    def leaf_sql(self) -> str:
        """An SQL expression of type bytea: the leaf's hash after RFC 6962."""
        return f"sha256('\\x00'::bytea || convert_to({self.canonical_sql()}, 'UTF8'))"


EVENT = Source(
    1, "event", "audit_event",
    (*_TRACE, "other_path", "action", "reason", "basis", "fields", "digest", "detail"),
)  # fmt: skip
ACCESS = Source(
    2, "access", "audit_accessentry",
    (*_TRACE, "outcome", "route", "purpose", "code", "subject_ids", "fields"),
)  # fmt: skip
SOURCES = (EVENT, ACCESS)
BY_NAME = {source.name: source for source in SOURCES}
BY_NUMBER = {source.number: source for source in SOURCES}
