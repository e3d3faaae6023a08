"""Answers of HTTP/1.1 servers out of bytes as they come (RFC 9112). Pure, bounded in time and memory.

What a server says in a way that the standard does not have is no answer: a message counts as handed over by
what was certainly said and by nothing else.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Final, NamedTuple

HEAD_MAX: Final = 65_536
"""Bytes of status line and headers, those of interim answers included (chosen)."""
BODY_MAX: Final = 65_536
"""Bytes of a body that are read: no vendor's answer is longer (chosen)."""
_STATUS: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\n]*)?", re.DOTALL)
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_CHUNK: Final = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_CHUNK_LINE_MAX: Final = 1_024
_NO_BODY: Final = frozenset({204, 304})
_INTERIM: Final = 200
_ZIPPED: Final = frozenset({b"gzip", b"x-gzip", b"deflate"})
_ANY_ZIP: Final = 32 + zlib.MAX_WBITS
_UNTIL_CLOSE: Final = -1


class NotHttp(Exception):
    """What came is no answer in HTTP/1.1."""


class Answer(NamedTuple):
    """`headers` by name in small letters, the last of each; `body` whole, or its first BODY_MAX bytes.
    `goes_on`: the connection may be asked again."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes
    goes_on: bool


class AnswerReader:
    """Reads one answer. Both functions raise NotHttp; after that, and after an answer, ask no more."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._head_left = HEAD_MAX
        self._status = 0
        self._headers: dict[bytes, bytes] = {}
        self._goes_on = False
        self._length = 0
        self._chunks: bytearray | None = None
        self._in_chunk = 0

    def feed(self, data: bytes) -> Answer | None:
        """Takes what came; the answer as soon as it is whole. Bytes behind it end the connection's use."""
        self._held += data
        while not self._status:
            if not self._read_head():
                return None
        if self._chunks is not None:
            return self._read_chunks(self._chunks)
        if self._length == _UNTIL_CLOSE:
            return self._answered(BODY_MAX, goes_on=False) if len(self._held) > BODY_MAX else None
        if len(self._held) >= min(self._length, BODY_MAX + 1):
            goes_on = self._goes_on and len(self._held) == self._length
            return self._answered(min(self._length, BODY_MAX), goes_on=goes_on)
        return None

    def end(self) -> Answer | None:
        """The connection was closed: the answer where its body lasts until then, None where it broke off."""
        whole = self._status and self._chunks is None and self._length == _UNTIL_CLOSE
        return self._answered(BODY_MAX, goes_on=False) if whole else None

    def _answered(self, length: int, *, goes_on: bool) -> Answer:
        return Answer(self._status, self._headers, self._unzipped(bytes(self._held[:length])), goes_on)

    def _unzipped(self, body: bytes) -> bytes:
        """Nobody asked for it zipped; some zip all the same."""
        if self._headers.get(b"content-encoding", b"").lower() not in _ZIPPED:
            return body
        try:
            return zlib.decompressobj(_ANY_ZIP).decompress(body, BODY_MAX)
        except zlib.error:
            return body

    def _read_head(self) -> bool:
        """Whether a head was there; an interim one is passed over."""
        found = _HEAD_END.search(self._held)
        self._check_head(len(self._held) if found is None else found.end())
        if found is None:
            return False
        head = bytes(self._held[: found.start()])
        self._head_left -= found.end()
        del self._held[: found.end()]
        first, *lines = head.split(b"\n")
        said = _STATUS.fullmatch(first.rstrip(b"\r"))
        if said is None:
            raise NotHttp
        status = int(said[2])
        if status < _INTERIM:
            return True
        self._status = status
        pairs = [_split(line) for line in lines]
        self._headers = dict(pairs)
        self._goes_on = _may_go_on(said[1] == b"1", self._headers)
        self._measure({value for name, value in pairs if name == b"content-length"})
        return True

    def _check_head(self, length: int) -> None:
        if length > self._head_left:
            raise NotHttp

    def _measure(self, lengths: set[bytes]) -> None:
        """How the body ends (RFC 9112, section 6.3)."""
        coding = self._headers.get(b"transfer-encoding")
        if self._status in _NO_BODY:
            return
        if coding is not None:
            if coding.lower() != b"chunked":
                raise NotHttp
            self._chunks = bytearray()
            self._goes_on = self._goes_on and not lengths
            return
        if not lengths:
            self._length = _UNTIL_CLOSE
            return
        length = lengths.pop()
        if lengths or not _LENGTH.fullmatch(length):
            raise NotHttp
        self._length = int(length)

    def _read_chunks(self, body: bytearray) -> Answer | None:
        """`_in_chunk` bytes and a line's end are still to come of the present one."""
        while True:
            if self._in_chunk:
                if not self._take_chunk(body):
                    return None
                if len(body) > BODY_MAX:
                    return self._from_chunks(body, goes_on=False)
            line = _CHUNK.match(self._held)
            if line is None:
                self._check_line()
                return None
            self._in_chunk = int(line[1], 16)
            if not self._in_chunk:
                return self._end_chunks(body, line.end())
            del self._held[: line.end()]
            self._in_chunk += 2  # its own line's end

    def _take_chunk(self, body: bytearray) -> bool:
        """Whether the chunk is whole; of a long one what is there is taken at once."""
        part = min(len(self._held), max(self._in_chunk - 2, 0))
        body += self._held[:part]
        del self._held[:part]
        self._in_chunk -= part
        if self._in_chunk > 2 or len(self._held) < 2:
            return len(body) > BODY_MAX
        if self._held[:2] != b"\r\n":
            raise NotHttp
        del self._held[:2]
        self._in_chunk = 0
        return True

    def _check_line(self) -> None:
        if b"\n" in self._held or len(self._held) > _CHUNK_LINE_MAX:
            raise NotHttp

    def _end_chunks(self, body: bytearray, at: int) -> Answer | None:
        """What follows the last chunk: further headers, which nobody wants, and an empty line."""
        rest = bytes(self._held[at:])
        if rest.startswith((b"\r\n", b"\n")):
            behind = rest[2:] if rest.startswith(b"\r\n") else rest[1:]
            return self._from_chunks(body, goes_on=self._goes_on and not behind)
        if found := _HEAD_END.search(rest):
            return self._from_chunks(body, goes_on=self._goes_on and found.end() == len(rest))
        self._check_head(len(rest))
        self._in_chunk = 0
        return None

    def _from_chunks(self, body: bytearray, *, goes_on: bool) -> Answer:
        self._held = body
        return self._answered(BODY_MAX, goes_on=goes_on)


def _split(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.lower(), value.strip()


def _may_go_on(is_1_1: bool, headers: Mapping[bytes, bytes]) -> bool:
    wish = headers.get(b"connection", b"").lower()
    return b"close" not in wish if is_1_1 else b"keep-alive" in wish
