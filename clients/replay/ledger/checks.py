# ruff: noqa: S608  (every query is put together from this file's own text)
"""The findings: each kind as queries that give (root or n, recipient, delivery, detail) of every case.

What only might be a fault is none. The excuses stand beside each query: an answer that was lost leaves it open whether
the packet was accepted; what depends on an earlier packet counts only when that one surely was accepted before; what
depends on where a delivery stands (02, 13, 15, 16) only when nothing else was said of it meanwhile.

Parameters: ``:stopped``, ``:expired`` (the clock passed whatever expires), ``:answer_within`` (real seconds),
``:deliver_within`` (of scenario time); 0: no limit; ``:slack`` (seconds by which a virtual clock may run ahead of what
is at work).
"""

from __future__ import annotations

# Whether what a packet's refusal depends on surely had happened when the attempt s began.
_DESERVED = """CASE p.expect
    WHEN 'document-conflict' THEN EXISTS (SELECT 1 FROM post o JOIN fate f USING (n) WHERE o.document_id = p.document_id
        AND o.sender = p.sender AND substr(o.day, 1, 4) = substr(p.day, 1, 4) AND o.sha256 <> p.sha256
        AND f.acked < s.seq)
    WHEN 'number-taken' THEN EXISTS (SELECT 1 FROM post o JOIN fate f USING (n) WHERE o.number = p.number
        AND o.symbol = p.symbol AND o.sender = p.sender AND substr(o.day, 1, 4) = substr(p.day, 1, 4)
        AND o.document_id <> p.document_id AND f.acked < s.seq)
    WHEN 'already-revoked' THEN p.target > 0 AND NOT EXISTS (
        SELECT 1 FROM addressee x JOIN doc d ON d.n = p.target WHERE x.n = p.n
            AND NOT EXISTS (SELECT 1 FROM ended e WHERE e.root = d.root AND e.code = x.code AND e.what = 'withdrawn'
                            AND e.sure AND e.seq < s.seq)
            AND NOT EXISTS (SELECT 1 FROM stated t WHERE t.recipient = x.code AND t.code = '15' AND t.acked < s.seq
                AND t.name IN (SELECT name FROM asks WHERE target = d.name AND kind IN (1, 3))))
    WHEN 'not-your-document' THEN p.target = 0
        OR EXISTS (SELECT 1 FROM fate f WHERE f.n = p.target AND f.acked < s.seq)
    ELSE 1 END"""

# Another new one of the same sender and year, with other bytes, which the hub may have taken before the answer to s.
_EARLIER = """o.sender = p.sender AND substr(o.day, 1, 4) = substr(p.day, 1, 4) AND o.kind = 0 AND p.kind = 0
    AND o.sha256 <> p.sha256 AND f.sent < s.answered AND (f.acked OR f.unsettled)"""

# A right document may be refused for another that shares its year and its id or number; a revocation, when what it
# revokes has ended at everybody it names.
_RIGHTLY = f"""CASE
    WHEN s.code LIKE 'document-conflict%' THEN EXISTS (SELECT 1 FROM post o JOIN fate f USING (n)
        WHERE o.document_id = p.document_id AND {_EARLIER})
    WHEN s.code LIKE 'number-taken%' THEN EXISTS (SELECT 1 FROM post o JOIN fate f USING (n)
        WHERE o.number = p.number AND o.symbol = p.symbol AND o.document_id <> p.document_id AND {_EARLIER})
    WHEN s.code LIKE 'already-revoked%' THEN p.kind = 1 AND p.target > 0 AND NOT EXISTS (
        SELECT 1 FROM addressee x JOIN doc d ON d.n = p.target JOIN due u ON u.root = d.root AND u.code = x.code
        WHERE x.n = p.n AND NOT EXISTS (SELECT 1 FROM gone e WHERE e.name = d.name AND e.recipient = x.code
                                        AND e.n <> p.n AND e.sent < s.answered))
    ELSE 0 END"""

