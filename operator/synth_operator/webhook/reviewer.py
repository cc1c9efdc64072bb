"""Reviews of writes: one at a time per namespace, so that a namespace with expensive ones delays none elsewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from synth_operator.kube.api import Resource
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.webhook.admission_review import Verdict
from synth_operator.webhook.judge import judge_write

if TYPE_CHECKING:
    from synth_operator.configuration import Configuration
    from synth_operator.kube.api import Api
    from synth_operator.webhook.admission_review import AdmissionRequest

_UNCHECKED: Final = Verdict()


class Reviewer:
    """Judges writes with the recipes that exist and the configuration of the installation."""

    def __init__(self, api: Api, configuration: Configuration) -> None:
        self._api = api
        self._configuration = configuration
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def review(self, request: AdmissionRequest) -> Verdict:
        """Return the verdict on a write.

        Raises:
            ApiError: the API did not answer for the recipe.
        """
        if not request.needs_check:
            return _UNCHECKED
        turn = self._turns.setdefault(request.namespace, asyncio.Lock())
        async with turn:
            check = asyncio.create_task(asyncio.to_thread(self._judge, request))
            try:
                return await asyncio.shield(check)
            finally:  # the turn ends with the check, also if the API server no longer waits for it
                await asyncio.wait([check])

    def _judge(self, request: AdmissionRequest) -> Verdict:
        body = request.recipe_name and self._api.read(Resource.RECIPES, request.namespace, request.recipe_name)
        recipe = RecipeObject.from_json(body) if body else None
        return judge_write(request, recipe, self._configuration)
