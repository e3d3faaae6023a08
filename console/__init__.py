"""The operators' pages and the HTTP API."""
