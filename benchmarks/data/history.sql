-- The registrations of former years: one done case with two signed steps for every third pupil. Without cards,
-- for no measured page opens them; what counts is that the queue lies among them.
INSERT INTO transfers_case
    (number, kind, student_id, from_path, to_path, from_name, to_name, payload, state, is_open, version, rulebook,
     lane, filed_by_id, filed_by_name, filed_at, ended_at)
SELECT 'ZC' || to_char(lower(e.valid), 'YYMMDD') || lpad(e.student_id::text, 7, '0'), 'registration', e.student_id,
       o.path, o.path, o.name, o.name, '{}', 'done', false, 1, '', 'registration', u.id, u.name,
       lower(e.valid) + time '09:30', lower(e.valid) + interval '6 days'
FROM registry_enrolment e
JOIN accounts_organization o ON o.id = e.school_id
JOIN accounts_user u ON u.username = o.code || '.registrar'
WHERE e.status <> '00' AND e.student_id % 3 = 0;

INSERT INTO transfers_step
    (case_id, from_path, to_path, ordinal, office_path, office_name, "right", label, days, is_current,
     reminded, arrived_at, due_on, decision, decided_by_id, decided_by_name, decided_at, reason)
SELECT c.id, c.from_path, c.to_path, s.ordinal, s.path, s.name, s."right", s.label, 10, false,
       0, c.filed_at, (c.filed_at + interval '14 days')::date, 'approve', u.id, u.name, c.ended_at, ''
FROM transfers_case c
JOIN accounts_organization o ON o.path = c.to_path
JOIN accounts_organization p ON p.id = o.parent_id
CROSS JOIN LATERAL (VALUES
    (1, o.path, o.name, 'review_case', '学校领导审核', o.code || '.leader'),
    (2, p.path, p.name, 'decide_case', '主管部门核准', p.path || 'reviewer')
) AS s (ordinal, path, name, "right", label, username)
JOIN accounts_user u ON u.username = s.username
WHERE c.state = 'done';
