"""What is known of revocation, had from the net: CRLs from distribution points, answers of OCSP responders.

``gather`` decides whom to ask about a path, ``fetch`` asks within bounds. A serving hub fetches nothing by itself; only
whoever judges online comes here (docs/decisions/0036). That something cannot be had is told, never raised.
"""

from hub.revocation.fetch import Fetcher, FetchError
from hub.revocation.gather import Gathered, gather

__all__ = ["FetchError", "Fetcher", "Gathered", "gather"]
