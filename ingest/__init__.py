"""From the wire to durable readings: source, decoding, journal, series store."""
