"""From a scenario and a seed to who takes part, what is sent, and what is reported on it: nothing is done here."""
