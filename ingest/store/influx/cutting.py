"""How a body of lines is cut: between lines, and a line between its values. Pure."""

from __future__ import annotations


def halves_of(lines: bytes) -> list[bytes]:
    """Both halves, cut at the end of a line; of one line with several values, a line with each half of them.
    As it is where neither is there."""
    middle = lines.find(b"\n", len(lines) // 2) + 1
    if middle in (0, len(lines)):
        middle = lines.rfind(b"\n", 0, max(len(lines) // 2, 1)) + 1
    if middle:
        return [lines[:middle], lines[middle:]]
    head, fields, end = parts_of(lines)
    if len(fields) < 2:
        return [lines]
    middle = len(fields) // 2
    return [b"%s %s %s" % (head, b",".join(half), end) for half in (fields[:middle], fields[middle:])]


def values_of(line: bytes) -> list[bytes]:
    """A line for each value of a line."""
    head, fields, end = parts_of(line)
    return [b"%s %s %s" % (head, one, end) for one in fields] if len(fields) > 1 else [line]


def parts_of(line: bytes) -> tuple[bytes, list[bytes], bytes]:
    """What stands before the fields, each field with its quality, and the time. As `lines` writes them: no
    field has a space or a comma in it."""
    parts = line.rsplit(b" ", 2)
    if len(parts) != 3:
        return line, [], b""
    fields: list[bytes] = []
    for one in parts[1].split(b","):
        if fields and one.startswith(fields[-1].split(b"=")[0] + b"_quality="):
            fields[-1] += b"," + one
        else:
            fields.append(one)
    return parts[0], fields, parts[2]


def series_of(line: bytes) -> bytes:
    """Of a line of one value, without value and time."""
    head, fields, _ = parts_of(line)
    return head + b" " + (fields[0].split(b"=")[0] if fields else b"")
