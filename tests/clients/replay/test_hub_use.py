"""What a hub takes of the machine counts all its processes."""

from __future__ import annotations

import subprocess
import sys

from clients.replay.player.hubs import use_of

WITH_A_CHILD_OF_A_THREAD = """
import subprocess, sys, threading
made = []
def start():
    made.append(subprocess.Popen([sys.executable, "-c", "print('here', flush=True); input()"], stdin=subprocess.PIPE))
    told.wait()
told = threading.Event()
thread = threading.Thread(target=start); thread.start()
input(); made[0].communicate(b"\\n"); told.set(); thread.join()
"""


def test_a_process_that_another_thread_than_the_first_started_counts_too() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WITH_A_CHILD_OF_A_THREAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        both = use_of(process.pid)
        alone = use_of_itself(process.pid)
        process.communicate("\n")
    assert both.memory > 1.5 * alone
    assert use_of(process.pid).memory == 0


def use_of_itself(pid: int) -> float:
    """MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS:"))
