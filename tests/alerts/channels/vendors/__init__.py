"""Servers that behave like the vendors, written from their descriptions."""
