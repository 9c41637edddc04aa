"""Postfix: the packet as mail over SMTP."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from pathlib import Path

from benchmarks.peers import load, processes
from benchmarks.peers.load import Load, Talk
from benchmarks.report import Run
from benchmarks.servers import Running

NAME = "Postfix"
DOES = (
    "takes a mail for all recipients, the packet attached in Base64, and writes it into its queue (fsync) before it "
    "answers; verifies nothing; a discard transport empties the queue (in_flow_delay=0)"
)
_SENDER, _DOMAIN = "vanthu@vpcp.example.vn", "axis.example.vn"

# Loopback only, no name service, nothing delivered; else as it comes.
_MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = /dev/stdout
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
myhostname = hub.example.vn
mydestination =
alias_maps =
alias_database =
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
default_process_limit = {processes}
default_transport = discard
in_flow_delay = 0
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def absent() -> str:
    """Why it cannot be measured here; empty if it can."""
    if shutil.which("postfix") is None:
        return "not installed: apt-get install --no-install-recommends postfix"
    return "" if os.geteuid() == 0 else "its master starts as root only, and this run is not root's"


def measure(run: Run, given: Load) -> None:
    """Mails per second."""
    run.versions.append(f"Postfix {_setting('mail_version')}")
    with _server(given.connections) as (port, server):
        mails = replace(given, packets=[mail(packet) for packet in given.packets])
        commands = envelope([one.organ_id for one in given.recipients])
        fire = partial(load.fire, port, greet, partial(send, commands))
        mails.measure(run, f"{NAME}, {len(given.recipients)} recipients", server, fire)


@contextmanager
def _server(connections: int) -> Iterator[tuple[int, Running]]:
    with processes.folder() as home:
        port, made = processes.free_port(), home / "etc"
        for name in ("etc", "queue", "data"):
            (home / name).mkdir()
        shutil.chown(home / "data", _setting("mail_owner"))
        (made / "main.cf").write_text(_MAIN.format(home=home, processes=connections + 100), "utf-8")
        (made / "master.cf").write_text(_MASTER.format(port=port), "utf-8")
        log = home / "log"
        # It makes the folders of the queue and gives them to their users.
        with open(log, "wb") as said:
            subprocess.run(["postfix", "-c", made, "check"], stdout=said, stderr=said, timeout=60, check=True)
        master = Path(_setting("daemon_directory")) / "master"
        with processes.started([master, "-c", made, "-s"], log) as process:
            processes.await_port(port, process, log)
            yield port, Running(f"smtp://127.0.0.1:{port}", process.pid)


def _setting(name: str) -> str:
    """As it comes."""
    told = subprocess.run(["postconf", "-d", "-h", name], stdout=subprocess.PIPE, timeout=60, check=True, text=True)
    return told.stdout.strip()


def mail(packet: bytes) -> bytes:
    """The packet as a mail, as SMTP carries it: dots doubled at the start of a line, and one dot at the end."""
    made = EmailMessage(SMTP)
    made["From"], made["To"], made["Subject"] = _SENDER, f"noi-nhan@{_DOMAIN}", "Văn bản điện tử"
    made.set_content("Văn bản điện tử kèm theo.\n")
    made.add_attachment(packet, "application", "xml", filename="van-ban.edxml")
    return made.as_bytes().replace(b"\r\n.", b"\r\n..") + b".\r\n"


def envelope(codes: Sequence[str]) -> bytes:
    """The commands before a mail to these agencies, which go in one piece (RFC 2920)."""
    to = (f"RCPT TO:<{code}@{_DOMAIN}>" for code in codes)
    return "\r\n".join([f"MAIL FROM:<{_SENDER}>", *to, "DATA", ""]).encode()


async def greet(talk: Talk) -> None:
    await _told(talk, b"", "220")
    await _told(talk, b"EHLO qlvb.example.vn\r\n", "250")


async def send(commands: bytes, talk: Talk, mail: bytes) -> None:
    """Raises RuntimeError when the mail is not taken for every recipient."""
    await _told(talk, commands, *["250"] * (commands.count(b"\r\n") - 1), "354")
    await _told(talk, mail, "250")


async def _told(talk: Talk, said: bytes, *codes: str) -> None:
    """Raises RuntimeError for another answer than one of these codes to each command."""
    answer = await talk.ask(said, _replies(len(codes)))
    if tuple(_codes(answer)) != codes:
        raise RuntimeError(f"Postfix answers {answer.decode(errors='replace')}")


def _replies(count: int) -> Callable[[bytes], bool]:
    return lambda heard: heard.endswith(b"\r\n") and len(_codes(heard)) >= count


def _codes(heard: bytes) -> Sequence[str]:
    """One of each reply; of one in several lines that of the last (RFC 5321 §4.2.1)."""
    return [line[:3].decode() for line in heard.split(b"\r\n") if line[3:4] == b" "]
