"""Measurements of the hub as its users meet it; ``python -m benchmarks --help``. Nothing of the hub imports this.

Of the project only the packet format (``hub.domain``) is used: the hub runs as a process of its own, through its
command and its interface, so that what is measured is what is installed.
"""
