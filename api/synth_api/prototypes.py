"""The prototypes a recipe may name and the features each offers: known without Blender, so a typo costs no render.

Lengths are in scene units (the predecessor's Blender units), colours scene-linear RGBA, angles degrees.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

FeatureValue = float | int | bool | str | tuple[float, ...] | None


class FeatureType(StrEnum):
    """What a feature's value is; `VECTOR` has three components, `COLOR` four."""

    FLOAT = "float"
    INT = "int"
    BOOL = "bool"
    STRING = "string"
    VECTOR = "vector"
    COLOR = "color"


@dataclass(frozen=True)
class Feature:
    """A declared feature: its type, default, inclusive bounds, unit and meaning."""

    type: FeatureType
    default: FeatureValue
    meaning: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Prototype:
    """A geometry, material or measurement technique that this version renders."""

    meaning: str
    features: Mapping[str, Feature] = field(default_factory=dict)


_LOCATION: Final[dict[str, Feature]] = {
    "location": Feature(FeatureType.VECTOR, (0.0, 0.0, 0.0), "centre of the particle", "scene units"),
    "location_x": Feature(FeatureType.FLOAT, 0.0, "first component of location", "scene units"),
    "location_y": Feature(FeatureType.FLOAT, 0.0, "second component of location", "scene units"),
    "location_z": Feature(FeatureType.FLOAT, 0.0, "third component of location", "scene units"),
}
_DIMENSIONS: Final[dict[str, Feature]] = {
    "dimensions": Feature(
        FeatureType.VECTOR, (1.0, 1.0, 1.0), "full extent along the particle's axes", "scene units", minimum=0.0
    ),
}
_SUBDIVISIONS: Final[dict[str, Feature]] = {
    "subdivisions": Feature(FeatureType.INT, 2, "Catmull-Clark level of the rendered mesh", minimum=0, maximum=6),
    "subdivisions_vp": Feature(
        FeatureType.INT, 1, "level in Blender's viewport; shapes no label", minimum=0, maximum=6
    ),
}

GEOMETRIES: Final[dict[str, Prototype]] = {
    "default": Prototype("quad sphere of 386 vertices, no subdivision", _DIMENSIONS | _LOCATION),
    "sphere": Prototype("sphere of diameter 1", _DIMENSIONS | _LOCATION | _SUBDIVISIONS),
    "ellipsoid": Prototype(
        "ellipsoid of 1 x 1 x 0.5",
        {"dimensions": replace(_DIMENSIONS["dimensions"], default=(1.0, 1.0, 0.5))}
        | {
            "width": Feature(FeatureType.FLOAT, 1.0, "factor on the y extent, after dimensions", minimum=0.0),
            "height": Feature(FeatureType.FLOAT, 1.0, "factor on the z extent, after dimensions", minimum=0.0),
        }
        | _LOCATION
        | {"subdivisions": _SUBDIVISIONS["subdivisions"]},
    ),
}

_COLOR: Final = Feature(FeatureType.COLOR, (0.8, 0.8, 0.8, 1.0), "base colour", "linear RGBA", 0.0, 1.0)

MATERIALS: Final[dict[str, Prototype]] = {
    "default": Prototype("plain diffuse", {"color": _COLOR}),
    "plain": Prototype(
        "plain diffuse with roughness",
        {"color": _COLOR, "roughness": Feature(FeatureType.FLOAT, 0.5, "surface roughness", "", 0.0, 1.0)},
    ),
    "vacuum": Prototype("nothing; the default of volume and background"),
    "sem_polystyrene": Prototype("polystyrene bead under an electron beam"),
    "sem_patchy_silicone": Prototype(
        "dark ground with small curly grey patches",
        {
            "patch_scale": Feature(FeatureType.FLOAT, 103.5, "noise scale over the substrate's width", "", 0.0, 1e4),
            "patch_seed": Feature(FeatureType.INT, 2, "shifts the noise", "", 0, 2**53 - 1),
        },
    ),
}

_RENDER: Final[dict[str, Feature]] = {
    "cycles_samples": Feature(FeatureType.INT, 0, "samples per pixel; 0 is the technique's own", "", 0, 65536),
    "resolution_x": Feature(FeatureType.INT, 960, "picture width at 100 %", "px", 4, 16384),
    "resolution_y": Feature(FeatureType.INT, 960, "picture height at 100 %", "px", 4, 16384),
    "resolution_percentage": Feature(FeatureType.INT, 100, "sampling of the same view", "%", 1, 800),
    "color_mode": Feature(FeatureType.STRING, "BW", "accepted; the technique decides"),
    "color_depth": Feature(FeatureType.STRING, "8", "accepted; the technique decides"),
    "compression": Feature(FeatureType.INT, 15, "accepted; files are always lossless", "%", 0, 100),
    "output_root": Feature(FeatureType.STRING, "", "accepted; the store decides where files lie"),
}

TECHNIQUES: Final[dict[str, Prototype]] = {
    "default": Prototype(
        "perspective camera and a lamp over a 2 x 2 x 2 volume",
        _RENDER
        | {"resolution_x": Feature(FeatureType.INT, 1920, "picture width at 100 %", "px", 4, 16384)}
        | {"resolution_y": Feature(FeatureType.INT, 1080, "picture height at 100 %", "px", 4, 16384)},
    ),
    "secondary_electron_microscope": Prototype(
        "scanning electron microscope, secondary electrons, seen from above; 10 pixels = 1 scene unit",
        _RENDER
        | {
            "illumination_strength": Feature(FeatureType.FLOAT, 2.0, "scales brightness", "", 0.0, 1000.0),
            "noise_threshold": Feature(
                FeatureType.FLOAT,
                0.05,
                "shot noise in proportion to it; at 0.05 beam and dwell time set it",
                "",
                0.0,
                1.0,
            ),
            "defocus": Feature(FeatureType.FLOAT, 0.2, "focus distance = (1 - defocus) x camera height", "", 0.0, 1.0),
            "edge_factor": Feature(
                FeatureType.FLOAT, 0.8, "yield at the rim over that of a level facet, - 1", "", -0.9, 10.0
            ),
            "edge_exponent": Feature(
                FeatureType.FLOAT, 1.0, "power of 1/cos(tilt) that the yield grows with", "", 0.1, 4.0
            ),
            "edge_cutoff": Feature(FeatureType.FLOAT, 0.4, "cosine of the tilt where growth ends", "", 0.01, 0.95),
            "detector_azimuth": Feature(FeatureType.FLOAT, 180.0, "from +x towards +y", "degree", -360.0, 360.0),
            "detector_asymmetry": Feature(FeatureType.FLOAT, 0.5, "0 collects from all sides alike", "", 0.0, 1.0),
            "collection_angle": Feature(
                FeatureType.FLOAT,
                32.0,
                "elevation the detector accepts up to; smaller shadows deeper",
                "degree",
                5.0,
                90.0,
            ),
            "beam_current": Feature(FeatureType.FLOAT, 35.0, "current of the electron beam", "pA", 0.01, 1e6),
            "dwell_time": Feature(FeatureType.FLOAT, 1.0, "time the beam stays on a pixel", "µs", 0.001, 1e6),
            "read_noise": Feature(FeatureType.FLOAT, 3.0, "electrons rms of the amplifier", "electron", 0.0, 1e4),
            "line_noise": Feature(FeatureType.FLOAT, 0.002, "rms offset of a scan line, of full white", "", 0.0, 0.5),
            "noise_correlation": Feature(FeatureType.FLOAT, 0.0, "blur of the noise along a line", "px", 0.0, 20.0),
        },
    ),
}
