"""HTTP endpoint: reviews at the path that only the API server knows, `/healthz` and `/readyz` for the kubelet."""

from __future__ import annotations

import hmac
import logging
from typing import TYPE_CHECKING, Final

from aiohttp import web
from pydantic import ValidationError

from synth_operator.kube.api import ApiError
from synth_operator.webhook.admission_review import AdmissionReview, build_answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from synth_operator.webhook.admission_review import AdmissionRequest, Verdict

log = logging.getLogger(__name__)

_MAX_BYTES: Final = 8 << 20
"""Of a request: an object before and after the write, each of at most the 1.5 MiB of etcd, escaped."""


class Endpoint:
    """The routes of the server; `path` is that of the reviews, empty until the API server knows the certificate."""

    def __init__(self, review: Callable[[AdmissionRequest], Awaitable[Verdict]]) -> None:
        self._review = review
        self.path = ""

    def build_application(self) -> web.Application:
        """Return the application with all routes."""
        application = web.Application(client_max_size=_MAX_BYTES)
        application.router.add_get("/healthz", self._answer_probe)
        application.router.add_get("/readyz", self._answer_readiness)
        application.router.add_post("/{path:.*}", self._answer_review)
        return application

    async def _answer_probe(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _answer_readiness(self, _: web.Request) -> web.Response:
        if not self.path:
            return web.Response(status=503, text="the API server does not know the certificate yet\n")
        return web.Response(text="ok\n")

    async def _answer_review(self, request: web.Request) -> web.Response:
        if not self.path or not hmac.compare_digest(request.path.encode(), self.path.encode()):
            return web.Response(status=404, text="there is nothing at this path\n")
        try:
            review = AdmissionReview.model_validate_json(await request.read())
        except ValidationError as error:
            return web.Response(status=400, text=f"this is no AdmissionReview: {error.error_count()} errors\n")
        try:
            verdict = await self._review(review.request)
        except ApiError as error:
            log.warning("a write is not checked: %s", error, extra={"namespace": review.request.namespace})
            return web.Response(status=503, text="the recipe of the sweep cannot be read now\n")
        return web.json_response(build_answer(review.request, verdict))
