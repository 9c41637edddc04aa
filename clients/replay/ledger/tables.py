"""The book's tables. Whoever compares or judges runs reads these, and nothing else.

``seq`` is one counter over all tables: of two rows the one with the lower was written down first. Times are seconds of
scenario time unless a column says otherwise. Codes and document ids are in their canonical spelling (exchange rules 1);
a SHA-256 is 32 bytes, NULL where none is known; a text that is not known is ''.

An attempt is a row of ``sending``; its answer, if it got one or gave up waiting, names it. A packet is known by its
SHA-256: posts that are sent once more, byte for byte, have the same.
"""

from __future__ import annotations

TABLES: dict[str, str] = {
    # What is known of the run as a whole: key, JSON.
    "run": "key TEXT PRIMARY KEY, value TEXT",
    # The cast. system: the code whose system speaks for it.
    "party": "code TEXT PRIMARY KEY, name TEXT, system TEXT, dialect TEXT, profile TEXT, poll REAL, hours INTEGER, "
    "slow REAL, silent INTEGER, dies REAL, reads TEXT",
    # Documents, each written down before its first sending. day: ISO date; number: without leading zeros;
    # target, repeats: n of another post, or 0.
    "post": "n INTEGER PRIMARY KEY, at REAL, sender TEXT, document_id TEXT, number TEXT, symbol TEXT, day TEXT, "
    "kind INTEGER, target INTEGER, repeats INTEGER, defect TEXT, expect TEXT, size INTEGER, sha256 BLOB",
    # To whom a document is addressed, in its order.
    "addressee": "n INTEGER, place INTEGER, code TEXT, PRIMARY KEY (n, place)",
    # Statuses, each written down before its first sending: of post n, about its delivery to recipient, the k-th.
    "reply": "n INTEGER, recipient TEXT, k INTEGER, code TEXT, by_sender INTEGER, expect TEXT, sha256 BLOB, "
    "PRIMARY KEY (n, recipient, k)",
    # Attempts, each before it began. what: document or status; of a document recipient is '' and k 0.
    "sending": "seq INTEGER PRIMARY KEY, mark TEXT, what TEXT, n INTEGER, recipient TEXT, k INTEGER, at REAL",
    # How attempts ended. sending: its seq. outcome: accepted, repeated, refused, later (a temporary refusal), none.
    # seconds: real ones. code: of a refusal, with its rules after a slash where they are known: code/rule,rule.
    # moment: real seconds since the book was begun.
    "answer": "seq INTEGER PRIMARY KEY, sending INTEGER, outcome TEXT, status INTEGER, code TEXT, hub_id TEXT, "
    "seconds REAL, at REAL, moment REAL",
    # The deliveries that an answer named; what, n: of its sending. Of a status, its own, where the recipient may be ''.
    "promise": "answer INTEGER, what TEXT, n INTEGER, delivery TEXT, recipient TEXT",
    # Receipts, each before it was confirmed. listed: when the listing that named it first was asked for, as a seq,
    # and within that listing in its order. recipient, document_id, sender, code: as packet and listing say.
    "kept": "seq INTEGER PRIMARY KEY, listed INTEGER, system TEXT, delivery TEXT, what TEXT, recipient TEXT, "
    "document_id TEXT, sender TEXT, sha256 BLOB, listed_sha256 BLOB, code TEXT, at REAL",
    # The hub answered "done".
    "confirmed": "seq INTEGER PRIMARY KEY, system TEXT, delivery TEXT, at REAL",
    # What a system was told of what it sent. what: delivered, failed, expired, withdrawn, status …
    # document_id: the document's, or the hub's own id of it. n: of the post where that is known, or 0.
    "told": "seq INTEGER PRIMARY KEY, system TEXT, what TEXT, delivery TEXT, document_id TEXT, recipient TEXT, "
    "status TEXT, at REAL, n INTEGER",
    # Faults on purpose. place: network, agency or hub. mark: of the request it met; '' for what met the whole hub.
    # moment: as of an answer.
    "injected": "seq INTEGER PRIMARY KEY, fault TEXT, mark TEXT, place TEXT, at REAL, moment REAL",
    # How long requests took, by operation and real second of the run; several rows of one second add up.
    # ok, failed: numbers of requests. seconds, most: sum and longest, and buckets (JSON: bucket -> count), of the ok.
    "timing": "operation TEXT, second INTEGER, ok INTEGER, failed INTEGER, seconds REAL, most REAL, buckets TEXT",
    # What was looked at from time to time, by real second of the run.
    "sample": "second REAL, name TEXT, value REAL",
}

# A bucket is 1/8 of a doubling: what is read from it is off by 4.5 % at most.
_FIRST = 1e-4  # seconds: the upper end of bucket 0
_STEPS = 8
LAST_BUCKET = 200  # 3,355 seconds

EDGES = tuple(_FIRST * 2 ** (bucket / _STEPS) for bucket in range(LAST_BUCKET + 1))  # upper ends, in seconds
