"""Sparkplug B's messages as protobuf types, of the fields that are read here.

Field numbers are those of the Sparkplug 3.0 specification, chapter 6.4. Fields that are not declared (data
sets, templates, metadata, nested property sets) are skipped by the parser, so nothing nests deeper than a
property.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

__all__ = ["SIGNED_BITS", "TEXTS", "DataType", "DecodeError", "Wire", "payload_type"]

Wire = Any
"""Types and messages that protobuf makes at run time."""
_Field = descriptor_pb2.FieldDescriptorProto
_UINT32, _UINT64 = _Field.TYPE_UINT32, _Field.TYPE_UINT64
_FLOAT, _DOUBLE, _BOOL = _Field.TYPE_FLOAT, _Field.TYPE_DOUBLE, _Field.TYPE_BOOL
_STRING, _BYTES, _MESSAGE = _Field.TYPE_STRING, _Field.TYPE_BYTES, _Field.TYPE_MESSAGE
_PACKAGE: Final = "gengfu.sparkplug"


class DataType(IntEnum):
    """Of a metric (specification 6.4.16). What is not named here is read as the wire gives it."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15
    DATASET = 16
    BYTES = 17
    FILE = 18
    TEMPLATE = 19


SIGNED_BITS: Final[dict[int, int]] = {
    DataType.INT8: 8,
    DataType.INT16: 16,
    DataType.INT32: 32,
    DataType.INT64: 64,
}
"""Signed types travel in unsigned fields, as two's complement."""
TEXTS: Final = frozenset({DataType.STRING, DataType.TEXT, DataType.UUID})

_ONE_VALUE: Final = "value"
_FIELDS: Final[dict[str, list[tuple[str, int, int, str]]]] = {
    "Payload": [("timestamp", 1, _UINT64, ""), ("metrics", 2, _MESSAGE, "Metric"), ("seq", 3, _UINT64, "")],
    "Metric": [
        ("name", 1, _STRING, ""),
        ("alias", 2, _UINT64, ""),
        ("timestamp", 3, _UINT64, ""),
        ("datatype", 4, _UINT32, ""),
        ("is_historical", 5, _BOOL, ""),
        ("is_null", 7, _BOOL, ""),
        ("properties", 9, _MESSAGE, "PropertySet"),
        ("int_value", 10, _UINT32, _ONE_VALUE),
        ("long_value", 11, _UINT64, _ONE_VALUE),
        ("float_value", 12, _FLOAT, _ONE_VALUE),
        ("double_value", 13, _DOUBLE, _ONE_VALUE),
        ("boolean_value", 14, _BOOL, _ONE_VALUE),
        ("string_value", 15, _STRING, _ONE_VALUE),
        ("bytes_value", 16, _BYTES, _ONE_VALUE),
    ],
    "PropertySet": [("keys", 1, _STRING, ""), ("values", 2, _MESSAGE, "PropertyValue")],
    "PropertyValue": [
        ("type", 1, _UINT32, ""),
        ("int_value", 3, _UINT32, _ONE_VALUE),
        ("long_value", 4, _UINT64, _ONE_VALUE),
    ],
}
"""By message: name, number, type, and the type's name or the `oneof` it belongs to."""
_REPEATED: Final = {"metrics", "keys", "values"}


def payload_type() -> Wire:
    """The class of payloads; its `FromString` raises `DecodeError`."""
    file = descriptor_pb2.FileDescriptorProto(
        name="gengfu/sparkplug_b.proto", package=_PACKAGE, syntax="proto2"
    )
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        if any(more == _ONE_VALUE for *_, more in fields):
            message.oneof_decl.add(name=_ONE_VALUE)
        for field, number, kind, more in fields:
            declared = message.field.add(name=field, number=number, type=kind)
            declared.label = _Field.LABEL_REPEATED if field in _REPEATED else _Field.LABEL_OPTIONAL
            if more == _ONE_VALUE:
                declared.oneof_index = 0
            elif more:
                declared.type_name = f".{_PACKAGE}.{more}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))
