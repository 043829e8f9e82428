"""A document as it comes off the wire, within its limits: sizes, one layer of gzip, and nothing that swells without end."""

import zlib

MOST_RATIO = 100
"""How many times its size on the wire a document may have, once it is larger than `FREE_RATIO_BYTES`."""

FREE_RATIO_BYTES = 1024 * 1024
MANY_CHUNKS, SMALL_CHUNK_BYTES = 10_000, 8

_GZIP_MAGIC = b"\x1f\x8b"
_STEP = 1024 * 1024


class Unfit(ValueError):
    """The body cannot be a document that we read; says why in a sentence."""


class Body:
    """Takes the pieces of a body as they arrive and gives back the whole.

    Args:
        most_bytes: how large it may become, on the wire and unpacked.
        packed: the server says that it is gzip. Where it does not say so, the first bytes may.
    """

    def __init__(self, most_bytes: int, *, packed: bool) -> None:
        self._most = most_bytes
        self._packed = packed
        self._unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._taken = self._chunks = 0
        self._bytes = bytearray()
        self._after = b""

    def expect(self, length: int) -> None:
        """What the server says beforehand.

        Raises:
            Unfit: that is too much.
        """
        if length > self._most:
            raise self._too_large()

    def add(self, piece: bytes, *, ends_chunk: bool = False) -> None:
        """Take the next piece; `ends_chunk` where it completes a chunk of HTTP's chunked transfer.

        Raises:
            Unfit: the body has grown beyond a limit, or is not the gzip that it was said to be.
        """
        self._taken += len(piece)
        self._chunks += ends_chunk
        if self._taken > self._most:
            raise self._too_large()
        if self._chunks > MANY_CHUNKS and self._taken < self._chunks * SMALL_CHUNK_BYTES:
            raise Unfit("the body comes in crumbs")
        if self._packed:
            self._unpack(piece)
        else:
            self._bytes += piece

    def whole(self) -> bytes:
        """The document, unpacked.

        Raises:
            Unfit: it is empty, broken, too large, or packed more than once.
        """
        if not self._packed and self._bytes.startswith(_GZIP_MAGIC):
            packed, self._bytes, self._packed = self._bytes, bytearray(), True
            for start in range(0, len(packed), _STEP):
                self._unpack(bytes(packed[start : start + _STEP]))
        if self._packed and (not self._unpacker.eof or self._after == _GZIP_MAGIC):
            raise Unfit("the gzip body is broken: it does not end where it should")
        if self._bytes.startswith(_GZIP_MAGIC):
            raise Unfit("the body is packed more than once")
        if not self._bytes:
            raise Unfit("the body is empty")
        return bytes(self._bytes)

    def _unpack(self, piece: bytes) -> None:
        if self._unpacker.eof:
            self._after = (self._after + piece)[:2]
            return
        try:
            while True:
                unpacked = self._unpacker.decompress(piece, _STEP)
                self._bytes += unpacked
                if len(self._bytes) > self._most:
                    raise self._too_large()
                if len(self._bytes) > max(FREE_RATIO_BYTES, MOST_RATIO * self._taken):
                    raise Unfit(f"the body unpacks to more than {MOST_RATIO} times its size")
                piece = self._unpacker.unconsumed_tail
                if not piece and len(unpacked) < _STEP:
                    break
        except zlib.error as error:
            raise Unfit(f"the gzip body is broken: {error}") from error
        self._after = self._unpacker.unused_data[:2]

    def _too_large(self) -> Unfit:
        return Unfit(f"the body is larger than {self._most} bytes")
