"""The words of devices are one list: `--device`, `spec.device` and the renderer."""

from __future__ import annotations

from typing import get_args

import click

from synth_api.resources.synth_sweep import Device
from synth_cli.commands.render import command


def test_the_option_has_the_words_of_the_custom_resource() -> None:
    (option,) = (parameter for parameter in command.params if parameter.name == "device")
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(get_args(Device))
