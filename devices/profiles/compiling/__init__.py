"""A profile file made ready for use: its paths, words, units and clocks settled once."""