# A right status may be refused: for what was said of the delivery meanwhile, for a request that is not there (any
# more), or since the document itself may not be there.
_STATUS_RIGHTLY = """CASE
    WHEN t.by_sender THEN NOT EXISTS (SELECT 1 FROM fate f WHERE f.n = t.n AND f.acked < s.seq)
    ELSE NOT EXISTS (SELECT 1 FROM doc d JOIN got g USING (root) WHERE d.n = t.n AND g.code = t.recipient
                     AND g.fits AND g.seq < s.seq) END
    OR (t.code IN ('02', '13') AND EXISTS (SELECT 1 FROM stated o WHERE o.name = t.name AND o.recipient = t.recipient
        AND o.sent < s.answered AND (o.acked OR o.unsettled)
        AND ((t.code = '02' AND o.code IN ('04', '05', '06')) OR (t.code = '13' AND o.code = '02'))
        UNION ALL SELECT 1 FROM gone e WHERE e.name = t.name AND e.recipient = t.recipient
            AND (e.n, e.k) <> (t.n, t.k) AND e.sent < s.answered))
    OR (t.code IN ('15', '16') AND EXISTS (SELECT 1 FROM stated o WHERE o.recipient = t.recipient
        AND o.name IN (SELECT t.name UNION ALL SELECT other FROM kin WHERE name = t.name)
        AND o.code IN ('02', '15', '16') AND (o.n, o.k) <> (t.n, t.k) AND o.sent < s.answered
        AND (o.acked OR o.unsettled)
        UNION ALL SELECT 1 FROM gone e WHERE e.name IN (SELECT target FROM asks WHERE name = t.name)
            AND e.recipient = t.recipient AND (e.n, e.k) NOT IN (VALUES (t.n, t.k), (t.n, -1))
            AND e.sent < s.answered))
    OR (t.code IN ('15', '16') AND NOT EXISTS (
        SELECT 1 FROM stated o JOIN came c USING (n, recipient, k) WHERE o.name = t.name
            AND o.recipient = t.recipient AND o.code = '13' AND c.fits AND c.listed < s.seq
        UNION ALL SELECT 1 FROM post p JOIN fate f ON f.n = p.target JOIN got g
            ON g.root = p.target AND g.code = t.recipient AND g.fits
            WHERE p.n = t.n AND p.target > 0 AND f.acked < (SELECT sent FROM fate WHERE n = p.n)
            AND g.seq < (SELECT sent FROM fate WHERE n = p.n)))"""

# Whatever stopped the hub as a whole explains lateness for as long again as the limit; its clock stops nothing.
_TROUBLE = """EXISTS (SELECT 1 FROM injected i WHERE i.place = 'hub' AND i.mark = '' AND i.fault <> 'clock-jump'
    AND i.moment BETWEEN s.moment - s.seconds - :answer_within AND s.moment)"""

# A hub that died is back within a minute.
_AWAY = """EXISTS (SELECT 1 FROM injected i WHERE i.place = 'hub' AND i.mark = '' AND i.fault <> 'clock-jump'
    AND i.moment BETWEEN s.moment - s.seconds - 60 AND s.moment + 60)"""

# Whose what was told is: the systems that sent the document, or made the report.
_OWNERS = """SELECT x.n, x.system FROM promise p JOIN answer a ON a.seq = p.answer JOIN act x ON x.seq = a.sending
        WHERE p.delivery = t.delivery
    UNION ALL SELECT x.n, x.system FROM answer a JOIN act x ON x.seq = a.sending
        WHERE a.hub_id <> '' AND a.hub_id = t.document_id
    UNION ALL SELECT p.n, y.system FROM got g JOIN post p USING (n) JOIN party y ON y.code = p.sender
        WHERE g.delivery = t.delivery AND g.fits
    UNION ALL SELECT p.n, y.system FROM post p JOIN party y ON y.code = p.sender
        WHERE p.document_id = t.document_id"""

# Whom a status is from.
_AUTHOR = "CASE WHEN r.by_sender THEN q.sender ELSE r.recipient END"

