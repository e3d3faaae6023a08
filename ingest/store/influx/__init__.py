"""Writing to InfluxDB and what speaks its language: names, lines, requests, refusals, the way there."""
