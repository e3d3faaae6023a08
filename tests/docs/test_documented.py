"""What exists is documented, what is documented exists, and no page says where it was made."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import msgspec
import pytest
import typer
from msgspec import Struct
from prometheus_client import CollectorRegistry
from typer.core import TyperCommand

from console.answers.callbacks import Inbox
from console.answers.settings import AnswersSettings
from console.live import ChangeFeed
from devices.database import open_database
from devices.model import Quality
from gengfu.cli import app
from gengfu.commands import decode, mount
from gengfu.config import Broker, Config, FurtherBroker
from gengfu.config_channels import ApprovedText
from gengfu.config_file import parse_config
from gengfu.migrate import upgrade
from gengfu.ports import settle_ports
from gengfu.run_alerts import PrometheusMeter
from gengfu.run_alerts import figures as alerts_figures
from gengfu.run_caretaker import Caretaker
from gengfu.run_ingest import compose
from gengfu.run_pages import answers_figures
from gengfu.run_pages import figures as console_figures
from gengfu.run_store import figures as store_figures
from gengfu.telemetry import Figures, Value
from ingest.store.embedded import EmbeddedStore
from ingest.store.writer import StoreWriter
from tests.gengfu.every_command import commands_of

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
REGISTRY_HOSTS = tuple(
    name + rest
    for name, rest in (
        ("py", "pi.org"), ("pythonhos", "ted"), ("npm", "js.org"), ("npm", "js.com"), ("npm", "mirror"),
        ("mirrors.", "tuna"), ("mirrors.", "aliyun"),
    )
)  # fmt: skip
"""In two halves, so that this file names none."""
MACHINE_PATHS = re.compile(r"(?<![\w./-])/(?:work|root|tmp)(?=/|\b)")


def keys(struct: type[Struct], before: str = "") -> Iterator[tuple[str, object]]:
    """Every key of the configuration with its default."""
    for field in msgspec.structs.fields(struct):
        made = field.default_factory is not msgspec.NODEFAULT
        default = field.default_factory() if made else field.default
        if field.name == "brokers":
            yield from keys(FurtherBroker, "brokers.")
        elif field.required:
            yield f"{before}{field.name}", "required"
        elif isinstance(default, Struct):
            yield from keys(type(default), f"{before}{field.name}.")
        elif table := optional_table(field.type):
            yield from keys(table, f"{before}{field.name}.")
        else:
            yield f"{before}{field.name}", default


def optional_table(hint: object) -> type[Struct] | None:
    """The table that a key may have or not; a provider's text is described as a whole."""
    structs = [one for one in get_args(hint) if isinstance(one, type) and issubclass(one, Struct)]
    return structs[0] if structs and structs[0] is not ApprovedText else None


def rows(path: Path) -> dict[str, str]:
    """The second column of a document's tables, by the code in the first."""
    found = re.findall(r"^\| `([^`]+)` \| ([^|]+?) \|", path.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(found)


def test_every_configuration_key_is_documented_with_its_default_and_nothing_else_is() -> None:
    documented = rows(ROOT / "docs" / "configuration.md")
    shown = {key: msgspec.json.encode(default).decode() for key, default in keys(Config)}
    assert {key: text.strip("`") for key, text in documented.items()} == shown


def test_the_examples_of_the_configuration_are_some() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    site, account = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert parse_config(site, "example").site.name == "幸福社区"
    assert parse_config(account, "example").channels.aliyun is not None


def figures_of(prefix: str, read: Mapping[str, Value]) -> set[str]:
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in Figures(prefix, lambda: read).collect()
    }


def metrics(folder: Path) -> set[str]:
    """The names that the processes really serve."""
    config = settle_ports(Config(data=str(folder), broker=Broker(anonymous=True)))
    engine = open_database(config.database_url)
    upgrade(engine)
    ingest = compose(config)
    store = EmbeddedStore(folder / "points.db", keep_days=1)
    writer = StoreWriter(folder / "journal", store)
    registry = CollectorRegistry()
    PrometheusMeter(registry)
    found = {
        f"{family.name}_total" if family.type == "counter" else family.name for family in registry.collect()
    }
    found |= figures_of("ingest", ingest.figures()) | figures_of("store", store_figures(writer))
    found |= figures_of("alerts", alerts_figures(engine))
    found |= figures_of("console", console_figures(ChangeFeed(engine, 1.0)))
    found |= figures_of("answers", answers_figures(Inbox(AnswersSettings(b"k" * 32, lambda: 0), engine)))
    caretaker = Caretaker(config)
    found |= figures_of("caretaker", caretaker.figures())
    caretaker.close()
    ingest.source.close()
    ingest.journal.close()
    writer.close()
    ingest.engine.dispose()
    engine.dispose()
    return found


