"""`synth store-policy`: print the bucket policy of a namespace."""

from __future__ import annotations

import json

import click

from synth_cli.parameters import NAMESPACE, TEXT


@click.command(name="store-policy")
@click.argument("namespace", type=NAMESPACE)
@click.option("--bucket", type=TEXT, required=True, help="Bucket of the store, sweeps.output.bucket of the chart.")
@click.option("--prefix", type=TEXT, help="Prefix, sweeps.output.prefix of the chart.  [default: none]")
@click.option("--shared", is_flag=True, help="NAMESPACE is one of sweeps.output.sharedBy of the chart.")
def command(namespace: str, bucket: str, prefix: str | None, shared: bool) -> None:
    """Print the bucket policy for the credentials of NAMESPACE.

    It allows to list, read, write and delete in the folder of NAMESPACE below the prefix, and nothing else: the Secret
    of each namespace holds the key of a user with this policy. With --shared it allows the folders of the store at the
    prefix itself, but not those of other namespaces.
    """
    from synth_api.errors import InputError
    from synth_api.resources.default_output import STORE_FOLDERS, join_prefix
    from synth_api.resources.text_formats import BUCKET, PREFIX
    from synth_cli.terminal.standard_streams import print_line
    from synth_dataset.store.s3_policy import build_policy

    for option, form, text in (("--bucket", BUCKET, bucket), ("--prefix", PREFIX, prefix or "")):
        try:
            form.check(text)
        except InputError as error:
            raise InputError(option, error.problem) from None
    if "*" in (prefix or ""):
        raise InputError("--prefix", "in a policy '*' stands for any text; use a prefix without it")
    if namespace in STORE_FOLDERS and not shared:
        raise InputError("NAMESPACE", f"'{namespace}' is a folder of a shared store and has no default output")
    folders = STORE_FOLDERS if shared else (namespace,)
    print_line(json.dumps(build_policy(bucket, [join_prefix(prefix or "", folder) for folder in folders]), indent=2))
