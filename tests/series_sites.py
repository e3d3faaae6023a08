"""A server of the tests as a site's configuration names it."""

from __future__ import annotations

from pathlib import Path

from tests.series_servers import VICTORIA, SeriesServer


def store_section(server: SeriesServer, folder: Path) -> str:
    """`[store]` for `gengfu.toml`; a token is put into a file in the folder."""
    head = f'[store]\nkind = "influxdb"\nurl = "{server.url}"\n'
    if server.kind == VICTORIA:
        return f'{head}bucket = "any"\n'
    if not server.by_bucket:
        return f'{head}database = "{server.database}"\n'
    (folder / "series.token").write_text(server.token)
    place = f'org = "{server.org}"\nbucket = "{server.bucket}"\n'
    return f'{head}{place}token_file = "{folder / "series.token"}"\n'
