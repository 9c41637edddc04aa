"""The test harness: plays a nation's agencies against a hub, with faults, and judges it by the agencies' own books."""
