"""What a single value or time means."""
