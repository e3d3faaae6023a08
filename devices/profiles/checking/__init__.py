"""A profile held against its own tests, and what is said of how a message was read."""
