"""Signatures in PDF files (PAdES, EN 319 142-1): who signed, whether the file is what was signed, what it is worth.

``examiner`` has a process of its own (``confined``) run ``examination``, which is pure: no file can stop the hub.
Nothing is fetched: roots and revocation material are passed in, what the file brings along is used too.
"""

from hub.pdf.examiner import Examiner, Limits
from hub.pdf.findings import Asked, Examination, Unexamined, to_json

__all__ = ["Asked", "Examination", "Examiner", "Limits", "Unexamined", "to_json"]
