"""The agencies at work: what they do when, on scenario time, and the hubs they do it to."""
