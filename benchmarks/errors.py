"""What a measurement can fail with.

Errors:
* CannotMeasure: something needed is missing or did not work; the text says what.
"""


class CannotMeasure(Exception):
    """Something needed for the measurement is missing or did not work; the text says what."""
