"""Policies files for tests: the shipped one, changed here and there."""

from __future__ import annotations

from importlib.resources import files

SHIPPED = files("alerts").joinpath("policies.toml").read_text(encoding="utf-8")


def shipped_policy(severity: str, *changes: tuple[str, str], area: str = "") -> str:
    """The text of one shipped policy with `changes` (what to what) made in it, each everywhere."""
    parts = SHIPPED.partition("[[policy]]")[2].split("[[policy]]\n")
    text = next(one for one in parts if f'severity = "{severity}"\n' in one).rpartition("\n#")[0] or next(
        one for one in parts if f'severity = "{severity}"\n' in one
    )
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    where = f'area = "{area}"\n' if area else ""
    head, _, rest = text.lstrip().partition("\n")
    return f"[[policy]]\n{head}\n{where}{rest}\n"


def policies_file(*policies: str) -> str:
    return "version = 1\n\n" + "\n".join(policies)
