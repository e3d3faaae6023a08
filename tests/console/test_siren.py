import io
import wave

import numpy as np

from console.siren import siren_wav


def test_the_siren_is_a_short_loud_wav_that_loops_without_a_click() -> None:
    with wave.open(io.BytesIO(siren_wav())) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        seconds = file.getnframes() / file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert 1.0 <= seconds <= 3.0
    assert np.abs(samples).max() > 15_000
    assert samples[0] == samples[-1] == 0
