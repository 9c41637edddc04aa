"""``python -m clients.agency``."""

from clients.agency.command import main

main()
