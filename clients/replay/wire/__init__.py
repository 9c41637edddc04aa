"""The wire between the agencies and a hub: connections, what goes wrong on them on purpose, and the two dialects.

``lines`` is HTTP/1.1 over sockets, ``faults`` says which request meets what, ``dialects`` has the calls that ``rest``
and ``gateway`` both have, ``control`` speaks to the control port of a simulated hub.
"""
