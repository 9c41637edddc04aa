"""This hub beside what people use instead, in one run and on the same packets; ``python -m benchmarks.peers --help``.

A peer that is not installed is skipped, with a word. Each is told with what it does to a packet before it answers: they
do not promise the same, and a ratio of rates says nothing without that.
"""
