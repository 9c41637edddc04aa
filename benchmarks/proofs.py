"""How long a proof takes that an entry is in a log of ten million, read from the tiles of a database."""

from __future__ import annotations

import random
import time
from hashlib import sha256
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from benchmarks.load import Answers
from benchmarks.report import Measure, Run
from benchmarks.servers import databases
from hub.domain.merkle import HASH_LENGTH, inclusion_proof, leaf_hash
from hub.domain.tiles import FULL, Tile, grown, hashes_from
from hub.store import evidence, schema
from hub.store.engine import open_engine, reading, writing
from hub.store.tiles import Stored

ENTRIES = 10_000_000
_STEP = 100_000


def proofs(run: Run, database: str, *, seconds: int) -> None:
    """Proofs of entries at random places, one after the other, each with tiles that were not read before."""
    with databases(database, 1) as (url,), TemporaryDirectory() as folder:
        engine = open_engine(url or f"sqlite:///{folder}/hub.db")
        try:
            schema.upgrade(engine)
            _fill(engine)
            places, answers = random.Random(7), Answers()
            cpu, began = time.process_time(), time.perf_counter()
            while (asked_at := time.perf_counter()) < began + seconds:
                with reading(engine) as connection:
                    inclusion_proof(places.randrange(ENTRIES), ENTRIES, hashes_from(ENTRIES, Stored(connection)))
                answers.latencies.append(time.perf_counter() - asked_at)
            answers.seconds = time.perf_counter() - began
            run.add(Measure.of(f"inclusion proofs, {ENTRIES:,}, {database}", answers, time.process_time() - cpu))
        finally:
            engine.dispose()


def _fill(engine: Engine) -> None:
    """The tiles of a log of so many entries, without the entries."""
    edge: dict[tuple[int, int], bytes] = {}

    def contents(tile: Tile) -> bytes:
        return edge[tile.level, tile.index][: tile.width * HASH_LENGTH]

    for size in range(0, ENTRIES, _STEP):
        leaves = [leaf_hash(sha256(n.to_bytes(8, "big")).digest()) for n in range(size, size + _STEP)]
        changed = grown(size, leaves, contents)
        with writing(engine) as connection:
            evidence.put_tiles(connection, changed)
        edge = {place: data for place, data in (edge | changed).items() if len(data) < FULL * HASH_LENGTH}