CHECKS: tuple[tuple[str, str], ...] = (
    # Nobody fetches what is due to a silent system: it expires, and its sender is told.
    (
        "lost",
        "SELECT root, code, '', '' FROM missing WHERE NOT (:stopped OR (never AND (partly OR NOT :expired)))",
    ),
    (
        "open",
        "SELECT root, code, '', 'document' FROM missing WHERE :stopped OR (never AND (partly OR NOT :expired))",
    ),
    ("status-lost", "SELECT n, recipient, '', code FROM unheard WHERE NOT (never OR :stopped)"),
    ("open", "SELECT n, recipient, '', 'status ' || code FROM unheard WHERE never OR :stopped"),
    (
        "doubled",
        """SELECT i.root, i.code, MAX(i.delivery), group_concat(i.delivery, ' ') FROM id i
           GROUP BY i.root, i.code HAVING COUNT(*) > 1
           AND EXISTS (SELECT 1 FROM due d WHERE d.root = i.root AND d.code = i.code AND d.acked)""",
    ),
    (
        "unacknowledged-twice",
        """SELECT i.root, i.code, MAX(i.delivery), group_concat(i.delivery, ' ') FROM id i
           GROUP BY i.root, i.code HAVING COUNT(*) > 1
           AND NOT EXISTS (SELECT 1 FROM due d WHERE d.root = i.root AND d.code = i.code AND d.acked)""",
    ),
    (
        "doubled",
        """SELECT (SELECT MAX(g.root) FROM got g WHERE g.delivery = k.delivery), k.recipient, k.delivery,
           'listed again after done' FROM again k WHERE k.what = 'document' GROUP BY k.delivery""",
    ),
    (
        "status-doubled",
        """SELECT n, recipient, MAX(delivery), group_concat(delivery, ' ') FROM came WHERE fits
           GROUP BY n, recipient, k HAVING COUNT(*) > 1""",
    ),
    (
        "status-doubled",
        """SELECT (SELECT MAX(c.n) FROM came c WHERE c.delivery = k.delivery), k.recipient, k.delivery,
           'listed again after done' FROM again k WHERE k.what = 'status' GROUP BY k.delivery""",
    ),
    ("misrouted", "SELECT root, code, delivery, 'kept by the system of ' || system FROM got WHERE NOT fits"),
    ("misrouted", "SELECT n, recipient, delivery, 'kept by the system of ' || system FROM came WHERE NOT fits"),
    (
        "misrouted",
        """SELECT d.root, p.recipient, p.delivery, 'an answer names an agency not addressed' FROM promise p
           JOIN doc d USING (n) WHERE p.what = 'document' AND p.recipient <> ''
           AND NOT EXISTS (SELECT 1 FROM due x WHERE x.root = d.root AND x.code = p.recipient)
           GROUP BY d.root, p.recipient, p.delivery""",
    ),
    (
        "misrouted",
        """SELECT 0, recipient, delivery, 'nobody sent it: ' || document_id FROM stray
           WHERE root IS NULL AND document_id <> ''""",
    ),
    (
        "misrouted",
        f"""SELECT (SELECT MIN(n) FROM ({_OWNERS})), t.recipient, t.delivery,
            t.what || ' was told to the system of ' || t.system FROM told t
            WHERE NOT EXISTS (SELECT 1 FROM post p JOIN party y ON y.code = p.sender
                              WHERE p.document_id = t.document_id AND y.system = t.system)
            AND (SELECT MAX(system = t.system) FROM ({_OWNERS})) = 0""",
    ),
    (
        "mislabelled",
        """SELECT p.root, k.recipient, k.delivery, 'from ' || k.sender || ' and not ' || q.sender
           FROM kept k JOIN packet p USING (sha256) JOIN post q ON q.n = p.n
           WHERE k.what = 'document' AND k.sender NOT IN ('', q.sender) GROUP BY k.delivery, k.system""",
    ),
    (
        "mislabelled",
        f"""SELECT r.n, r.recipient, k.delivery,
            'from ' || k.sender || ' and not ' || {_AUTHOR} || ', ' || k.code || ' and not ' || r.code
            FROM kept k JOIN status_packet p USING (sha256) JOIN reply r ON r.rowid = p.reply JOIN post q ON q.n = r.n
            WHERE k.what = 'status' AND (k.sender NOT IN ('', {_AUTHOR}) OR k.code NOT IN ('', r.code))
            GROUP BY k.delivery, k.system""",
    ),
    ("corrupt", "SELECT root, recipient, delivery, 'nobody sent these bytes' FROM stray "
     "WHERE root IS NOT NULL OR document_id = ''"),
    (
        "corrupt",
        """SELECT r.n, r.recipient, x.delivery, 'nobody sent these bytes' FROM stray_status x
           LEFT JOIN reply r ON r.rowid = x.reply""",
    ),
    (
        "corrupt",
        """SELECT p.root, k.recipient, k.delivery, 'the listing said SHA-256 ' || lower(hex(k.listed_sha256))
           FROM kept k LEFT JOIN packet p USING (sha256) WHERE k.listed_sha256 <> k.sha256
           AND k.what = 'document' AND p.root IS NOT NULL""",
    ),
    (
        "corrupt",
        """SELECT r.n, r.recipient, k.delivery, 'the listing said SHA-256 ' || lower(hex(k.listed_sha256))
           FROM kept k JOIN status_packet p USING (sha256) JOIN reply r ON r.rowid = p.reply
           WHERE k.what = 'status' AND k.listed_sha256 <> k.sha256""",
    ),
    (
        "corrupt",
        """SELECT d.root, g.code, g.delivery, 'has the bytes of document ' || g.n FROM got g
           JOIN promise p ON p.delivery = g.delivery AND p.what = 'document' JOIN doc d ON d.n = p.n
           WHERE d.root <> g.root GROUP BY d.root, g.code, g.delivery""",
    ),
    (
        "disorder",
        """SELECT s.n, s.recipient, '', t.code || ' before ' || s.code FROM stated s
           JOIN stated t ON t.n = s.n AND t.recipient = s.recipient AND t.by_sender = s.by_sender AND s.acked < t.sent
           JOIN came x ON x.n = s.n AND x.recipient = s.recipient AND x.k = s.k AND x.fits
           JOIN came y ON y.n = t.n AND y.recipient = t.recipient AND y.k = t.k AND y.fits
           GROUP BY s.n, s.recipient, s.k, t.k HAVING MIN(y.listed) < MIN(x.listed)""",
    ),
    # Who reads of statuses in the outbox; what was said with an equal code before is told before. CROSS JOIN: in
    # another order of its loops this takes minutes.
    (
        "disorder",
        """SELECT s.n, s.recipient, '', t.code || ' told before ' || s.code FROM stated s
           CROSS JOIN stated t ON t.n = s.n AND t.recipient = s.recipient AND s.acked < t.sent AND s.code <> t.code
           CROSS JOIN doc d ON d.n = s.n CROSS JOIN id i ON i.root = d.root AND i.code = s.recipient
           CROSS JOIN told x ON x.delivery = i.delivery AND x.what = 'status' AND x.status = s.code
           CROSS JOIN told y ON y.delivery = i.delivery AND y.what = 'status' AND y.status = t.code
           WHERE s.outbox AND NOT EXISTS (SELECT 1 FROM stated o WHERE o.name = t.name AND o.recipient = t.recipient
               AND o.code = t.code AND (o.n, o.k) <> (t.n, t.k) AND o.sent < s.acked)
           GROUP BY s.n, s.recipient, s.k, t.k HAVING MIN(y.seq) < MIN(x.seq)""",
    ),
    # What came was taken, though nobody said so.
    (
        "never-taken",
        f"""SELECT s.n, s.recipient, '', s.what || ', ' || s.attempts || ' attempts, the last: ' || s.outcome FROM (
                SELECT *, MAX(seq), COUNT(*) AS attempts FROM attempt GROUP BY n, recipient, k
                HAVING SUM(outcome NOT IN ('later', 'none')) = 0) s
            LEFT JOIN stated t ON s.what = 'status' AND t.n = s.n AND t.recipient = s.recipient AND t.k = s.k
            JOIN post p ON p.n = s.n
            WHERE NOT :stopped AND CASE s.what WHEN 'document' THEN p.expect ELSE t.expect END = ''
            AND s.answered AND s.mark NOT IN (SELECT mark FROM excused) AND NOT ({_AWAY})
            AND NOT EXISTS (SELECT 1 FROM doc d JOIN got g USING (root) WHERE d.n = s.n AND s.what = 'document'
                AND (g.n = s.n OR (SELECT MIN(x.acked) FROM due x WHERE x.root = d.root) IS NULL))
            AND NOT EXISTS (SELECT 1 FROM came c WHERE c.n = s.n AND c.recipient = s.recipient AND c.k = s.k)""",
    ),
    (
        "wrongly-refused",
        f"""SELECT p.n, '', '', s.code FROM attempt s JOIN post p USING (n) WHERE s.outcome = 'refused'
            AND s.what = 'document' AND p.expect = '' AND s.mark NOT IN spoiled AND NOT ({_RIGHTLY})""",
    ),
    (
        "wrongly-refused",
        f"""SELECT t.n, t.recipient, '', t.code || ': ' || s.code FROM attempt s
            JOIN stated t USING (n, recipient, k) WHERE s.outcome = 'refused'
            AND s.what = 'status' AND t.expect = '' AND s.mark NOT IN spoiled AND NOT ({_STATUS_RIGHTLY})""",
    ),
    (
        "wrongly-accepted",
        f"""SELECT p.n, '', '', p.expect FROM attempt s JOIN post p USING (n)
            WHERE s.ok AND s.what = 'document' AND p.expect <> '' AND {_DESERVED}""",
    ),
    (
        "wrongly-accepted",
        f"""SELECT p.n, g.code, g.delivery, 'delivered; ' || p.expect FROM got g JOIN post p ON p.n = g.n
            JOIN (SELECT n, MIN(seq) AS seq FROM sending GROUP BY n) s ON s.n = p.n
            WHERE p.expect <> '' AND {_DESERVED}""",
    ),
    (
        "wrongly-accepted",
        """SELECT t.n, t.recipient, '', t.code || ': ' || t.expect FROM attempt s
            JOIN stated t USING (n, recipient, k)
            WHERE s.ok AND s.what = 'status' AND t.expect <> ''
            AND NOT EXISTS (SELECT 1 FROM stated o WHERE o.n = t.n AND o.recipient = t.recipient AND o.k < t.k
                            AND o.expect = '' AND (o.acked IS NULL OR o.acked > s.seq))""",
    ),
    (
        "wrong-code",
        """SELECT p.n, '', '', s.code || ' and not ' || p.expect FROM attempt s JOIN post p USING (n)
            WHERE s.outcome = 'refused' AND s.what = 'document' AND p.expect <> '' AND s.mark NOT IN spoiled
            AND NOT fits(p.expect, s.code)""",
    ),
    (
        "wrong-code",
        """SELECT t.n, t.recipient, '', t.code || ': ' || s.code || ' and not ' || t.expect FROM attempt s
            JOIN stated t USING (n, recipient, k) WHERE s.outcome = 'refused'
            AND s.what = 'status' AND t.expect <> '' AND s.mark NOT IN spoiled AND NOT fits(t.expect, s.code)""",
    ),
    (
        "late",
        f"""SELECT s.n, s.recipient, '', printf('%.1f s until the answer, %s', s.seconds, s.outcome) FROM attempt s
            WHERE :answer_within > 0 AND s.seconds >= :answer_within AND NOT ({_TROUBLE})
            AND s.mark NOT IN (SELECT mark FROM excused)""",
    ),
    # A recipient looks at its own times: after one interval, and it may be slow or forget; office hours have no limit.
    (
        "late",
        """SELECT d.root, d.code, g.delivery, printf('%.0f s until it was kept', MIN(g.at) - d.acked_at) FROM due d
           JOIN got g ON g.root = d.root AND g.code = d.code AND g.fits JOIN party o ON o.code = d.system
           WHERE :deliver_within > 0 AND NOT o.hours AND o.dies = 0
           AND NOT EXISTS (SELECT 1 FROM injected i WHERE i.place = 'hub' AND i.mark = '' AND i.fault <> 'clock-jump'
                           AND i.at BETWEEN d.acked_at AND g.at)
           GROUP BY d.root, d.code HAVING MIN(g.at) - d.acked_at > :deliver_within + :slack + o.poll + o.slow""",
    ),
    (
        "contradiction",
        """SELECT g.root, g.code, g.delivery, 'told withdrawn, and it came' FROM ended e
           JOIN got g ON g.root = e.root AND g.code = e.code AND g.fits WHERE e.what = 'withdrawn' AND e.sure""",
    ),
    # Failed or expired and then done after all: the sender is told, in REST. The gateway lists no more than a page.
    (
        "contradiction",
        """SELECT g.root, g.code, g.delivery, 'told ' || e.what || ', and it was confirmed' FROM ended e
           JOIN got g ON g.root = e.root AND g.code = e.code AND g.fits JOIN post p ON p.n = e.root
           JOIN party y ON y.code = p.sender JOIN party o ON o.code = y.system
           WHERE e.what IN ('failed', 'expired') AND e.sure AND o.dialect = 'rest' AND NOT :stopped
           AND EXISTS (SELECT 1 FROM confirmed c WHERE c.delivery = g.delivery AND c.system = g.system)
           AND NOT EXISTS (SELECT 1 FROM told t WHERE t.delivery = g.delivery AND t.seq > e.seq)
           AND NOT EXISTS (SELECT 1 FROM doc d JOIN attempt s USING (n) WHERE d.root = e.root
               AND s.what = 'document' AND s.ok AND s.answered > e.seq)""",
    ),
    (
        "contradiction",
        """SELECT d.root, '', '', group_concat(DISTINCT s.hub_id) FROM attempt s JOIN doc d USING (n)
            WHERE s.what = 'document' AND s.hub_id <> '' AND s.ok
            GROUP BY d.root HAVING COUNT(DISTINCT s.hub_id) > 1""",
    ),
    (
        "contradiction",
        """SELECT s.n, s.recipient, '', group_concat(DISTINCT s.hub_id) FROM attempt s
            WHERE s.what = 'status' AND s.hub_id <> '' AND s.ok
            GROUP BY s.n, s.recipient, s.k HAVING COUNT(DISTINCT s.hub_id) > 1""",
    ),
)  # fmt: skip


def fits(expected: str, code: str) -> bool:
    """Whether a refusal is the one expected: ``code`` or ``code/rule`` against ``code``, ``code/rule,rule`` or, where
    a dialect names nothing but rules, ``rule``.
    """
    wanted, _, rule = expected.partition("/")
    found, _, rules = code.partition("/")
    if not rule:
        return found == wanted
    return (found == wanted and rule in rules.split(",")) or code == rule
