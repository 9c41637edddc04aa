"""What is to be played, as a readable file says it: TOML to a frozen ``Scenario``, faults told with their lines."""
