"""Payload formats: octets in, a tree of plain values out, or the reason why not."""
