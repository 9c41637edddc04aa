"""What is known of revocation, had from the net: CRLs from distribution points, answers of OCSP responders.

``gather`` decides whom to ask about a path, ``fetch`` asks within bounds. A serving hub asks nobody about revocation;
only whoever judges online does (docs/decisions/0036). That something cannot be had is told, never raised.

``stamped`` asks within the same bounds for a timestamp, which a serving hub does if it is told to
(docs/decisions/0040).
"""

from hub.revocation.fetch import Fetcher, FetchError, stamped
from hub.revocation.gather import Gathered, gather

__all__ = ["FetchError", "Fetcher", "Gathered", "gather", "stamped"]
