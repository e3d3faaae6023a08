"""What hangs on the inputs of an LT-22222-L is said by the site's own file, as the profile's head shows."""

from __future__ import annotations

from typing import Any, Final

from devices.profiles.compiling.whole_file import compile_profile
from devices.profiles.described import DescribedProfile
from devices.profiles.language.load import load_profile
from devices.profiles.shipped import FOLDER, SITE_TZ, shipped_files, shipped_profiles
from tests.devices.profiles.describing import heard

HEAD: Final = (FOLDER / "dragino.toml").read_text().split("\nname = ")[0]
EUI: Final = "ac1f09fffe00e001"
OPEN: Final = {"Hardware_mode": "LT22222", "Work_mode": "2ACI+2AVI", "ACI1_mA": 0.0, "DI1_status": "L"}


def example() -> str:
    """The file in the comment at the head: its lines are indented."""
    return "\n".join(line.removeprefix("#   ") for line in HEAD.splitlines() if line.startswith("#   "))


def site() -> DescribedProfile:
    file = load_profile(example(), file="cellar-rtu.toml", known=shipped_files())
    own = compile_profile(file, site_tz=SITE_TZ)
    profiles = shipped_profiles(site=[own])
    return next(one for one in profiles if isinstance(one, DescribedProfile) and one.name == "chirpstack")


def said(values: dict[str, Any]) -> dict[str, tuple[float | None, list[str]]]:
    message = f"application/a/device/{EUI}/event/up", {"object": OPEN | values}
    return {metric: (value, quality) for _, _, metric, value, quality in heard(site(), message)}


def test_an_open_loop_is_a_fault_of_what_hangs_on_it_and_no_temperature() -> None:
    found = said({"ACI1_mA": 0.0})
    assert found["temperature"] == (None, ["fault"])
    assert found["analog.current"] == (0.0, [])


def test_a_live_loop_is_scaled_from_its_4_milliamperes() -> None:
    assert said({"ACI1_mA": 3.6})["temperature"] == (-2.5, [])
    assert said({"ACI1_mA": 4})["temperature"] == (0.0, [])
    assert said({"ACI1_mA": 12})["temperature"] == (50.0, [])


def test_the_dry_contact_of_a_smoke_detector_is_smoke() -> None:
    assert said({"DI1_status": "H"})["smoke.alarm"] == (1.0, [])
    assert said({"DI1_status": "L"})["smoke.alarm"] == (0.0, [])
    assert said({"DI1_status": "H"})["digital.in"] == (1.0, [])
