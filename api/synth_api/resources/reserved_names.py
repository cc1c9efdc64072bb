"""Labels, annotations and environment variables that a pod template may not set, because others own them."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from synth_api.problems import quote_value
from synth_api.resources.base import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable

TRUSTED: Final = "sweeps.overlay.trusted of the chart would allow it"
"""Remedy of the platform."""

_DOMAINS: Final = ("kubernetes.io", "k8s.io", "x-k8s.io", GROUP)
_RUNTIME: Final = "io.kubernetes."
_JOB_LABELS: Final = ("controller-uid", "job-name")
"""Labels without a domain by which Kubernetes' Job controller finds its pods."""
_ALLOWED_ANNOTATIONS: Final = ("cluster-autoscaler.kubernetes.io/safe-to-evict",)
_NAME: Final = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLES: Final = (
    *("AWS_*", "MINIO_*", "SSLKEYLOGFILE"),  # credentials, and keys of connections
    *("SYNTH_*", "JOB_*", "HOME", "TMPDIR"),  # what the operator and Kubernetes set
    *("PATH", "BASH*", "ENV", "IFS", "PS4", "SHELLOPTS"),  # programs, and what a shell runs
    *("PYTHON*", "LD_*", "GLIBC_*", "GCONV_PATH", "LOCPATH", "OPENSSL_*", "OMP_TOOL*", "NUMBA_*", "XDG_*"),  # code
    *("BLENDER_*", "CYCLES_*", "OCIO", "OPENCV_*", "OIIO*", "OPENIMAGEIO*", "OSL_*", "PXR_*", "SDL_*"),  # Blender
    *("CUDA_*", "NVIDIA_*", "OPTIX_*", "HIP_*", "HSA_*", "ROCR_*", "ZE_*", "SYCL_*", "ONEAPI_*"),  # GPUs of others
    *("VK_*", "GBM_*", "LIBGL*", "MESA_*", "__*"),  # drivers
)
"""Patterns of variables that turn into code, credentials, devices or other pixels."""


def check_label(key: str) -> str:
    """Return the key of a label that a pod template may set; raise ValueError for another one."""
    if key in _JOB_LABELS:
        raise ValueError("belongs to Kubernetes, which finds a Job's pods by it; choose another name")
    return _check_key(key)


def check_annotation(key: str) -> str:
    """Return the key of an annotation that a pod template may set; raise ValueError for another one."""
    return key if key in _ALLOWED_ANNOTATIONS else _check_key(key)


def check_variable(name: str) -> str:
    """Return the name of an environment variable that a pod template may set; raise ValueError for another one."""
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"{quote_value(name)} is no name of a variable; use letters, digits and '_'")
    pattern = next((each for each in _VARIABLES if fnmatchcase(name, each)), "")
    if pattern:
        family = "" if pattern == name else f", as is all of {pattern}"
        raise ValueError(f"'{name}' is reserved{family}; choose another name; {TRUSTED}")
    return name


def check_literal(value: str) -> str:
    """Return the value of an environment variable; raise ValueError if Kubernetes would replace a part of it.

    Kubernetes replaces `$(NAME)` by another variable of the container, and so by the store's credentials.
    """
    if "$(" in value:
        raise ValueError(
            f"must be a literal value, without '$('; Kubernetes would put another variable there; {TRUSTED}"
        )
    return value


def find_domain(key: str, domains: Iterable[str]) -> str:
    """Return the one of `domains` to which the key of a label or annotation belongs, or nothing."""
    domain = key.rpartition("/")[0]
    return next((each for each in domains if domain == each or domain.endswith(f".{each}")), "")


def _check_key(key: str) -> str:
    if not _NAME.fullmatch(key):
        raise ValueError(
            "is no key of a label or annotation; use at most 63 letters, digits, '-', '_' and '.', after a domain "
            "and '/' if it has one"
        )
    if domain := find_domain(key, _DOMAINS):
        raise ValueError(f"is in the reserved domain {domain}; choose a name in a domain of yours")
    if key.startswith(_RUNTIME):
        raise ValueError(f"is reserved for container runtimes, as is all of {_RUNTIME}*; choose another name")
    return key
