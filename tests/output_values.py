"""Valid and invalid values of the fields of an output, for the models and the API server."""

from typing import Final

RIGHT: Final = {
    "endpoint": [
        *("minio", "minio.store.svc:9000", "minio.store.svc.:9000", "my_minio:9000", "127.0.0.1:1", "[::1]:9000"),
        *("[2001:db8::7]", "s3.example.org:65535", "S3.Example.ORG:443", "3com.example", "x.1-2", "10.0.0.7"),
    ],
    "bucket": ["lab", "a.b", "a-b.c-d", "1--2", "0" * 63],
    "prefix": ["", "lab", "lab/sem..2/It's(1)!*", "..a/.b", "a" * 512],
    "region": ["", "us-east-1", "garage", "my_region", "A1"],
}
WRONG: Final = {
    "endpoint": [
        *(
            "h:abc",
            "h:0",
            "h:99999",
            "h:65536",
            "h:9:9",
            "h:",
            ":9000",
            "[::1",
            "::1",
            "[::1]x",
            "[1::2::3]:9",
            "[12345::]",
        ),
        *(
            "http://x",
            "user@h:9",
            "h/path",
            "h h",
            "h\n",
            "-h",
            "h-",
            "h..i",
            ".h",
            "256.1.1.1:9",
            "1.2.3",
            "h:+9",
            "ü",
        ),
        "",
    ],
    "bucket": [
        "ab",
        "a..b",
        "a.-b",
        "a-.b",
        "-ab",
        "ab-",
        "Lab",
        "a_b",
        "lab\n",
        "la\nb",
        "a/../../x",
        "1.2.3.4",
        "x-s3alias",
        "x--ol-s3",
        "0" * 64,
    ],
    "prefix": ["/a", "a/", "a//b", "..", "a/../b", "a/../../x", ".", "a/.", "a b", "a\tb", "ä", "a\n", "a" * 513],
    "region": ["us east", "-a", "a_", "us-east-1\n", "us\neast", "a..b", "a/../../x", "a" * 64, "ü"],
}
