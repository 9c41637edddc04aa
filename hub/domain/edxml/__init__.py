"""edXML packets: bytes to ``Document`` or ``StatusReport`` and back; the only place that knows element names.

``parse`` checks the bytes and finds the frame, ``read_*`` takes the fields out of it, ``write_*`` makes packets that
the vendor's library reads. Judging values is ``hub.domain.rules``; signatures are ``hub.domain.signature``.
"""

from hub.domain.edxml.attachments import attachment_parts, manifest_of, plain_content_id
from hub.domain.edxml.names import DSIG, QCVN
from hub.domain.edxml.parse import DEFAULT_LIMITS, Limits, Tree, is_status, parse, signed_tree
from hub.domain.edxml.read import read_document, read_status
from hub.domain.edxml.write import write_document, write_status

__all__ = [
    "DEFAULT_LIMITS",
    "DSIG",
    "QCVN",
    "Limits",
    "Tree",
    "attachment_parts",
    "is_status",
    "manifest_of",
    "parse",
    "plain_content_id",
    "read_document",
    "read_status",
    "signed_tree",
    "write_document",
    "write_status",
]
