"""`gengfu callbacks`: the addresses to enter at the providers, where they post what became of messages."""

from __future__ import annotations

import msgspec
import typer

from gengfu.cli import ConfigOption, JsonOption, configuration, refuse


def callbacks(context: typer.Context, config: ConfigOption = None, json: JsonOption = False) -> None:
    """The addresses to enter at the providers, for receipts of messages and replies to them: one for each
    account of this site. Each holds a secret: who knows it can say what became of a message, and answer."""
    from alerts.callbacks import POSTERS, callback_url
    from devices.secrets import secret_of
    from devices.vault import Vault, VaultError
    from gengfu.channel_accounts import accounts_of
    from gengfu.clock import now_us
    from gengfu.database_here import NothingHere, open_here
    from gengfu.run_alerts import ANSWERS_CALLBACK, answers_url

    settled = configuration(config or context.obj)
    try:
        engine = open_here(settled)
        context.call_on_close(engine.dispose)
        key = secret_of(engine, Vault.open(settled.key_path), ANSWERS_CALLBACK, now_us())
    except (NothingHere, VaultError) as error:
        raise refuse(error) from None
    accounts = accounts_of(settled.channels, settled.site.timezone)
    lines = [
        {"carrier": str(carrier), "url": callback_url(answers_url(settled), key, carrier)}
        for carrier in POSTERS
        if carrier in accounts.by_carrier
    ]
    for line in lines:
        typer.echo(msgspec.json.encode(line).decode() if json else f"{line['carrier']}  {line['url']}")
    if not lines:
        typer.echo("no account of this site posts receipts: set one up in [channels]", err=True)
    elif not settled.answers.public_url:
        typer.echo("no provider can reach this: set answers.public_url", err=True)
