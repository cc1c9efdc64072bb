"""The ValidatingWebhookConfiguration: which certificates the API server trusts, and at which path it asks."""

from __future__ import annotations

from base64 import b64decode, b64encode
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from synth_operator.kube.api import NOT_FOUND, ApiError, Resource
from synth_operator.webhook.self_signed import update_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from synth_operator.kube.api import Api, JsonObject


class Registration:
    """The ValidatingWebhookConfiguration `name`, which all replicas share."""

    def __init__(self, api: Api, name: str, replica: str) -> None:
        self._api = api
        self._name = name
        self._replica = replica

    def publish(self, certificates: Sequence[bytes] | None, now: datetime) -> str:
        """Make the API server trust this replica's certificates, all of them, and return the path at which it asks.

        With None another one, cert-manager, says whom it trusts.

        Raises:
            ApiError: the configuration does not exist or cannot be changed, or another replica changed it just now.
        """
        configuration = self._api.read(Resource.WEBHOOKS, "", self._name)
        if configuration is None:
            message = f"there is no ValidatingWebhookConfiguration '{self._name}'; install the chart again"
            raise ApiError(NOT_FOUND, "NotFound", message)
        (webhook,) = configuration["webhooks"]
        target = webhook["clientConfig"]
        wanted = _add_path(target)
        if certificates is not None:
            bundle = update_bundle(b64decode(target.get("caBundle", "")), self._replica, certificates, now)
            wanted["caBundle"] = b64encode(bundle).decode()
        if wanted != target:
            version = configuration["metadata"]["resourceVersion"]
            patch = {"metadata": {"resourceVersion": version}, "webhooks": [{**webhook, "clientConfig": wanted}]}
            self._api.patch(Resource.WEBHOOKS, "", self._name, patch)
        return _read_path(wanted)


def _add_path(target: JsonObject) -> dict[str, Any]:
    """Return the client's configuration with a path that nobody guesses: a request at it comes from the API server."""
    if _read_path(target):
        return dict(target)
    return {**target, "service": {**target["service"], "path": f"/{token_hex(16)}"}}


def _read_path(target: JsonObject) -> str:
    path: str = target["service"].get("path", "") if "service" in target else urlsplit(target["url"]).path
    return path.rstrip("/")
