"""Standard output and error of the commands: whatever is printed, the terminal obeys none of it.

Data, log lines and words of users pass through here, so control characters are replaced in one place. Only what rich
draws keeps its escape sequences; the texts in it are cleaned before they are given to rich.
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
    """A standard stream that replaces control characters, and what its encoding lacks by as many `?` as it is wide."""

    def __init__(self, buffer: BinaryIO, encoding: str, *, line_buffering: bool, is_result: bool) -> None:
        self._target = encoding
        self._is_result = is_result
        """Whether a failure to write is an error; what goes to standard error may get lost."""
        # click takes ASCII for a mistake, and would write UTF-8 past us.
        declared = "latin-1" if codecs.lookup(encoding).name == "ascii" else encoding
        super().__init__(buffer, declared, REPLACE, line_buffering=line_buffering, write_through=True)

    def write(self, text: str) -> int:
        """Writes text of any origin."""
        return self.draw(printable(text, _KEPT))

    def draw(self, text: str) -> int:
        """Writes text whose control characters are our own."""
        with self._failures():
            super().write(text.encode(self._target, REPLACE).decode(self._target))
        return len(text)

    def flush(self) -> None:
        with self._failures():
            super().flush()

    def end(self) -> None:
        """Forgets what could not be written, so that the interpreter does not fail over it when it ends."""
        try:
            super().flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if isinstance(error, BrokenPipeError) and self._is_result:
                raise ReaderGone("Nobody reads standard output any more.") from error
            if self._is_result:
                reason = "it is closed" if error.errno == errno.EBADF else error.strerror or str(error)
                raise OutputFailed(f"Standard output cannot be written: {reason}.") from error


class _Drawing:
    """What rich needs of a file, over a stream that would clean rich's escape sequences away."""

    def __init__(self, stream: OutputStream) -> None:
        self.write = stream.draw
        self.flush = stream.flush
        self.isatty = stream.isatty
        self.fileno = stream.fileno
        self.encoding = stream.encoding


def take_over_streams() -> None:
    """Puts an OutputStream in the place of standard output and error; those that are closed are opened first."""
    _open_closed_descriptors()
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = _taken_over(sys.stdout, 1)
    sys.stderr = _taken_over(sys.stderr, 2)


def end_streams() -> None:
    """The last thing before the process ends."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, OutputStream):
            stream.end()


def drawing_file(stream: TextIO) -> IO[str]:
    """Where rich draws to reach a standard stream."""
    return cast("IO[str]", _Drawing(stream)) if isinstance(stream, OutputStream) else stream


def json_text(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON; what is not printable, or not in standard output's encoding, is escaped."""
    text = json.dumps(value, ensure_ascii=not (sys.stdout.encoding or "").lower().startswith("utf"), indent=indent)
    return "\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n"))


def _escaped(line: str) -> str:
    """Characters that are not printable occur within strings only, so escaping them changes no value."""
    return "".join(
        char if char.isprintable() else f"\\u{ord(char):04x}" if ord(char) < 0x10000 else json.dumps(char)[1:-1]
        for char in line
    )


def _open_closed_descriptors() -> None:
    """Gives the numbers 0 to 2 to the null device, lest the next socket gets one; writing to 1 fails as it did."""
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
