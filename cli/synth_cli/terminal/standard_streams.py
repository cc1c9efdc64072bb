"""stdout and stderr of the command: an output error never stops the work."""

from __future__ import annotations

import codecs
import errno
import io
import logging
import os
import select
import sys
from typing import TYPE_CHECKING, Final, TextIO

from typing_extensions import override

from synth_api.exit_codes import ExitCode
from synth_api.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import ReadableBuffer

_READER_GONE: Final = frozenset({errno.EPIPE, errno.ECONNRESET})
_ENCODING_ERRORS: Final = "synth-readable"
_SPELLINGS: Final = {"…": "...", "±": "+-"}
"""Replacements of characters in our own sentences that an encoding lacks; others become `\\u` escapes."""
_LAYOUT: Final = "\n\t"


class MessageStream(io.TextIOWrapper):
    """Text stream that redacts credentials, also in the output of libraries and of Python."""

    @override
    def write(self, text: str, /) -> int:
        super().write(redact(text))
        return len(text)


class DescriptorOutput(io.FileIO):
    """File descriptor whose writes never raise: after the first error, kept in `failure`, it drops all bytes.

    A write to a full non-blocking descriptor waits.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.failure: OSError | None = None
        self._was_terminal = self.isatty()

    @override
    def write(self, data: ReadableBuffer, /) -> int:
        size = memoryview(data).nbytes
        if self.failure is None:
            try:
                while (written := super().write(data)) is None:
                    select.select([], [self], [])
                return written
            except OSError as error:
                self.failure = error
        return size

    @property
    def is_reader_gone(self) -> bool:
        """True if the reader has closed the other end, as `head` does."""
        number = self.failure.errno if self.failure else None
        return number in _READER_GONE or (number == errno.EIO and self._was_terminal)


def protect_standard_streams() -> None:
    """Replace `sys.stdout` and `sys.stderr` by streams that never raise, also for libraries, threads and Python itself.

    Characters that an encoding lacks are replaced. Closed descriptors among 0 to 2 are opened read-only, so that no
    file of the store gets their number and receives output. stderr is redacted; stdout has results, printed unchanged.
    """
    for descriptor in range(3):
        _reserve_descriptor(descriptor)
    codecs.register_error(_ENCODING_ERRORS, _replace_character)
    sys.stdout = _open_stream(io.TextIOWrapper, 1, sys.stdout)
    sys.stderr = _open_stream(MessageStream, 2, sys.stderr, line_buffering=True)


def exit_code_after_output(code: int) -> int:
    """Flush both streams; return OUTPUT_LOST instead of OK if one of them, still read, lost output.

    Any other code stays: the outcome of the work matters more than its output.
    """
    lost = [(name, failure) for name in ("stdout", "stderr") if (failure := _flush(getattr(sys, name)))]
    for name, failure in lost:
        print_error(f"the output could not be written to {name}: {failure.strerror}; the work itself is complete")
    return ExitCode.OUTPUT_LOST if lost and code == ExitCode.OK else code


def is_stdout_lost() -> bool:
    """Return True if stdout has failed, so that output is dropped."""
    output = _find_descriptor_output(sys.stdout)
    return output is not None and output.failure is not None


def print_line(line: str, label: str = "") -> None:
    """Print a result on stdout: unchanged for a program, with escaped control characters on a terminal.

    `label` precedes it, in cyan on a terminal.
    """
    text = escape_invisible(line, keep=_LAYOUT) if sys.stdout.isatty() else line
    sys.stdout.write(f"{_colour(label, '36', sys.stdout)} {text}\n" if label else f"{text}\n")
    sys.stdout.flush()


def print_error(sentence: str) -> None:
    """Print one redacted sentence on stderr after `error:`, red on a terminal."""
    sys.stderr.write(f"{_colour('error:', '1;31', sys.stderr)} {escape_invisible(redact(sentence))}\n")
    sys.stderr.flush()


class WarningPrinter(logging.Handler):
    """Logging handler that prints warnings of all modules on stderr, one line each."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{_colour('warning:', '1;33', sys.stderr)} {escape_invisible(record.getMessage())}\n")
        sys.stderr.flush()


def has_colours(environment: Mapping[str, str] = os.environ) -> bool:
    """Return True if terminals get colours: neither `NO_COLOR` nor a dumb `TERM` is set."""
    return not environment.get("NO_COLOR") and environment.get("TERM", "").lower() not in ("dumb", "unknown")


def escape_invisible(text: str, keep: str = "") -> str:
    """Escape the characters of a text that have no glyph (control, direction, lone surrogate), as in `\\x1b`.

    Characters in `keep` stay. A byte of a name that is not UTF-8 is shown as that byte.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in keep else _escape(character) for character in text
    )


def _colour(text: str, colour: str, stream: TextIO) -> str:
    """Return a text in an ANSI colour if the stream is a terminal with colours."""
    return f"\x1b[{colour}m{text}\x1b[0m" if stream.isatty() and has_colours() else text


def _escape(character: str) -> str:
    try:
        return "".join(f"\\x{byte:02x}" for byte in character.encode("ascii", "surrogateescape"))
    except UnicodeEncodeError:
        return character.encode("ascii", "backslashreplace").decode()


def _reserve_descriptor(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        os.open(os.devnull, os.O_RDONLY)  # gets the lowest free number, which is this one


def _open_stream(
    kind: type[io.TextIOWrapper], descriptor: int, old: TextIO | None, *, line_buffering: bool = False
) -> TextIO:
    output = DescriptorOutput(descriptor)
    return kind(
        io.BufferedWriter(output),
        encoding=old.encoding if old else "utf-8",
        errors=_ENCODING_ERRORS,
        line_buffering=line_buffering or output.isatty(),
    )


def _replace_character(error: UnicodeError) -> tuple[str | bytes, int]:
    """Codec error handler: return a replacement for the first character that cannot be encoded."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if "\udc80" <= character <= "\udcff":
        return character.encode("ascii", "surrogateescape"), error.start + 1
    return _SPELLINGS.get(character, character.encode("ascii", "backslashreplace").decode()), error.start + 1


def _flush(stream: TextIO) -> OSError | None:
    """Flush; return the error of output that was lost although the reader is there."""
    stream.flush()
    output = _find_descriptor_output(stream)
    return None if output is None or output.is_reader_gone else output.failure


def _find_descriptor_output(stream: TextIO) -> DescriptorOutput | None:
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw if isinstance(raw, DescriptorOutput) else None
