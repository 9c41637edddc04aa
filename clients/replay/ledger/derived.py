"""What follows from the book's rows, as temporary tables: sets that the findings are read from.

Everything is a set query, so that a run of a million documents is judged in little memory.

* A *root* stands for a document: the first of the posts that are one to the hub, since their bytes are equal or, being
  right and new, their sender, DocumentId and year (exchange rules 4).
* A *name* stands for what a status can mean: the first of the posts with its sender, DocumentId and year, of any kind
  (exchange rules 6).
* *acked* is the ``seq`` of the first answer that said accepted or repeated.
"""

from __future__ import annotations

INDEXES = (
    "CREATE INDEX IF NOT EXISTS answer_sending ON answer (sending)",
    "CREATE INDEX IF NOT EXISTS sending_of ON sending (n, recipient, k)",
    "CREATE INDEX IF NOT EXISTS promise_delivery ON promise (delivery)",
    "CREATE INDEX IF NOT EXISTS told_delivery ON told (delivery)",
    "CREATE INDEX IF NOT EXISTS answer_hub_id ON answer (hub_id) WHERE hub_id <> ''",
    "CREATE INDEX IF NOT EXISTS confirmed_delivery ON confirmed (delivery)",
    "CREATE INDEX IF NOT EXISTS post_document ON post (document_id, sender)",
    "CREATE INDEX IF NOT EXISTS post_number ON post (number, symbol, sender)",
    "CREATE INDEX IF NOT EXISTS post_target ON post (target) WHERE target > 0",
    "CREATE INDEX IF NOT EXISTS injected_mark ON injected (mark)",
)

