"""Vendors' own octets inside another payload: codec plug-ins, each a function of octets."""
