"""Figures anyone can re-run: one file per `gengfu bench` name."""
