"""The database role of this process, checked before it serves anybody."""

from django.core.exceptions import ImproperlyConfigured
from django.db import connection


def dangers() -> list[str]:
    """What makes the present role able to pass the wall; empty when it is safe."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT r.rolsuper, r.rolbypassrls,
                      EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p'))
               FROM pg_roles r WHERE r.rolname = current_user"""
        )
        is_super, bypasses, owns = cursor.fetchone()
    named = (("superuser", is_super), ("bypasses row-level security", bypasses), ("owns tables", owns))
    return [name for name, is_so in named if is_so]


def refuse_dangerous_role() -> None:
    """Raise ImproperlyConfigured when this role is superuser, owner or BYPASSRLS (ARCHITECTURE 8)."""
    found = dangers()
    if found:
        raise ImproperlyConfigured("this database role must not serve requests: " + ", ".join(found))
