"""One-tap pages and provider callbacks: the only part that faces the internet."""