def test_every_metric_is_documented_and_nothing_else_is(tmp_path: Path) -> None:
    documented = {name for name in rows(ROOT / "docs" / "metrics.md") if name.startswith("gengfu_")}
    assert documented == metrics(tmp_path)


def test_every_dependency_is_documented_and_nothing_else_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {_name(text) for text in project["dependencies"]}
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| ([a-z0-9-]+) \|", text, re.MULTILINE)) - {"package"}
    assert documented == needed
    for group in project["optional-dependencies"].values():
        missing = {_name(one) for one in group if not re.search(rf"\b{_name(one)}\b", text)}
        assert {name for name in missing if not name.startswith("types-")} == set()


def _name(requirement: str) -> str:
    return re.split(r"[<>=!~\[ ]", requirement)[0].lower()


@pytest.fixture(scope="module")
def commands() -> dict[str, TyperCommand]:
    """Every command by its words, of an application of its own."""
    whole = typer.Typer()
    whole.registered_commands = [one for one in app.registered_commands if one.callback is not decode]
    mount(whole)
    return commands_of(whole)


def shown_lines(path: Path) -> Iterator[list[str]]:
    """The words of every `gengfu …` line in the code blocks of a document."""
    for block in re.findall(r"```[a-z]*\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            if line.strip().startswith("gengfu "):
                yield shlex.split(line, comments=True)[1:]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_a_document_shows_is_one_that_parses(
    path: Path, commands: dict[str, TyperCommand]
) -> None:
    for words in shown_lines(path):
        named = (" ".join(words[:n]) for n in (3, 2, 1))
        name = next((one for one in named if one in commands), words[0])
        assert name in commands, words
        with commands[name].make_context(name, words[len(name.split()) :], resilient_parsing=False):
            pass


def test_every_command_is_in_the_list_of_commands_and_nothing_else_is(
    commands: dict[str, TyperCommand],
) -> None:
    documented = set(
        re.findall(r"^\| `gengfu ([a-z -]+)`", (ROOT / "docs" / "commands.md").read_text(), re.MULTILINE)
    )
    assert documented == set(commands)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_to_files_and_headings_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, heading = target.partition("#")
        other = (path.parent / file).resolve() if file else path
        assert other.exists(), target
        if heading:
            assert heading in _headings(other), target
    for mentioned in re.findall(r"`((?:docs|deploy|tests)/[\w./-]+)`", text):
        assert (ROOT / mentioned).exists(), mentioned


def _headings(path: Path) -> set[str]:
    lines = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).strip().replace(" ", "-") for line in lines}


def test_every_quality_flag_is_explained() -> None:
    page = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
    assert [flag for flag in Quality if f"| `{flag.names[0]}` | " not in page] == []


def own_files() -> list[Path]:
    """Every file of the project's tree that is text."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    kinds = {".py", ".md", ".toml", ".sh", ".conf", ".html", ".js", ".css", ".json", ".yml", ".yaml", ""}
    return [ROOT / name for name in listed if name and Path(name).suffix in kinds and (ROOT / name).is_file()]


def test_no_file_names_a_package_registry() -> None:
    named = {
        (str(path.relative_to(ROOT)), host)
        for path in own_files()
        for host in REGISTRY_HOSTS
        if host in path.read_text(encoding="utf-8")
    }
    assert named == set()


def test_no_file_names_a_path_of_a_development_machine() -> None:
    named = {
        (str(path.relative_to(ROOT)), found[0])
        for path in own_files()
        if "tests" not in path.relative_to(ROOT).parts
        for found in MACHINE_PATHS.finditer(path.read_text(encoding="utf-8"))
    }
    assert named == set()
