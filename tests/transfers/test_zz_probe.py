import pytest
from tests import make
from registry.models import *
from django.db import connection
pytestmark = pytest.mark.usefixtures("nation")
def test_plan():
    ids=[make.make_student(make.make_class()).pk for _ in range(3)]
    with connection.cursor() as c:
        c.execute("SET LOCAL enable_seqscan=off"); c.execute("SET LOCAL enable_hashjoin=off"); c.execute("SET LOCAL enable_mergejoin=off")
        for q,a in [("SELECT mine.id, other.id FROM registry_student mine JOIN registry_student other"
            " ON other.birth_on = mine.birth_on AND other.name_fold = mine.name_fold AND other.sex = mine.sex"
            " WHERE mine.id = ANY(%s) AND other.id <> mine.id"
            " UNION SELECT mine.id, other.id FROM registry_student mine JOIN registry_student other"
            " ON other.birth_on = mine.birth_on AND other.name_py = mine.name_py"
            " WHERE mine.id = ANY(%s) AND other.id <> mine.id",[ids,ids]),
            ("SELECT other.id, other.student_id, other.type, other.number, mine.student_id AS mine"
        " FROM registry_identitydocument mine CROSS JOIN LATERAL (SELECT * FROM registry_identitydocument d"
        " WHERE (d.even_half = mine.even_half OR d.odd_half = mine.odd_half) AND d.family = mine.family"
        " AND d.student_id <> mine.student_id AND d.blind IS DISTINCT FROM mine.blind LIMIT %s) AS other"
        " WHERE mine.id = ANY(%s)",[50,[1,2,3]]),
        ("SELECT p, (SELECT count(*) FROM registry_studentnumber WHERE kind = %s AND province = ''"
            " AND number >= p AND number < p || '~') FROM unnest(%s::text[]) AS p", ['national',['J440305']])]:
            c.execute("EXPLAIN "+q,a); print("\n".join(r[0] for r in c.fetchall() if 'Cond' in r[0] or 'Scan' in r[0] or 'Filter' in r[0])[:3000]); print('----')
