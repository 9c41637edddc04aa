"""Signatures in PDF files (PAdES, EN 319 142-1): who signed, whether the file is what was signed, what it is worth.

``examiner`` has a process of its own (``confined``) open packets and run ``examination``, which is pure: no file can
stop the hub. Nothing is fetched: roots and revocation material are passed in, what the file brings along is used too.
"""

from hub.pdf.examiner import Examiner, File, Limits, Opened
from hub.pdf.findings import UNEXAMINED, Asked, Examination, Reason, Report, Signer, Unexamined, unexamined

__all__ = [
    "UNEXAMINED",
    "Asked",
    "Examination",
    "Examiner",
    "File",
    "Limits",
    "Opened",
    "Reason",
    "Report",
    "Signer",
    "Unexamined",
    "unexamined",
]
