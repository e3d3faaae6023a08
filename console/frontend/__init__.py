"""The console's front-end libraries: which versions, and fetching them at set-up."""
