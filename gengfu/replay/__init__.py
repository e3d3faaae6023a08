"""Recorded readings through the rule engine, in virtual time: what would have been raised."""
