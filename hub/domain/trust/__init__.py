"""Certificates judged at a moment: whether a signer's certificate counted when it signed (RFC 5280, RFC 6960).

``validation`` goes the numbered steps to a verdict, ``path`` finds the way to a trusted root, ``revocation`` reads CRLs
and OCSP answers, ``certificates`` says what keys and algorithms count and who signed what. The moment, the roots, the
certificates on the way and what is known of revocation are passed in; nothing is fetched.
"""

from hub.domain.trust.revocation import Material
from hub.domain.trust.validation import Result, Step, Validation, Verdict, validate

__all__ = ["Material", "Result", "Step", "Validation", "Verdict", "validate"]
