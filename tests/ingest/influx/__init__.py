"""Tests of writing to InfluxDB."""
