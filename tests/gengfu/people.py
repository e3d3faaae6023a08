"""Names and numbers for the cast of a story, and every form in which they must not be found in a database."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from sqlalchemy import Connection, Engine, insert, select, update

from devices.database import reading, writing
from devices.schema import contact, contact_channel, device, device_channel, publisher
from devices.vault import CHANNEL_ADDRESS, CONTACT_NAME, Vault

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"


def name_of(n: int) -> str:
    return f"{SURNAMES[n % len(SURNAMES)]}示例{SURNAMES[n // len(SURNAMES) % len(SURNAMES)]}"


def number_of(n: int) -> str:
    return f"1390571{n:04}"


def address_of(n: int) -> str:
    return f"https://sms.example/{number_of(n)}"


def seal_cast(engine: Engine, vault: Vault) -> dict[str, int]:
    """Gives every contact a name and every way its number; the number's place by the contact's code."""
    with reading(engine) as connection:
        codes = {row.code: row.id for row in connection.execute(select(contact.c.code, contact.c.id))}
    with writing(engine) as connection:
        for n, (_, number) in enumerate(sorted(codes.items())):
            sealed = vault.seal(name_of(n), CONTACT_NAME)
            connection.execute(update(contact).where(contact.c.id == number).values(name_sealed=sealed))
            connection.execute(
                update(contact_channel)
                .where(contact_channel.c.contact_id == number)
                .values(
                    address_sealed=vault.seal(address_of(n), CHANNEL_ADDRESS),
                    address_index=vault.blind_index(address_of(n)),
                )
            )
    return {code: n for n, code in enumerate(sorted(codes))}


def label_everything(connection: Connection, name: str, number: str) -> None:
    """Somebody typed a name and a number where a device, a channel of it or a publisher is described."""
    said = f"{name}家 {number}"
    uid = connection.execute(select(device.c.id)).scalars().first()
    connection.execute(update(device).values(label=said, installed_by=name))
    connection.execute(insert(device_channel).values(device_id=uid, channel="l1", label=said))
    values = {"name": "gw-1", "kind": "gateway", "password_hash": "x", "created_us": 1, "created_by": "t"}
    connection.execute(insert(publisher).values(label=said, **values))


def forms_of(text: str) -> Iterator[bytes]:
    """Text in every encoding, also as base64 at each of its three offsets, and hexadecimal."""
    for encoding in ENCODINGS:
        raw = text.encode(encoding)
        yield raw
        yield raw.hex().encode()
        for offset in range(3):
            whole = base64.b64encode(bytes(offset) + raw)
            yield whole[(offset * 8 + 5) // 6 : len(whole) - 4]  # letters that depend on the text alone


def forms_of_number(digits: str) -> Iterator[bytes]:
    """A number with and without separators, whole and as a country writes it."""
    grouped = [digits, f"+86{digits}"]
    grouped += [between.join((digits[:3], digits[3:7], digits[7:])) for between in (" ", "-", ".", "·")]
    for written in grouped:
        yield from forms_of(written)


def found_in(dump: bytes, names: list[str], numbers: list[str]) -> list[str]:
    """Which of the names and numbers stand in the dump in any form."""
    return [name for name in names if any(form in dump for form in forms_of(name))] + [
        number for number in numbers if any(form in dump for form in forms_of_number(number))
    ]
