"""Bucket policy with the rights that a store needs below its prefix, for S3 and MinIO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_OBJECT_ACTIONS: Final = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
"""Uploads in parts need s3:PutObject, and s3:AbortMultipartUpload after a failure."""


def build_policy(bucket: str, folders: Sequence[str]) -> dict[str, Any]:
    """Return the policy that allows to list, read, write and delete in folders of a bucket, and nothing else."""
    below = [f"{folder}/*" for folder in folders]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": [f"arn:aws:s3:::{bucket}"],
                "Condition": {"StringLike": {"s3:prefix": below}},
            },
            {
                "Effect": "Allow",
                "Action": list(_OBJECT_ACTIONS),
                "Resource": [f"arn:aws:s3:::{bucket}/{path}" for path in below],
            },
        ],
    }
