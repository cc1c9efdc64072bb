import pytest

from synth_api.errors import InputError
from synth_api.resources.image_reference import ImageReference

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("registry.example/lab/renderer", ("registry.example/lab/renderer", "", "")),
        ("registry.example:5000/lab/renderer:1.2_a", ("registry.example:5000/lab/renderer", "1.2_a", "")),
        (f"localhost/renderer@{DIGEST}", ("localhost/renderer", "", DIGEST)),
        (f"localhost:5000/renderer:1@{DIGEST}", ("localhost:5000/renderer", "1", DIGEST)),
        ("Registry.Example/renderer", ("registry.example/renderer", "", "")),
        ("debian:12", ("docker.io/library/debian", "12", "")),
        ("lab/renderer", ("docker.io/lab/renderer", "", "")),
    ],
)
def test_a_reference_has_repository_tag_and_digest(text: str, parts: tuple[str, str, str]) -> None:
    assert ImageReference.parse(text) == ImageReference(*parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "registry.example/lab/",
        "a:",
        "a:b:c",
        "Lab/Renderer",
        "a@sha256:1",
        "a b",
        "https://registry.example/a",
        "a/../b",
    ],
)
def test_a_text_that_is_no_image_is_refused(text: str) -> None:
    with pytest.raises(InputError) as error:
        ImageReference.parse(text)
    assert str(error.value) == f"'{text}' is no image; write REGISTRY/PATH, then :TAG or @sha256:DIGEST if wanted"


@pytest.mark.parametrize(
    ("entry", "image", "allowed"),
    [
        ("localhost/renderer", "localhost/renderer", True),
        ("localhost/renderer", "localhost/renderer:1", True),
        ("localhost/renderer", f"localhost/renderer@{DIGEST}", True),
        ("localhost/renderer", "localhost/renderer-evil:1", False),
        ("localhost/renderer", "localhost/renderer/evil:1", False),
        ("localhost/renderer", "localhost:5000/renderer", False),
        ("localhost/renderer", "renderer", False),
        ("localhost/renderer:1", "localhost/renderer:1", True),
        ("localhost/renderer:1", "localhost/renderer:1-evil", False),
        ("localhost/renderer:1", "localhost/renderer", False),
        ("localhost/renderer:1", f"localhost/renderer:1@{OTHER}", False),
        ("localhost/renderer:latest", "localhost/renderer", True),
        (f"localhost/renderer@{DIGEST}", f"localhost/renderer@{DIGEST}", True),
        (f"localhost/renderer@{DIGEST}", f"localhost/renderer:any@{DIGEST}", True),
        (f"localhost/renderer@{DIGEST}", f"localhost/renderer@{OTHER}", False),
        (f"localhost/renderer@{DIGEST}", "localhost/renderer:1", False),
        ("docker.io/lab/renderer", "lab/renderer:1", True),
    ],
)
def test_an_entry_allows_its_repository_or_exactly_its_tag_or_digest(entry: str, image: str, allowed: bool) -> None:
    assert ImageReference.parse(entry).allows(ImageReference.parse(image)) is allowed
