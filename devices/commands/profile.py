"""`gengfu profile`: which device profiles there are, and whether a file is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from devices.commands.desk import JsonOption, print_rows, refuse
from devices.profiles.checking.check import Checked, Remark, check_profile
from devices.profiles.checking.state import NOT_SEEN, states_of
from devices.profiles.compiling.compiled import Compiled
from devices.profiles.language.error import ProfileError
from devices.profiles.language.file import ProfileFile
from devices.profiles.language.load import name_faults
from devices.profiles.language.source import read_text
from devices.profiles.own.own_profile import OwnProfile
from devices.profiles.shipped import shipped_compiled, shipped_faults, shipped_files
from devices.profiles.site import Site, read_site

profile_app = typer.Typer(no_args_is_help=True, help="Device profiles: what vendors' messages mean.")


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the site's own profiles lie, and its time zone (IANA); `used` is where the service keeps what it
    uses of them."""

    folder: Path
    timezone: str
    used: Path | None = None


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """A profile in the list. `source` is `shipped` or its file; `fault` says why it cannot be used, `state`
    how the service stands to it (`checking.state`; empty for those shipped)."""

    name: str
    version: int
    vendor: str
    models: tuple[str, ...]
    topics: tuple[str, ...]
    extends: str
    source: str
    fault: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class _Short:
    """The same in the width of a page."""

    name: str
    version: int
    vendor: str
    models: str
    topics: str
    source: str
    state: str


def shelf_of(context: typer.Context) -> Shelf:
    """The shelf that the program's root put into the context, or that the function there finds."""
    shelf = context.obj() if callable(context.obj) else context.obj
    if not isinstance(shelf, Shelf):
        raise TypeError("commands of profiles need a Shelf as the context's object")
    return shelf


@profile_app.command("list")
def list_(context: typer.Context, json: JsonOption = False) -> None:
    """Shipped profiles and the site's own, in the order in which they are asked."""
    shelf = shelf_of(context)
    site = read_site(shelf.folder, site_tz=shelf.timezone)
    states = _states(shelf, site)
    lines = [replace(one, state=states.get(one.name, "")) for one in _lines(shelf, site)]
    if json:
        print_rows(lines, json=True)
        return
    print_rows([_short(one) for one in lines], json=False)
    for one in lines:
        if why := one.state.partition(": ")[2] or one.fault:
            typer.echo(f"cannot be used: {why}", err=True)


@profile_app.command("check")
def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="the profile's TOML file")],
    json: JsonOption = False,
) -> None:
    """Reads a profile file, runs its own tests, and names what is wrong with line and key."""
    shelf = shelf_of(context)
    site = read_site(shelf.folder, site_tz=shelf.timezone)
    checked = _checked(file, shelf, site)
    for remark in checked.remarks:
        if json:
            typer.echo(msgspec.json.encode(remark).decode())
        else:
            typer.echo(str(remark), err=True)
    if json:
        typer.echo(msgspec.json.encode(_summary(checked)).decode())
    if not checked.ok:
        faults = sum(one.level == "fault" for one in checked.remarks)
        raise refuse(f"gengfu: {file}: {_count(faults, 'fault')}")
    if not json:
        typer.echo(
            f"{checked.name} {checked.version}: {_count(checked.messages, 'message')}, "
            f"{_count(checked.values, 'value')}, {_count(checked.tests, 'test')} passed"
        )
        if _is_own(file, shelf):
            typer.echo(f"the service: {_states(shelf, site).get(checked.name, NOT_SEEN)}")


def _checked(file: Path, shelf: Shelf, site: Site) -> Checked:
    try:
        text = read_text(file)
    except ProfileError as error:
        raise refuse(f"{file}{str(error).removeprefix(file.name)}") from None
    beside = site.files
    if not _is_own(file, shelf):
        beside = {**read_site(file.parent, site_tz=shelf.timezone).files, **beside}
    known = {**beside, **shipped_files()}
    others = [*site.compiled.values(), *shipped_compiled(shelf.timezone)]
    checked = check_profile(text, file=str(file), known=known, others=others, site_tz=shelf.timezone)
    if not checked.name:
        return checked
    level = "fault" if _is_own(file, shelf) else "warning"
    misnamed = [
        Remark(level, str(file), one.line, one.key, one.problem)
        for one in name_faults(text, file.stem, shipped_files())
    ]
    return replace(checked, remarks=(*checked.remarks, *misnamed))


def _is_own(file: Path, shelf: Shelf) -> bool:
    """Whether the service looks at the file."""
    return file.resolve().parent == shelf.folder.resolve()


def _summary(checked: Checked) -> dict[str, object]:
    facts = asdict(checked)
    del facts["remarks"]
    levels = [one.level for one in checked.remarks]
    return {**facts, "ok": checked.ok, "faults": levels.count("fault"), "warnings": levels.count("warning")}


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def _lines(shelf: Shelf, site: Site) -> Iterator[ProfileLine]:
    """Our own format first, then the site's, then the shipped ones: as they are asked."""
    ours = OwnProfile()
    yield ProfileLine(ours.name, ours.version, "Gengfu", (), ours.filters, "", "shipped", "")
    for name in sorted({*site.files, *site.faults}):
        where = str(shelf.folder / f"{name}.toml")
        if name in site.files:
            yield _line(site.files[name], site.compiled[name], where)
        else:
            yield ProfileLine(name, 0, "", (), (), "", where, str(site.faults[name]))
    files = shipped_files()
    for compiled in shipped_compiled(shelf.timezone):
        if compiled.name not in site.files:
            yield _line(files[compiled.name], compiled, "shipped")
    for fault in shipped_faults(shelf.timezone):
        yield ProfileLine(Path(fault.file).stem, 0, "", (), (), "", "shipped", str(fault))


def _short(line: ProfileLine) -> _Short:
    several = _first(line.models), _first(line.topics)
    state = line.state.partition(":")[0]
    return _Short(line.name, line.version, line.vendor, *several, line.source, state)


def _states(shelf: Shelf, site: Site) -> dict[str, str]:
    return states_of(site, shipped_compiled(shelf.timezone), shelf.used)


def _first(several: tuple[str, ...]) -> str:
    """The first of several, and how many more there are."""
    return (several[0] + (f" and {len(several) - 1} more" if len(several) > 1 else "")) if several else ""


def _line(file: ProfileFile, compiled: Compiled, source: str) -> ProfileLine:
    topics = tuple(dict.fromkeys(one.text for one in compiled.topics))
    return ProfileLine(
        file.name, file.version, file.vendor, tuple(file.models), topics, file.extends, source, ""
    )
