"""The registry: what exists and who belongs to it. Functions on a connection, in the caller's transaction.

Every write names who wrote (`by`) and when (`now_us`), leaves a row of `registry_change`, and raises a
RegistryError whose text names the value and what is allowed. Whoever catches one must roll back.
"""

from devices.registry.attention import Attention, Flag, attention_text, check_attention, read_attention
from devices.registry.bindings import BindingRow, bind, list_bindings, rebind, unbind
from devices.registry.channels import DeviceChannelRow
from devices.registry.channels import list_channels as list_device_channels
from devices.registry.channels import remove_channel as remove_device_channel
from devices.registry.channels import set_channel as set_device_channel
from devices.registry.contacts import (
    ChannelRow,
    ContactRow,
    add_channel,
    add_contact,
    address_to_send,
    find_by_address,
    list_contacts,
    remove_channel,
    reveal_contacts,
    set_channel_rank,
    set_contact,
)
from devices.registry.credentials import Credential
from devices.registry.device_checks import ChannelSaid, DeviceChanges, DeviceSaid
from devices.registry.devices_listed import DeviceRow, PublisherOfDevice, list_devices, publishers_of
from devices.registry.erasure import Erasure, erase_contact, erasure_of, unused_contacts
from devices.registry.errors import AlreadyThere, NotAllowed, NotThere, RegistryError
from devices.registry.installed import move_device, register_device, retire_device, set_device
from devices.registry.looks import LookRow, list_looks
from devices.registry.placements import StayRow, device_at, placements_of
from devices.registry.places_listed import (
    AreaRow,
    BuildingRow,
    DwellingRow,
    StairRow,
    list_areas,
    list_buildings,
    list_dwellings,
    list_stairs,
    reveal_dwelling,
)
from devices.registry.places_removed import remove_area, remove_building, remove_dwelling, remove_stair
from devices.registry.places_set import (
    move_area,
    move_building,
    set_area,
    set_building,
    set_dwelling,
    set_stair,
)
from devices.registry.publishers import (
    PublisherRow,
    ValidPublisher,
    add_publisher,
    issue_publishers,
    list_publishers,
    revoke_publisher,
    rotate_publisher,
    valid_publishers,
)
from devices.registry.refusals import RefusalRow, list_refusals
from devices.registry.rows import Page, Written
from devices.registry.substitutions import (
    SubstitutionRow,
    cancel_substitution,
    list_substitutions,
    substitute,
)
from devices.registry.tree import add_area, add_building, add_dwelling, add_stair
from devices.registry.user_scopes import set_scope
from devices.registry.users import (
    HashedPassword,
    UserRow,
    add_user,
    disable_user,
    enable_user,
    hash_password,
    list_users,
    log_out_user,
    set_password,
    set_role,
    verify_password,
)
from devices.registry.within import Place

__all__ = [
    "AlreadyThere",
    "AreaRow",
    "Attention",
    "BindingRow",
    "BuildingRow",
    "ChannelRow",
    "ChannelSaid",
    "ContactRow",
    "Credential",
    "DeviceChanges",
    "DeviceChannelRow",
    "DeviceRow",
    "DeviceSaid",
    "DwellingRow",
    "Erasure",
    "Flag",
    "HashedPassword",
    "LookRow",
    "NotAllowed",
    "NotThere",
    "Page",
    "Place",
    "PublisherOfDevice",
    "PublisherRow",
    "RefusalRow",
    "RegistryError",
    "StairRow",
    "StayRow",
    "SubstitutionRow",
    "UserRow",
    "ValidPublisher",
    "Written",
    "add_area",
    "add_building",
    "add_channel",
    "add_contact",
    "add_dwelling",
    "add_publisher",
    "add_stair",
    "add_user",
    "address_to_send",
    "attention_text",
    "bind",
    "cancel_substitution",
    "check_attention",
    "device_at",
    "disable_user",
    "enable_user",
    "erase_contact",
    "erasure_of",
    "find_by_address",
    "hash_password",
    "issue_publishers",
    "list_areas",
    "list_bindings",
    "list_buildings",
    "list_contacts",
    "list_device_channels",
    "list_devices",
    "list_dwellings",
    "list_looks",
    "list_publishers",
    "list_refusals",
    "list_stairs",
    "list_substitutions",
    "list_users",
    "log_out_user",
    "move_area",
    "move_building",
    "move_device",
    "placements_of",
    "publishers_of",
    "read_attention",
    "rebind",
    "register_device",
    "remove_area",
    "remove_building",
    "remove_channel",
    "remove_device_channel",
    "remove_dwelling",
    "remove_stair",
    "retire_device",
    "reveal_contacts",
    "reveal_dwelling",
    "revoke_publisher",
    "rotate_publisher",
    "set_area",
    "set_building",
    "set_channel_rank",
    "set_contact",
    "set_device",
    "set_device_channel",
    "set_dwelling",
    "set_password",
    "set_role",
    "set_scope",
    "set_stair",
    "substitute",
    "unbind",
    "unused_contacts",
    "valid_publishers",
    "verify_password",
]
