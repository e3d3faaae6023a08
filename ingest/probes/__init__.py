"""Proofs by behaviour that a broker keeps what ingest relies on, for `gengfu check`."""
