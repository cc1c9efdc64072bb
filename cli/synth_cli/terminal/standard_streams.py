"""Standard output and standard error of this command: text that they do not take never stops the work."""

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
"""How a character of our own sentences is written where the encoding lacks it; others as `\\u` escapes."""
_LAYOUT: Final = "\n\t"


class MessageStream(io.TextIOWrapper):
    """Text without credentials, whoever writes it: a library, a thread, Python."""

    @override
    def write(self, text: str, /) -> int:
        super().write(redact(text))
        return len(text)


class DescriptorOutput(io.FileIO):
    """A file descriptor whose writes never raise: after the first failure, which `failure` keeps, bytes are dropped.

    Waits where the descriptor does not block and is full.
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
        """Whether the other end has been closed: whoever read it has seen enough."""
        number = self.failure.errno if self.failure else None
        return number in _READER_GONE or (number == errno.EIO and self._was_terminal)


def protect_standard_streams() -> None:
    """Replace `sys.stdout` and `sys.stderr` by streams that never raise, whoever prints: a library, a thread, Python.

    Characters that their encoding lacks are spelt in others. Descriptors 0 to 2 that are closed are opened without
    permission to write, so that no file of the store gets their number and what is printed. Stderr is redacted; stdout
    has results, which are printed as they are.
    """
    for descriptor in range(3):
        _reserve(descriptor)
    codecs.register_error(_ENCODING_ERRORS, _spell)
    sys.stdout = _stream(io.TextIOWrapper, 1, sys.stdout)
    sys.stderr = _stream(MessageStream, 2, sys.stderr, line_buffering=True)


def exit_code_after_output(code: int) -> int:
    """Flush both streams; OUTPUT_LOST instead of OK when one of them, still read, did not take all of it.

    Another code than OK stays: what became of the work matters more than what was said about it.
    """
    lost = [(name, failure) for name in ("stdout", "stderr") if (failure := _flush(getattr(sys, name)))]
    for name, failure in lost:
        print_error(f"the output could not be written to {name}: {failure.strerror}; the work itself is done")
    return ExitCode.OUTPUT_LOST if lost and code == ExitCode.OK else code


def is_stdout_lost() -> bool:
    """Whether nothing that is printed arrives any more."""
    output = _descriptor_output(sys.stdout)
    return output is not None and output.failure is not None


def print_line(line: str, label: str = "") -> None:
    """Print a result on stdout: as it is for a program, with control characters made visible on a terminal.

    `label` stands before it, in cyan on a terminal.
    """
    shown = visible(line, keep=_LAYOUT) if sys.stdout.isatty() else line
    sys.stdout.write(f"{_coloured(label, '36', sys.stdout)} {shown}\n" if label else f"{shown}\n")
    sys.stdout.flush()


def print_error(sentence: str) -> None:
    """Print one sentence on stderr, behind a word that is red on a terminal."""
    sys.stderr.write(f"{_coloured('error:', '1;31', sys.stderr)} {visible(redact(sentence))}\n")
    sys.stderr.flush()


class WarningPrinter(logging.Handler):
    """Prints each warning of any module as one line on stderr."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{_coloured('warning:', '1;33', sys.stderr)} {visible(record.getMessage())}\n")
        sys.stderr.flush()


def has_colours(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a terminal here may be sent colours: neither `NO_COLOR` nor a dumb `TERM`."""
    return not environment.get("NO_COLOR") and environment.get("TERM", "").lower() not in ("dumb", "unknown")


def visible(text: str, keep: str = "") -> str:
    """Text with each character that has no picture (control, direction, lone surrogate) as its escape, as in `\\x1b`.

    `keep` are characters that stay. A byte of a name that is no UTF-8 is shown as that byte.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else _escape(one) for one in text)


def _coloured(text: str, colour: str, stream: TextIO) -> str:
    """Text in an ANSI colour where a terminal shows it."""
    return f"\x1b[{colour}m{text}\x1b[0m" if stream.isatty() and has_colours() else text


def _escape(character: str) -> str:
    try:
        return "".join(f"\\x{byte:02x}" for byte in character.encode("ascii", "surrogateescape"))
    except UnicodeEncodeError:
        return character.encode("ascii", "backslashreplace").decode()


def _reserve(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        os.open(os.devnull, os.O_RDONLY)  # gets the lowest number that is free, this one


def _stream(
    kind: type[io.TextIOWrapper], descriptor: int, before: TextIO | None, *, line_buffering: bool = False
) -> TextIO:
    output = DescriptorOutput(descriptor)
    return kind(
        io.BufferedWriter(output),
        encoding=before.encoding if before else "utf-8",
        errors=_ENCODING_ERRORS,
        line_buffering=line_buffering or output.isatty(),
    )


def _spell(error: UnicodeError) -> tuple[str | bytes, int]:
    """A codec's error handler: another spelling of the first character that cannot be encoded."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if "\udc80" <= character <= "\udcff":
        return character.encode("ascii", "surrogateescape"), error.start + 1
    return _SPELLINGS.get(character, character.encode("ascii", "backslashreplace").decode()), error.start + 1


def _flush(stream: TextIO) -> OSError | None:
    """Flush; returns why something was not written although somebody reads."""
    stream.flush()
    output = _descriptor_output(stream)
    return None if output is None or output.is_reader_gone else output.failure


def _descriptor_output(stream: TextIO) -> DescriptorOutput | None:
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw if isinstance(raw, DescriptorOutput) else None
