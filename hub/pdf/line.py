"""What travels between the hub and the process that examines; it loads no PDF library into the hub."""

from __future__ import annotations

import io
import pickle
import struct
from typing import Any

LENGTHS = struct.Struct("!QQ")  # of a question's two parts: what is asked (a pickle) and the file
LENGTH = struct.Struct("!Q")  # of an answer
NO_MEMORY = 12  # exit status

# What an answer is made of. Whatever a file might make of this process, its answers can say nothing else.
_TOLD = {
    "hub.pdf.findings": {"Examination", "Signature", "Timestamp", "Update", "Unexamined"},
    "hub.domain.trust.validation": {"Step", "Verdict", "Result"},
    "hub.domain.trust.revocation": {"Material"},
    "datetime": {"datetime", "timezone", "timedelta"},
}


class _Answer(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        if global_name not in _TOLD.get(module_name, ()):
            raise pickle.UnpicklingError(f"{module_name}.{global_name}")
        return super().find_class(module_name, global_name)


def read_answer(octets: bytes) -> Any:
    """What the process said. Raises UnpicklingError for anything that an examination does not consist of."""
    return _Answer(io.BytesIO(octets)).load()
