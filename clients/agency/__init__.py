"""The `agency` command: what an agency's people send and receive with. A folder is an agency.

``command`` reads what was typed; ``home`` is the folder and its settings, ``keys`` its key and certificate, which
``joining`` makes and ``renewing`` replaces; ``drafting`` writes documents and reports, ``checking`` judges them
offline, ``sending`` and ``folders`` send them; ``listening`` receives into ``shelf``; ``proving`` asks for evidence and
verifies it; ``durable`` is every write that must survive a power cut; ``voice`` and ``texts`` tell of it in Vietnamese
or English.
"""
