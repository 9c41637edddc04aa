"""Signatures of packets: sign, verify, and judge for whom a signature stands (exchange rules 3).

``sign`` and ``verify`` are the two directions of one profile of XML Signature 1.1; ``form`` reads the element,
``algorithms`` lists what counts, ``standing`` turns a verified certificate into a verdict, ``possession`` proves a key
at its registration. Names of XML Signature occur only here; those of the packet only in ``hub.domain.edxml``. Keys,
registered certificates and the moment are passed in.
"""

from hub.domain.signature.algorithms import PrivateKey, fingerprint, key_of
from hub.domain.signature.possession import is_proved, prove, statement
from hub.domain.signature.sign import sign
from hub.domain.signature.standing import Counted, Standing, Verdict, judge
from hub.domain.signature.verify import Signed, Unsigned, verify

__all__ = [
    "Counted",
    "PrivateKey",
    "Signed",
    "Standing",
    "Unsigned",
    "Verdict",
    "fingerprint",
    "is_proved",
    "judge",
    "key_of",
    "prove",
    "sign",
    "statement",
    "verify",
]
