"""Traffic of real agencies: recorded before any hub, played again with fresh ids and keys, and two runs compared.

``record`` is the proxy that listens, ``framing`` and ``heard`` say where a message ends and what it asks; ``file`` is
what it writes. ``plan`` reads what the agencies did out of it, with ``packets``, ``outcome`` (of an answer) and
``systems`` (who took part); ``again`` makes packets anew, by ``leaves`` (where texts stand in them) and ``noise``;
``play`` is both as the player wants it. ``diff`` compares what came of two runs.
"""
