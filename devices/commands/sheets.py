"""`import` and `export` of the registry's parts, and `gengfu registry` for all of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from devices.commands.area import area_app
from devices.commands.building import building_app
from devices.commands.contact import contact_app
from devices.commands.desk import Desk, JsonOption, RevealOption, desk_of, now_us, refuse
from devices.commands.device import device_app
from devices.commands.dwelling import dwelling_app
from devices.commands.stair import stair_app
from devices.registry.errors import NotAllowed, RegistryError
from devices.sheets import FORMS, FaultsFound, Import, export_sheets, import_sheets
from devices.sheets.csv_file import ENCODINGS
from devices.sheets.faults import more
from devices.vault import VaultError

registry_app = typer.Typer(no_args_is_help=True, help="The whole registry as a workbook or a folder.")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help=".csv or .xlsx")]
BookArgument = Annotated[Path, typer.Argument(metavar="BOOK", help=".xlsx, or a folder of CSV files")]
SourceArgument = Annotated[
    Path,
    typer.Argument(metavar="FILE", help=".csv or .xlsx; the whole registry: .xlsx or a folder of CSV files"),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="do everything, say every change, take it back")
]
ChangesOption = Annotated[bool, typer.Option("--changes", help="say every change")]
ForceOption = Annotated[bool, typer.Option("--force", help="even if no duty desk can be reached any more")]
EncodingOption = Annotated[
    str, typer.Option("--encoding", help=f"of CSV files, if not found out: {', '.join(ENCODINGS)}")
]
FormOption = Annotated[str, typer.Option("--form", help="the one form of a .csv file")]


CHANGES_SHOWN: Final = 200
"""Changes, and moved devices, that are shown as text (chosen: what somebody reads); with --json all are."""


def _mount_import(app: typer.Typer, forms: Sequence[str], what: str) -> None:
    """The command `import` of one part, or of all where no forms are named."""

    @app.command("import", help=f"Brings {what} says; all of it or nothing.")
    def import_(
        context: typer.Context,
        file: SourceArgument,
        *,
        dry_run: DryRunOption = False,
        changes: ChangesOption = False,
        force: ForceOption = False,
        encoding: EncodingOption = "",
        json: JsonOption = False,
    ) -> None:
        desk = desk_of(context)
        with _refusing(json=json):
            done = import_sheets(
                desk.engine, desk.vault, file, forms=forms, by=desk.by, now_us=now_us(), dry_run=dry_run,
                force=force, encoding=encoding,
            )  # fmt: skip
        if changes or dry_run:
            _say_changes(done, json=json)
        _say_imported(done, dry_run=dry_run, json=json)
        _warn(done, dry_run=dry_run, json=json)


def _say_changes(done: Import, *, json: bool) -> None:
    """A line for each change, the first ones as text; an object for each with `json`."""
    if json:
        for one in done.changes:
            typer.echo(msgspec.json.encode(asdict(one)).decode())
        return
    left = 0
    for number, one in enumerate(done.changes, 1):
        left = max(0, number - CHANGES_SHOWN)
        if not left:
            typer.echo(one.text())
    for line in more(left):
        typer.echo(f"{line}; --json shows all")


def _say_imported(done: Import, *, dry_run: bool, json: bool) -> None:
    for one in done.forms:
        if json:
            typer.echo(msgspec.json.encode(asdict(one) | {"dry_run": dry_run}).decode())
        else:
            ends = f", {one.ways_end} ways end" if one.ways_end else ""
            typer.echo(f"{one.form:10} {one.new} new, {one.changed} changed, {one.unchanged} unchanged{ends}")
    if dry_run and not json:
        typer.echo("dry run: nothing was changed")


def _warn(done: Import, *, dry_run: bool, json: bool) -> None:
    """On stderr what somebody must know who did not expect it."""
    for file, encoding in done.encodings.items():
        _warn_of(json, f"{file} is not UTF-8: read as {encoding}", file=file, encoding=encoding)
    moved = done.moved if json else done.moved[:CHANGES_SHOWN]
    for one in moved:
        _warn_of(json, one.text(), **{"moved": one.uid} | asdict(one))
    for line in more(len(done.moved) - len(moved)):
        _warn_of(json, f"{line} moved")
    reach, would = done.reach, "would have" if dry_run else "have"
    if reach.places:
        first = ", ".join(reach.first) + (" …" if reach.places > len(reach.first) else "")
        text = f"{reach.places} places with a device newly {would} nobody who can be reached: {first}"
        _warn_of(json, text, newly_unreachable=reach.places, first=reach.first)
    if reach.last_desks:
        text = f"no duty desk can be reached any more: before it was {', '.join(reach.last_desks)}"
        _warn_of(json, text, last_desks=reach.last_desks)


def _warn_of(json: bool, text: str, **facts: object) -> None:
    typer.echo(msgspec.json.encode(facts | {"text": text}).decode() if json else text, err=True)


@contextmanager
def _refusing(*, json: bool) -> Iterator[None]:
    """Faults on stderr, a line or an object each; other refusals as everywhere. Exit code 1."""
    try:
        yield
    except FaultsFound as found:
        if not json:
            raise refuse(str(found)) from None
        for fault in found.faults:
            typer.echo(msgspec.json.encode(fault).decode(), err=True)
        for line in more(found.total - len(found.faults)):
            typer.echo(msgspec.json.encode({"more": found.total - len(found.faults), "text": line}), err=True)
        raise typer.Exit(1) from None
    except (RegistryError, VaultError) as error:
        raise refuse(str(error)) from None
    except OSError as error:
        raise refuse(f"{error.filename or 'file'}: {error.strerror}") from None


def _export(context: typer.Context, file: Path, forms: Sequence[str], *, reveal: bool, json: bool) -> None:
    desk: Desk = desk_of(context)
    with _refusing(json=json):
        written = export_sheets(
            desk.engine, desk.vault, file, forms, reveal=reveal, by=desk.by, now_us=now_us()
        )
    _say_exported(written, json=json)


def _say_exported(written: Mapping[str, int], *, json: bool) -> None:
    for form, rows in written.items():
        if json:
            typer.echo(msgspec.json.encode({"form": form, "rows": rows}).decode())
        else:
            typer.echo(f"{form:10} {rows} rows")


def _chosen(file: Path, forms: Sequence[str], form: str) -> Sequence[str]:
    """The forms to export: the one asked for, all in a workbook, the first in a CSV file."""
    if form and form not in forms:
        raise refuse(str(NotAllowed(f"form {form!r}: allowed are {', '.join(forms)}")))
    if form:
        return [form]
    return forms[:1] if file.suffix.lower() == ".csv" else forms


def _mount_plain_export(app: typer.Typer, name: str, what: str) -> None:
    """Export of a part with one form and nothing personal in it."""

    @app.command("export", help=f"Writes {what} to a new file, in the form that import takes.")
    def export(context: typer.Context, file: FileArgument, json: JsonOption = False) -> None:
        _export(context, file, [name], reveal=False, json=json)


CONTACT_FORMS: Final = ("contact", "binding")
DEVICE_FORMS: Final = ("device", "channel")

for _app, _name, _what in (
    (area_app, "area", "areas"),
    (building_app, "building", "buildings"),
    (stair_app, "stair", "stairs"),
):
    _mount_import(_app, [_name], f"{_what} to what a file")
    _mount_plain_export(_app, _name, _what)
_mount_import(dwelling_app, ["dwelling"], "dwellings to what a file")
_mount_import(contact_app, CONTACT_FORMS, "contacts or bindings to what a file")
_mount_import(device_app, DEVICE_FORMS, "devices or channels to what a file")
_mount_import(registry_app, (), "the whole registry to what a workbook or a folder")


@dwelling_app.command("export")
def export_dwellings(
    context: typer.Context, file: FileArgument, reveal: RevealOption = False, json: JsonOption = False
) -> None:
    """Writes dwellings to a new file; without --reveal leaves out the column attention."""
    _export(context, file, ["dwelling"], reveal=reveal, json=json)


@contact_app.command("export")
def export_contacts(
    context: typer.Context,
    file: FileArgument,
    form: FormOption = "",
    reveal: RevealOption = False,
    json: JsonOption = False,
) -> None:
    """Writes contacts and bindings to a new file; without --reveal leaves out names and addresses."""
    _export(context, file, _chosen(file, CONTACT_FORMS, form), reveal=reveal, json=json)


@device_app.command("export")
def export_devices(
    context: typer.Context, file: FileArgument, form: FormOption = "", json: JsonOption = False
) -> None:
    """Writes devices in service and channels to a new file, in the form that import takes."""
    _export(context, file, _chosen(file, DEVICE_FORMS, form), reveal=False, json=json)


@registry_app.command("export")
def export_registry(
    context: typer.Context, book: BookArgument, reveal: RevealOption = False, json: JsonOption = False
) -> None:
    """Writes the whole registry to a new workbook or folder; without --reveal nothing personal."""
    if book.suffix.lower() == ".csv":
        raise refuse("a .csv file holds one form: name a workbook (.xlsx) or a folder")
    _export(context, book, tuple(FORMS), reveal=reveal, json=json)
