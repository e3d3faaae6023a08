"""Gengfu's own format."""
