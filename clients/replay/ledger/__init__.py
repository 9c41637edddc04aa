"""The book that the agencies keep of a run, and the judge who reads it: what was right, what was not, and figures."""
