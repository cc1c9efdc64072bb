"""`croissant.json`: metadata of an export in Croissant 1.0, which search engines and loaders of datasets read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from synth_api.version import PROJECT_URL
from synth_dataset.documents import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_dataset.documents.run_manifest import File
    from synth_dataset.exports.export_document import ExportDocument
    from synth_dataset.exports.picture_files import PictureFiles

CROISSANT: Final = "croissant.json"
_FOLDER: Final = "export"
_FOLDER_KIND: Final = {"encodingFormat": "inode/directory", "sha256": "of each file: checksums.sha256"}
"""A folder has no digest of its own, which Croissant 1.0 asks of every file object."""
_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "containedIn": "cr:containedIn",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def build_croissant(
    document: ExportDocument, files: Sequence[File], schema: pa.Schema, pictures: Sequence[PictureFiles]
) -> bytes:
    """Return the metadata: some files with their digests, the pictures, the columns of the pooled particle table."""
    entries = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": document.title or document.name,
        "description": document.description or f"Synthetic microscopy pictures with masks: {document.name}",
        "version": document.version or "0.0.0",
        "datePublished": document.created.date().isoformat(),
        "license": document.licence or "not chosen by the publisher",
        "creator": [{"@type": "sc:Person", "name": author} for author in document.authors],
        "citeAs": document.citation or f"{document.title or document.name}, {document.created.date().isoformat()}",
        "url": PROJECT_URL,
        "distribution": [
            *map(_describe_file, files),
            {"@type": "cr:FileObject", "@id": _FOLDER, "name": _FOLDER, "contentUrl": ".", **_FOLDER_KIND},
            *map(_describe_file_set, pictures),
        ],
        "recordSet": [
            *map(_describe_pictures, pictures),
            {
                "@type": "cr:RecordSet",
                "@id": "particles",
                "name": "particles",
                "description": "One record for each particle, those outside the pictures too.",
                "field": [_describe_column(column) for column in schema],
            },
        ],
    }
    return json.dumps(entries, indent=1).encode() + b"\n"


def _describe_file(file: File) -> dict[str, Any]:
    kinds = {"parquet": "application/x-parquet", "json": "application/json", "yaml": "application/yaml"}
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "contentUrl": file.path,
        "encodingFormat": kinds.get(file.path.rpartition(".")[2], "application/octet-stream"),
        "contentSize": f"{file.bytes} B",
        "sha256": file.sha256,
    }


def _describe_file_set(files: PictureFiles) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{files.name}-files",
        "name": f"{files.name}-files",
        "containedIn": {"@id": _FOLDER},
        "encodingFormat": files.kind,
        "includes": files.pattern,
    }


def _describe_pictures(files: PictureFiles) -> dict[str, Any]:
    """Return the record set of pictures: path and split by the path, pictures by content or by column."""
    by_path = {"extract": {"fileProperty": "fullpath"}}
    fields: dict[str, tuple[str, dict[str, Any]]] = {
        "path": ("sc:Text", by_path),
        "split": ("sc:Text", by_path | {"transform": {"regex": files.split}}),
    }
    for column in files.columns:
        fields[column] = ("sc:ImageObject", {"extract": {"column": column}, "transform": {"jsonPath": "bytes"}})
    if not files.columns:
        fields["content"] = ("sc:ImageObject", {"extract": {"fileProperty": "content"}})
    source = {"fileSet": {"@id": f"{files.name}-files"}}
    return {
        "@type": "cr:RecordSet",
        "@id": files.name,
        "name": files.name,
        "field": [
            {"@type": "cr:Field", "@id": f"{files.name}/{name}", "name": name, "dataType": kind, "source": source | how}
            for name, (kind, how) in fields.items()
        ],
    }


def _describe_column(column: pa.Field) -> dict[str, Any]:
    metadata = {name.decode(): value.decode() for name, value in (column.metadata or {}).items()}
    unit = f", {metadata['unit']}" if metadata.get("unit") else ""
    return {
        "@type": "cr:Field",
        "@id": f"particles/{column.name}",
        "name": column.name,
        "description": metadata.get("meaning", "a feature of the recipe") + unit,
        "dataType": _find_type(column.type),
        "source": {"fileObject": {"@id": layout.PARTICLES}, "extract": {"column": column.name}},
    }


def _find_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
