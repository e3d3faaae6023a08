"""Who must know, and until when: incidents, escalation, outbox, channels."""
