"""Measurements of the hub as its users meet it; ``python -m benchmarks --help``. Nothing of the hub imports this.

The hub runs as a process of its own, through its command and its interfaces, so that what is measured is what is
installed. Of the project are used the packet format (``hub.domain``), what a gateway client sends
(``clients.gateway_client``), and the tables (``hub.store``), where more has to wait than can be sent in time.
"""
