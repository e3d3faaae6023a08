"""What is wrong. Pure: no clock, file, network or database."""
