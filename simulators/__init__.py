"""Fleets, scenarios, load and phones. An independent second implementation of the wire formats."""
