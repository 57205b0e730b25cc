"""Standard output and error of the commands, without control characters from data.

Data, log lines and users' input pass through here, so control characters are replaced in one place. Only rich's
output keeps its escape sequences; texts are cleaned before they are given to rich.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import json
import os
import sys
from collections.abc import Iterator
from typing import IO, Any, BinaryIO, Final, TextIO, cast

from appliance.errors import ApplianceError
from appliance.model.printable import REPLACE, printable

_KEPT: Final = "\n\t"


class OutputFailed(ApplianceError):
    """Standard output is closed, or its disk is full."""


class ReaderGone(OutputFailed):
    """The program that read standard output through a pipe has ended."""


class OutputStream(io.TextIOWrapper):
    """A standard stream that replaces control characters, and characters outside its encoding by as many `?`."""

    def __init__(self, buffer: BinaryIO, encoding: str, *, line_buffering: bool, is_result: bool) -> None:
        self._target = encoding
        self._is_result = is_result
        """Whether a failure to write is an error; output to standard error may get lost."""
        # click treats ASCII as a misconfiguration, and would bypass this stream to write UTF-8.
        declared = "latin-1" if codecs.lookup(encoding).name == "ascii" else encoding
        super().__init__(buffer, declared, REPLACE, line_buffering=line_buffering, write_through=True)

    def write(self, text: str) -> int:
        """Writes text, with control characters replaced."""
        return self.draw(printable(text, _KEPT))

    def draw(self, text: str) -> int:
        """Writes text with its control characters, which must be our own."""
        with self._failures():
            super().write(text.encode(self._target, REPLACE).decode(self._target))
        return len(text)

    def flush(self) -> None:
        with self._failures():
            super().flush()

    def end(self) -> None:
        """Drops output that cannot be written, so that the interpreter does not fail at its end."""
        try:
            super().flush()
        except OSError:  # the interpreter flushes once more at exit, which now goes to the null device
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if isinstance(error, BrokenPipeError) and self._is_result:
                raise ReaderGone("The reader of standard output has ended.") from error
            if self._is_result:
                reason = "it is closed" if error.errno == errno.EBADF else error.strerror or str(error)
                raise OutputFailed(f"Standard output cannot be written: {reason}.") from error


class _Drawing:
    """A file for rich over an OutputStream, which would replace rich's escape sequences."""

    def __init__(self, stream: OutputStream) -> None:
        self.write = stream.draw
        self.flush = stream.flush
        self.isatty = stream.isatty
        self.fileno = stream.fileno
        self.encoding = stream.encoding


def take_over_streams() -> None:
    """Replaces standard output and error by OutputStreams; opens those that are closed."""
    _open_closed_descriptors()
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = _taken_over(sys.stdout, 1)
    sys.stderr = _taken_over(sys.stderr, 2)


def end_streams() -> None:
    """Flushes the streams; to be called last."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, OutputStream):
            stream.end()


def drawing_file(stream: TextIO) -> IO[str]:
    """The file for rich's console on a standard stream."""
    return cast("IO[str]", _Drawing(stream)) if isinstance(stream, OutputStream) else stream


def json_text(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON, with characters escaped that are not printable or not in standard output's encoding."""
    text = json.dumps(value, ensure_ascii=not (sys.stdout.encoding or "").lower().startswith("utf"), indent=indent)
    return "\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n"))


def _escaped(line: str) -> str:
    """Unprintable characters occur in strings only, so escaping them changes no value."""
    return "".join(
        char if char.isprintable() else f"\\u{ord(char):04x}" if ord(char) < 0x10000 else json.dumps(char)[1:-1]
        for char in line
    )


def _open_closed_descriptors() -> None:
    """Opens closed descriptors 0 to 2 on the null device, lest the next socket gets one; writing to 1 still fails."""
    for number, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, flags), True)


def _taken_over(stream: TextIO | None, number: int) -> OutputStream:
    is_result = number == 1
    if stream is None:
        buffer = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
        return OutputStream(cast("BinaryIO", buffer), "utf-8", line_buffering=True, is_result=is_result)
    return OutputStream(stream.buffer, stream.encoding, line_buffering=bool(stream.line_buffering), is_result=is_result)
