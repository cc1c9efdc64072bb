"""Output of a sweep: a prefix in a bucket of an S3 store."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from synth_api.errors import InputError
from synth_api.resources.base import Part
from synth_api.resources.text_formats import BUCKET, ENDPOINT, PREFIX, REGION, check_endpoint

Endpoint = Annotated[str, AfterValidator(check_endpoint), Field(json_schema_extra=ENDPOINT.to_json_schema())]
BucketName = Annotated[str, AfterValidator(BUCKET.check), Field(json_schema_extra=BUCKET.to_json_schema())]
Prefix = Annotated[str, AfterValidator(PREFIX.check), Field(json_schema_extra=PREFIX.to_json_schema())]
Region = Annotated[str, AfterValidator(REGION.check), Field(json_schema_extra=REGION.to_json_schema())]
ObjectName = Annotated[
    str, Field(pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", max_length=253)
]
"""A DNS subdomain: what Kubernetes allows as the name of an object."""
KeyName = Annotated[str, Field(pattern="^[.]?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$", max_length=253)]
"""A key of a Secret, as Kubernetes allows it."""


class SecretKeyRef(Part):
    """One key of a Secret in the sweep's namespace."""

    name: ObjectName
    """Name of the Secret."""
    key: KeyName = "ca.crt"
    """Key in the Secret."""


class SecretRef(Part):
    """A Secret in the sweep's namespace."""

    name: ObjectName
    """Name of the Secret."""


class Output(Part):
    """A prefix in a bucket of an S3 store."""

    endpoint: Endpoint
    """Host and port of the store, without a scheme: `minio.store.svc:9000`."""
    bucket: BucketName
    """The bucket; it must exist."""
    prefix: Prefix = ""
    """Folder in the bucket, without slashes at its ends."""
    region: Region = "us-east-1"
    """Region of the bucket."""
    insecure: bool = False
    """True for plain HTTP."""
    ca_secret_ref: SecretKeyRef | None = None
    """Certificate authority of the store, if the system does not trust it."""
    secret_ref: SecretRef | None = None
    """Secret with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, optionally, AWS_SESSION_TOKEN."""
    service_account_name: ObjectName | None = None
    """Service account whose workload identity opens the store, where there is no Secret; the operator must allow it."""

    @model_validator(mode="after")
    def _has_one_access(self) -> Self:
        if self.secret_ref and self.service_account_name:
            raise InputError("", "is opened by either secretRef or serviceAccountName; take one of them out")
        return self

    @property
    def uri(self) -> str:
        """URI of the prefix, `s3://bucket/prefix`."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def identity(self) -> str:
        """Part that a plan depends on: the place, without the credentials and options to open it."""
        return f"{self.endpoint}/{self.bucket}/{self.prefix}".rstrip("/")
