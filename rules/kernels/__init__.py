"""One file a kernel: its entry in the catalogue, and what it does with a batch."""
