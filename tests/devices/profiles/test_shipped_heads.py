"""The comment at the head of a shipped file shows how a site's own file extends it: that file can be used."""

from __future__ import annotations

from typing import Final

import pytest

from devices.profiles.checking.check import check_profile
from devices.profiles.shipped import FOLDER, SITE_TZ, shipped_compiled, shipped_files

_INDENTED: Final = "#   "


def example(name: str) -> str:
    head = (FOLDER / f"{name}.toml").read_text().split("\nname = ")[0]
    lines = head.splitlines()
    return "\n".join(line.removeprefix(_INDENTED) for line in lines if line.startswith(_INDENTED))


EXAMPLES: Final = ("aliyun-alink", "dragino", "huawei-iotda", "onenet", "sparkplug", "thingsboard")
"""Profiles of ecosystems in which each site names its own values."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_at_the_head_is_a_file_that_can_be_used(name: str) -> None:
    text = example(name)
    assert f'extends = "{name}"' in text
    checked = check_profile(
        text, file=f"{name}.toml", known=shipped_files(), others=shipped_compiled(), site_tz=SITE_TZ
    )
    assert checked.ok, [str(remark) for remark in checked.remarks]
