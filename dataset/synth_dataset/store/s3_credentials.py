"""Credentials of an S3 store: keys from the environment, validated at once, else the credential chain of the client."""

from __future__ import annotations

from configparser import Error as FileError
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from minio.credentials.providers import (
    AWSConfigProvider,
    ChainedProvider,
    IamAwsProvider,
    Provider,
    StaticProvider,
)
from urllib3 import PoolManager
from urllib3.util import Timeout

from synth_api.reasons import Reason
from synth_api.redaction import register_credentials
from synth_dataset.store.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from minio.credentials.credentials import Credentials

    from synth_api.resources.output import Output

ACCESS_KEY: Final = "AWS_ACCESS_KEY_ID"
SECRET_KEY: Final = "AWS_SECRET_ACCESS_KEY"
SESSION_TOKEN: Final = "AWS_SESSION_TOKEN"
NAMES: Final = (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN)
"""Keys of the Secret, and environment variables."""

_IDENTITY_SECONDS: Final = 3.0
"""Time limit of the service that gives a pod its identity."""
_BLANKS: Final = {"\n": "a line feed", "\r": "a carriage return", "\t": "a tab", " ": "a blank"}


def find_credentials(output: Output, environment: Mapping[str, str]) -> Provider:
    """Return the provider that signs requests. Raises StoreError for invalid keys in the environment."""
    values = {name: environment.get(name, "") for name in NAMES}
    _protect(output, values.values())
    if values[ACCESS_KEY] and values[SECRET_KEY]:
        _check_values(output, values)
        return StaticProvider(values[ACCESS_KEY], values[SECRET_KEY], values[SESSION_TOKEN] or None)
    if output.secret_ref and ACCESS_KEY in environment and not (values[ACCESS_KEY] or values[SECRET_KEY]):
        raise _to_store_error(output, f"{ACCESS_KEY} and {SECRET_KEY} are empty; {_format_remedy(output)}")
    if values[ACCESS_KEY] or values[SECRET_KEY]:
        missing, given = (SECRET_KEY, ACCESS_KEY) if values[ACCESS_KEY] else (ACCESS_KEY, SECRET_KEY)
        problem = f"the credentials for bucket '{output.bucket}' have {given} but no {missing}; add it to the Secret"
        raise StoreError(Reason.ACCESS_DENIED, problem)
    return _CredentialChain(output)


class _CredentialChain(Provider):
    """Credential chain: a credentials file, then the identity that the platform gives a pod."""

    def __init__(self, output: Output) -> None:
        self._output = output
        http_client = PoolManager(timeout=Timeout(connect=_IDENTITY_SECONDS, read=_IDENTITY_SECONDS), retries=False)
        chain: list[Provider] = [IamAwsProvider(http_client=http_client)]
        with suppress(RuntimeError):  # a user without a home folder has no credentials file
            chain.insert(0, AWSConfigProvider())
        self._chain = ChainedProvider(chain)

    def retrieve(self) -> Credentials:
        """Return credentials. Raises StoreError if there are none or they are invalid."""
        try:
            found = self._chain.retrieve()
        except (FileError, UnicodeDecodeError):
            # Messages of these errors quote lines of the file.
            problem = "the AWS credentials file is not an INI file, or has a single '%' that must be '%%'; correct it"
            raise _to_store_error(self._output, problem) from None
        except Exception:
            problem = (
                f"there are no credentials for bucket '{self._output.bucket}'; set {ACCESS_KEY} and {SECRET_KEY}; on a "
                "cluster name a Secret with them in output.secretRef, or a service account with a workload identity"
            )
            raise StoreError(Reason.ACCESS_DENIED, problem) from None
        values = dict(zip(NAMES, (found.access_key, found.secret_key, found.session_token or ""), strict=True))
        _protect(self._output, values.values())
        _check_values(self._output, values)
        return found


def _protect(output: Output, values: Iterable[str]) -> None:
    """Redact values from logs, except those that the output of the sweep shows openly."""
    register_credentials(value for value in values if value not in output.identity)


def _check_values(output: Output, values: Mapping[str, str]) -> None:
    """Raise StoreError for a value that a header cannot hold; the message names its key, never the value."""
    for name, value in values.items():
        problem = _find_problem(value, may_hold_blanks=name == SECRET_KEY) if value else ""
        if problem:
            raise _to_store_error(output, f"{name} {problem}; {_format_remedy(output)}")


def _find_problem(value: str, *, may_hold_blanks: bool) -> str:
    """Return the problem of a value, or an empty text; only a secret key may hold blanks, it is not in a header."""
    if not value.strip():
        return "holds nothing but blanks"
    for end, character in (("begins", value[0]), ("ends", value[-1])):
        if character.isspace():
            return f"{end} with {_BLANKS.get(character, 'a blank')}"
    if not value.isascii():
        return "has a character that is not ASCII"
    inside = value.replace(" ", "") if may_hold_blanks else value
    invalid = next((character for character in inside if not character.isprintable() or character == " "), "")
    return f"has {_BLANKS.get(invalid, 'a control character')} in it" if invalid else ""


def _format_remedy(output: Output) -> str:
    if output.secret_ref is None:
        return "set the variable to the key alone"
    return (
        f"make the Secret '{output.secret_ref.name}' again with kubectl create secret generic --from-literal, or "
        "encode the key with echo -n, which adds no line feed"
    )


def _to_store_error(output: Output, problem: str) -> StoreError:
    sentence = f"the credentials for bucket '{output.bucket}' cannot be used: {problem}"
    return StoreError(Reason.ACCESS_DENIED, sentence)