DERIVED = (
    # An attempt and how it ended; ok: it was acknowledged, by the answer with the seq `answered`.
    """CREATE TEMP VIEW attempt AS SELECT s.*, a.seq AS answered, COALESCE(a.outcome, 'none') AS outcome,
           COALESCE(a.outcome IN ('accepted', 'repeated'), 0) AS ok, a.code, a.hub_id, a.seconds, a.moment,
           a.at AS answered_at
       FROM sending s LEFT JOIN answer a ON a.sending = s.seq""",
    # Documents as they were sent.
    "CREATE TEMP TABLE doc (n INTEGER PRIMARY KEY, root INTEGER, name INTEGER)",
    """INSERT INTO doc SELECT n, MIN(n) OVER (PARTITION BY
           CASE WHEN expect = '' AND kind = 0 THEN sender || '|' || document_id || '|' || substr(day, 1, 4)
           ELSE sha256 END), MIN(n) OVER (PARTITION BY sender, document_id, substr(day, 1, 4))
       FROM post""",
    # Which right document n asks something about which.
    "CREATE TEMP TABLE asks (n INTEGER PRIMARY KEY, kind INTEGER, name INTEGER, target INTEGER)",
    """INSERT INTO asks SELECT p.n, p.kind, d.name, e.name FROM post p JOIN doc d USING (n) JOIN doc e ON e.n = p.target
       WHERE p.kind > 0 AND p.expect = ''""",
    "CREATE INDEX temp.asks_name ON asks (name)",
    "CREATE INDEX temp.asks_target ON asks (target)",
    "CREATE TEMP VIEW kin AS SELECT name, target AS other FROM asks UNION ALL SELECT target, name FROM asks",
    "CREATE TEMP TABLE packet (sha256 BLOB PRIMARY KEY, n INTEGER, root INTEGER) WITHOUT ROWID",
    "INSERT INTO packet SELECT sha256, MIN(n), MIN(root) FROM post JOIN doc USING (n) GROUP BY sha256",
    # unsettled: an attempt got no answer, so that the hub may have accepted it all the same.
    "CREATE TEMP TABLE fate (n INTEGER PRIMARY KEY, sent INTEGER, sent_at REAL, acked INTEGER, acked_at REAL, "
    "unsettled INTEGER)",
    """INSERT INTO fate SELECT n, MIN(seq), MIN(at), MIN(CASE WHEN ok THEN answered END),
           MIN(CASE WHEN ok THEN answered_at END), MAX(outcome = 'none')
       FROM attempt WHERE what = 'document' GROUP BY n""",
    # Whom each is due to. never: its system never looks.
    "CREATE TEMP TABLE due (root INTEGER, code TEXT, system TEXT, never INTEGER, sent INTEGER, acked INTEGER, "
    "acked_at REAL, PRIMARY KEY (root, code)) WITHOUT ROWID",
    """INSERT INTO due SELECT d.root, r.code, MAX(p.system), MAX(COALESCE(o.silent, 0)), MIN(f.sent), MIN(f.acked),
           MIN(f.acked_at) FROM addressee r JOIN doc d USING (n) LEFT JOIN fate f USING (n)
       LEFT JOIN party p ON p.code = r.code LEFT JOIN party o ON o.code = p.system GROUP BY d.root, r.code""",
    # Documents as they came. fits: to whom they are due, at the system that stands for it.
    "CREATE TEMP TABLE got (root INTEGER, code TEXT, delivery TEXT, system TEXT, n INTEGER, seq INTEGER, at REAL, "
    "fits INTEGER DEFAULT 0, PRIMARY KEY (root, code, delivery, system)) WITHOUT ROWID",
    """INSERT INTO got SELECT p.root, k.recipient, k.delivery, k.system, MIN(p.n), MIN(k.seq), MIN(k.at), 0
       FROM kept k JOIN packet p USING (sha256) WHERE k.what = 'document' AND k.recipient <> ''
       GROUP BY p.root, k.recipient, k.delivery, k.system""",
    # A dialect may not say for whom a delivery is: then the system's recipients get them in turn.
    """INSERT OR IGNORE INTO got SELECT root, COALESCE(
           (SELECT code FROM due d WHERE d.root = x.root AND d.system = x.system AND turn = (
            SELECT COUNT(*) FROM due e WHERE e.root = d.root AND e.system = d.system AND e.code < d.code)),
           (SELECT MAX(code) FROM due d WHERE d.root = x.root AND d.system = x.system), ''),
           delivery, system, n, seq, at, 0
       FROM (SELECT p.root, k.delivery, k.system, MIN(p.n) AS n, MIN(k.seq) AS seq, MIN(k.at) AS at,
                 ROW_NUMBER() OVER (PARTITION BY p.root, k.system ORDER BY MIN(k.seq)) - 1 AS turn
             FROM kept k JOIN packet p USING (sha256) WHERE k.what = 'document' AND k.recipient = ''
             GROUP BY p.root, k.delivery, k.system) x""",
    # Bytes that nobody sent; root: of what they should have been, as far as it can be told.
    """CREATE TEMP TABLE stray AS SELECT k.seq, k.system, k.delivery, k.recipient, k.document_id, k.at, COALESCE(
           (SELECT d.root FROM promise p JOIN doc d USING (n) WHERE p.delivery = k.delivery AND p.what = 'document'),
           (SELECT p.root FROM packet p WHERE p.sha256 = k.listed_sha256),
           (SELECT d.root FROM post p JOIN doc d USING (n)
            WHERE p.document_id = k.document_id AND p.sender = k.sender)) AS root
       FROM kept k WHERE k.what = 'document' AND NOT EXISTS (SELECT 1 FROM packet p WHERE p.sha256 = k.sha256)""",
    """INSERT OR IGNORE INTO got SELECT root, recipient, delivery, system, root, MIN(seq), MIN(at), 0 FROM stray
       WHERE root IS NOT NULL GROUP BY root, recipient, delivery, system""",
    """UPDATE got SET fits = 1 FROM due d
       WHERE d.root = got.root AND d.code = got.code AND COALESCE(d.system, got.system) = got.system""",
    "CREATE INDEX temp.got_delivery ON got (delivery)",
    # Every delivery id that is known for a document and a recipient.
    "CREATE TEMP TABLE id (root INTEGER, code TEXT, delivery TEXT, PRIMARY KEY (root, code, delivery)) WITHOUT ROWID",
    "INSERT INTO id SELECT root, code, delivery FROM got WHERE fits GROUP BY root, code, delivery",
    """INSERT OR IGNORE INTO id SELECT d.root, p.recipient, p.delivery FROM promise p JOIN doc d USING (n)
       WHERE p.what = 'document' AND p.recipient <> ''""",
    # Deliveries of documents that ended otherwise, as their senders were told.
    # sure: it was surely told of this one, and not of another year's document with the same id.
    "CREATE TEMP TABLE bad AS SELECT seq, system, what, delivery, document_id, recipient, at, n AS post FROM told "
    "WHERE what IN ('failed', 'expired', 'withdrawn')",
    "CREATE INDEX temp.bad_document ON bad (document_id)",
    "CREATE TEMP TABLE ended (root INTEGER, code TEXT, what TEXT, sure INTEGER, seq INTEGER, "
    "PRIMARY KEY (root, code, what, sure)) WITHOUT ROWID",
    """INSERT INTO ended SELECT root, code, what, sure, MAX(seq) FROM (
           SELECT d.root, p.recipient AS code, b.what, 1 AS sure, b.seq FROM bad b JOIN promise p USING (delivery)
           JOIN doc d USING (n) WHERE p.what = 'document'
       UNION ALL
           SELECT g.root, g.code, b.what, 1, b.seq FROM bad b JOIN got g USING (delivery) WHERE g.fits
       UNION ALL
           SELECT d.root, b.recipient, b.what, 1, b.seq FROM attempt s CROSS JOIN bad b ON b.document_id = s.hub_id
           JOIN doc d USING (n) WHERE s.hub_id <> '' AND s.what = 'document'
       UNION ALL
           SELECT d.root, b.recipient, b.what, 1, b.seq FROM bad b JOIN doc d ON d.n = b.post
       UNION ALL
           SELECT d.root, b.recipient, b.what, NOT EXISTS (SELECT 1 FROM post o JOIN doc e USING (n)
               WHERE o.document_id = p.document_id AND o.sender = p.sender AND e.root <> d.root), b.seq
           FROM bad b JOIN post p USING (document_id) JOIN doc d ON d.n = p.n
           JOIN party y ON y.code = p.sender AND y.system = b.system
           WHERE b.post = 0 AND NOT EXISTS (SELECT 1 FROM promise x WHERE x.delivery = b.delivery)
           AND NOT EXISTS (SELECT 1 FROM got x WHERE x.delivery = b.delivery)
       ) GROUP BY root, code, what, sure""",
    # Statuses. system: that of the other party, which must get it; never: it never looks; outbox: it reads of statuses
    # there. One that the hub may have taken did what it does after `sent`, and not after `acked`.
    "CREATE TEMP TABLE stated (n INTEGER, recipient TEXT, k INTEGER, name INTEGER, code TEXT, by_sender INTEGER, "
    "expect TEXT, system TEXT, never INTEGER, outbox INTEGER, sent INTEGER, acked INTEGER, unsettled INTEGER, "
    "PRIMARY KEY (n, recipient, k)) WITHOUT ROWID",
    """INSERT INTO stated SELECT r.n, r.recipient, r.k, COALESCE(d.name, r.n), r.code, r.by_sender,
           r.expect, y.system, COALESCE(o.silent, 0), COALESCE(o.reads, '') = 'outbox', MIN(s.seq),
           MIN(CASE WHEN s.ok THEN s.answered END), MAX(s.outcome = 'none')
       FROM reply r JOIN attempt s ON s.n = r.n AND s.recipient = r.recipient AND s.k = r.k AND s.what = 'status'
       LEFT JOIN post p ON p.n = r.n LEFT JOIN doc d ON d.n = r.n
       LEFT JOIN party y ON y.code = CASE WHEN r.by_sender THEN r.recipient ELSE p.sender END
       LEFT JOIN party o ON o.code = y.system
       GROUP BY r.n, r.recipient, r.k""",
    "CREATE INDEX temp.stated_name ON stated (name, recipient)",
    # What may have ended a document at a recipient: a 15, or, unseen, a 13 or a revocation of what it had not fetched.
    """CREATE TEMP VIEW gone AS
       SELECT t.name, t.recipient, t.code = '13' AS unseen, t.sent, t.n, t.k FROM stated t
           WHERE (t.acked OR t.unsettled) AND (t.code = '15' OR (t.code = '13' AND NOT EXISTS (
               SELECT 1 FROM got g JOIN doc d USING (root) WHERE d.n = t.n AND g.code = t.recipient AND g.fits
               AND g.seq < t.sent)))
       UNION ALL SELECT a.target, t.recipient, 0, t.sent, t.n, t.k FROM asks a JOIN stated t USING (name)
           WHERE a.kind IN (1, 3) AND t.code = '15' AND (t.acked OR t.unsettled)
       UNION ALL SELECT a.target, x.code, 1, f.sent, a.n, -1 FROM asks a JOIN addressee x USING (n)
           JOIN fate f USING (n) JOIN post p USING (n) WHERE a.kind = 1 AND (f.acked OR f.unsettled) AND NOT EXISTS (
               SELECT 1 FROM got g JOIN doc d USING (root) WHERE d.n = p.target AND g.code = x.code AND g.fits
               AND g.seq < f.sent)""",
    # A packet may have been handed out and not kept: the answer to a fetch was lost, or its recipient forgot it.
    """CREATE TEMP VIEW half_fetched AS SELECT 1 FROM timing WHERE operation = 'fetch' AND failed > 0
       UNION ALL SELECT 1 FROM injected WHERE place = 'agency' AND fault = 'dies'""",
    "CREATE TEMP TABLE status_packet (sha256 BLOB PRIMARY KEY, reply INTEGER) WITHOUT ROWID",
    "INSERT INTO status_packet SELECT sha256, MIN(rowid) FROM reply GROUP BY sha256",
    "CREATE TEMP TABLE came (n INTEGER, recipient TEXT, k INTEGER, delivery TEXT, system TEXT, listed INTEGER, "
    "fits INTEGER, PRIMARY KEY (n, recipient, k, delivery, system)) WITHOUT ROWID",
    """INSERT INTO came SELECT t.n, t.recipient, t.k, x.delivery, x.system, MIN(x.listed),
           MAX(COALESCE(t.system, x.system) = x.system)
       FROM kept x JOIN status_packet p USING (sha256) JOIN reply r ON r.rowid = p.reply
       JOIN stated t ON t.n = r.n AND t.recipient = r.recipient AND t.k = r.k
       WHERE x.what = 'status' GROUP BY t.n, t.recipient, t.k, x.delivery, x.system""",
    # Status packets that nobody sent; reply: what they should have been, as far as it can be told.
    """CREATE TEMP TABLE stray_status AS SELECT x.delivery, x.system, x.listed, COALESCE(
           (SELECT r.rowid FROM promise p JOIN answer a ON a.seq = p.answer JOIN sending s ON s.seq = a.sending
            JOIN reply r ON r.n = s.n AND r.recipient = s.recipient AND r.k = s.k
            WHERE p.delivery = x.delivery AND p.what = 'status'),
           (SELECT p.reply FROM status_packet p WHERE p.sha256 = x.listed_sha256),
           (SELECT r.rowid FROM post p JOIN reply r USING (n) WHERE p.document_id = x.document_id AND r.code = x.code
            AND x.sender = CASE WHEN r.by_sender THEN p.sender ELSE r.recipient END)) AS reply
       FROM kept x WHERE x.what = 'status' AND NOT EXISTS (SELECT 1 FROM status_packet p WHERE p.sha256 = x.sha256)""",
    """INSERT OR IGNORE INTO came SELECT t.n, t.recipient, t.k, x.delivery, x.system, MIN(x.listed),
           MAX(COALESCE(t.system, x.system) = x.system)
       FROM stray_status x JOIN reply r ON r.rowid = x.reply
       JOIN stated t ON t.n = r.n AND t.recipient = r.recipient AND t.k = r.k
       GROUP BY t.n, t.recipient, t.k, x.delivery, x.system""",
    # Acknowledged documents that never came, and of which no end was told. What excuses that (exchange rules 6):
    # * What was fetched, and its answer lost, ends unseen by a status about a packet of its name, or by a 15 or 16 that
    #   names what it asks about or what asks about it.
    # * A 13 or a revocation withdraws what was not fetched, and the revocation with it; a dialect may tell of no more
    #   than the newest (partly).
    """CREATE TEMP VIEW missing AS SELECT d.root, d.code, d.never, p.partly FROM due d JOIN doc e ON e.n = d.root JOIN (
           SELECT q.*, COALESCE(o.dialect, '') <> 'rest' AS partly FROM post q LEFT JOIN party y ON y.code = q.sender
           LEFT JOIN party o ON o.code = y.system) p ON p.n = d.root
       WHERE d.acked IS NOT NULL AND p.expect = ''
       AND NOT EXISTS (SELECT 1 FROM got g WHERE g.root = d.root AND g.code = d.code AND g.fits)
       AND NOT EXISTS (SELECT 1 FROM ended e WHERE e.root = d.root AND e.code = d.code)
       AND NOT (EXISTS (SELECT 1 FROM half_fetched) AND EXISTS (SELECT 1 FROM stated t WHERE t.recipient = d.code
           AND t.n <> d.root AND NOT t.by_sender AND (t.acked > d.sent OR (t.acked IS NULL AND t.unsettled))
           AND (t.name = e.name OR (t.code IN ('15', '16')
                AND t.name IN (SELECT other FROM kin WHERE name = e.name)))))
       AND NOT (p.partly AND (
           EXISTS (SELECT 1 FROM gone x WHERE x.name = e.name AND x.recipient = d.code AND x.unseen)
           OR (p.kind = 1 AND EXISTS (SELECT 1 FROM fate f WHERE f.n = p.target AND (f.acked OR f.unsettled))
               AND NOT EXISTS (SELECT 1 FROM got g JOIN doc t USING (root) WHERE t.n = p.target AND g.code = d.code
                               AND g.fits))))""",
    # Acknowledged statuses that surely are handed on, and never came. Recorded only (exchange rules 6): 01-06 below
    # what was said, or after the end; equal ones are one; a 13 on what was never fetched withdraws it, and 15
    # and 16 end its own delivery where that was fetched.
    """CREATE TEMP VIEW unheard AS SELECT s.n, s.recipient, s.k, s.code, s.never FROM stated s
       WHERE s.acked IS NOT NULL AND s.expect = ''
       AND NOT EXISTS (SELECT 1 FROM came c WHERE c.n = s.n AND c.recipient = s.recipient AND c.k = s.k AND c.fits)
       AND NOT EXISTS (SELECT 1 FROM stated t WHERE t.name = s.name AND t.recipient = s.recipient
           AND (t.n, t.k) <> (s.n, s.k) AND t.sent < s.acked AND (t.acked OR t.unsettled)
           AND (t.code = s.code OR (s.code IN ('01', '03', '04', '05', '06')
                AND (t.code = '02' OR (t.code > s.code AND t.code <= '06')))))
       AND NOT (s.code IN ('01', '03', '04', '05', '06') AND EXISTS (SELECT 1 FROM gone x
           WHERE x.name = s.name AND x.recipient = s.recipient AND NOT x.unseen AND x.sent < s.acked))
       AND (s.code <> '13' OR EXISTS (SELECT 1 FROM got g JOIN doc d USING (root) WHERE d.n = s.n
            AND g.code = s.recipient AND g.fits AND g.seq < s.sent)
            AND NOT (EXISTS (SELECT 1 FROM half_fetched) AND EXISTS (SELECT 1 FROM stated t
                WHERE t.name = s.name AND t.recipient = s.recipient AND t.code IN ('15', '16')
                AND (t.acked > s.sent OR (t.acked IS NULL AND t.unsettled)))))
       AND NOT (s.outbox AND (s.code NOT IN ('01', '02', '03', '04', '05', '06') OR EXISTS (
           SELECT 1 FROM id i JOIN doc d USING (root) JOIN told x USING (delivery)
           WHERE d.n = s.n AND i.code = s.recipient AND x.status = s.code)))""",
    # Whose an attempt was: its system's.
    """CREATE TEMP VIEW act AS SELECT s.seq, s.n, y.system FROM sending s JOIN post p USING (n)
       LEFT JOIN reply r ON s.what = 'status' AND r.n = s.n AND r.recipient = s.recipient AND r.k = s.k
       JOIN party y ON y.code = CASE WHEN s.what = 'document' OR r.by_sender THEN p.sender ELSE s.recipient END""",
    # What was listed again after it had been confirmed.
    """CREATE TEMP VIEW again AS SELECT k.* FROM kept k
       JOIN confirmed c ON c.delivery = k.delivery AND c.system = k.system WHERE k.listed > c.seq""",
    # Attempts that a fault met. spoils: it may have made the answer another one; the rest only take time.
    "CREATE TEMP TABLE excused (mark TEXT PRIMARY KEY, spoils INTEGER) WITHOUT ROWID",
    """INSERT INTO excused SELECT mark, MAX(fault NOT IN ('delay', 'slow-upload', 'duplicate')) FROM injected
       WHERE mark <> '' AND place <> 'agency' GROUP BY mark""",
    "CREATE TEMP VIEW spoiled AS SELECT mark FROM excused WHERE spoils",
    "CREATE TEMP TABLE finding (kind TEXT, n INTEGER, recipient TEXT, delivery TEXT, detail TEXT)",
)
