"""The registry: what exists and who belongs to it. Functions on a connection, in the caller's transaction.

Every write names who wrote (`by`) and when (`now_us`), leaves a row of `registry_change`, and raises a
RegistryError whose text names the value and what is allowed. Whoever catches one must roll back.
"""

from devices.registry.bindings import BindingRow, bind, list_bindings, unbind
from devices.registry.contacts import (
    ChannelRow,
    ContactRow,
    add_channel,
    add_contact,
    address_to_send,
    find_by_address,
    list_contacts,
    reveal_contacts,
)
from devices.registry.errors import AlreadyThere, NotAllowed, NotThere, RegistryError
from devices.registry.installed import DeviceRow, list_devices, register_device, retire_device
from devices.registry.rows import Written
from devices.registry.tree import (
    AreaRow,
    BuildingRow,
    DwellingRow,
    StairRow,
    add_area,
    add_building,
    add_dwelling,
    add_stair,
    list_areas,
    list_buildings,
    list_dwellings,
    list_stairs,
    reveal_dwelling,
)
from devices.registry.users import UserRow, add_user, list_users, verify_password

__all__ = [
    "AlreadyThere",
    "AreaRow",
    "BindingRow",
    "BuildingRow",
    "ChannelRow",
    "ContactRow",
    "DeviceRow",
    "DwellingRow",
    "NotAllowed",
    "NotThere",
    "RegistryError",
    "StairRow",
    "UserRow",
    "Written",
    "add_area",
    "add_building",
    "add_channel",
    "add_contact",
    "add_dwelling",
    "add_stair",
    "add_user",
    "address_to_send",
    "bind",
    "find_by_address",
    "list_areas",
    "list_bindings",
    "list_buildings",
    "list_contacts",
    "list_devices",
    "list_dwellings",
    "list_stairs",
    "list_users",
    "register_device",
    "retire_device",
    "reveal_contacts",
    "reveal_dwelling",
    "unbind",
    "verify_password",
]
