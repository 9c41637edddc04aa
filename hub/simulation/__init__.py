"""A hub that misbehaves by order: for vendors who try their software, and for the judge of a replay.

Never part of a hub that serves in earnest: ``hub.serve`` imports it only for ``--simulation-port``. It stands around
the application (``faults``, ``old_axis``, ``mutants``) and at the seams ``clock``, ``at`` and ``writing``; the rules of
exchange know nothing of it. ``control`` takes the orders, on a port of 127.0.0.1 alone.
"""
