"""Where points are kept for reading: series stores and the writer that feeds them from the journal."""
