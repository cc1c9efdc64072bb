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
    """Type of a feature's value; `VECTOR` has three components, `COLOR` four (RGBA)."""

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
    choices: tuple[str, ...] = ()
    """Allowed strings; empty if any string is allowed."""
    no_effect: str = ""
    """Reason why it changes no output, as the second half of a sentence; empty if it changes outputs."""
    has_column: bool = True
    """Whether the particle table has a column of it also where the recipe neither sets nor draws it.

    False for a feature that is younger than the engine version: tables and label digests of older recipes stay.
    """


@dataclass(frozen=True)
class Prototype:
    """A geometry, material or measurement technique that this version renders."""

    meaning: str
    features: Mapping[str, Feature] = field(default_factory=dict)
    shown_by: tuple[str, ...] = ()
    """The measurement techniques whose pictures show a material's features; all, if there are none."""
    is_traced: bool = False
    """True if Cycles traces the real image of a measurement technique, on a GPU where there is one."""
    bodies_overlap: bool = False
    """True if bodies shine through in the pictures of a measurement technique: the visible mask of each is then its
    amodal mask, whatever lies before it.
    """
    has_centre_line: bool = False
    """True if labels have the centre line of a geometry."""


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
_ORIENTATION: Final[dict[str, Feature]] = {
    "orientation": Feature(
        FeatureType.STRING,
        "none",
        "free: any; flat: resting on a face or side; aligned: flat, and turned as others; none: as the step has it",
        choices=("none", "free", "flat", "aligned"),
        has_column=False,
    ),
    "orientation_heading": Feature(
        FeatureType.FLOAT,
        0.0,
        "direction of aligned particles that are in no raft, chain, ring or lattice; from +x towards +y",
        "degree",
        -360.0,
        360.0,
        has_column=False,
    ),
    "orientation_spread": Feature(
        FeatureType.FLOAT,
        0.0,
        "standard deviation of the direction of aligned particles",
        "degree",
        0.0,
        180.0,
        has_column=False,
    ),
}
_SUBDIVISIONS: Final[dict[str, Feature]] = {
    "subdivisions": Feature(FeatureType.INT, 2, "Catmull-Clark level of the rendered mesh", minimum=0, maximum=6),
    "subdivisions_vp": Feature(
        FeatureType.INT,
        1,
        "level in Blender's viewport",
        minimum=0,
        maximum=6,
        no_effect="pictures, labels and states have the level of `subdivisions`",
    ),
}

_ELLIPSOIDS: Final[dict[str, Prototype]] = {
    "default": Prototype("quad sphere of 386 vertices, no subdivision", _DIMENSIONS | _LOCATION | _ORIENTATION),
    "sphere": Prototype("sphere of diameter 1", _DIMENSIONS | _LOCATION | _ORIENTATION | _SUBDIVISIONS),
    "ellipsoid": Prototype(
        "ellipsoid of 1 x 1 x 0.5",
        _DIMENSIONS
        | {
            "width": Feature(FeatureType.FLOAT, 1.0, "factor on the y extent; dimensions make it 1", minimum=0.0),
            "height": Feature(FeatureType.FLOAT, 0.5, "factor on the z extent; dimensions make it 1", minimum=0.0),
        }
        | _LOCATION
        | _ORIENTATION
        | {"subdivisions": _SUBDIVISIONS["subdivisions"]},
    ),
}


def _build_float(default: float, meaning: str, unit: str, minimum: float, maximum: float) -> Feature:
    return Feature(FeatureType.FLOAT, default, meaning, unit, minimum, maximum)


_EXTENT: Final[dict[str, Feature]] = {
    "dimensions": replace(_DIMENSIONS["dimensions"], minimum=1e-3),
    "width": _build_float(1.0, "factor on the y extent; dimensions make it 1", "", 0.02, 50.0),
    "height": _build_float(1.0, "factor on the z extent; dimensions make it 1", "", 0.02, 50.0),
}
_RELIEF: Final[dict[str, Feature]] = {
    "shape_seed": Feature(FeatureType.INT, 0, "which of the random shapes it is", "", 0, 2**53 - 1),
    "irregularity": _build_float(
        0.0, "rms displacement of the outline; 0 is the ideal body", "particle size", 0.0, 0.1
    ),
    "wrinkle_depth": _build_float(0.0, "depth of folds; 0 is none", "particle size", 0.0, 0.2),
    "wrinkle_scale": _build_float(0.3, "distance between folds", "particle size", 0.02, 2.0),
    "pore_depth": _build_float(0.0, "depth of honeycomb pores; 0 is none", "particle size", 0.0, 0.45),
    "pore_scale": _build_float(0.15, "distance between pores", "particle size", 0.02, 1.0),
    "step_depth": _build_float(0.0, "height of growth steps; 0 is none", "particle size", 0.0, 0.1),
    "step_number": _build_float(8.0, "growth steps across the particle", "", 1.0, 100.0),
}
_ROUNDING: Final[dict[str, Feature]] = {
    "edge_rounding": _build_float(0.0, "radius of the edges; 0 is sharp", "half the smallest extent", 0.0, 1.0),
}
_FLUTES: Final[dict[str, Feature]] = {
    "flute_depth": _build_float(0.0, "depth of flutes along the axis; 0 is none", "particle size", 0.0, 0.2),
    "flute_number": Feature(FeatureType.INT, 12, "flutes around the axis", "", 2, 100),
}
_PARTS: Final[dict[str, Feature]] = {
    name: replace(feature, has_column=False)
    for name, feature in {
        "wall_thickness": _build_float(0.0, "of a hollow body; 0 is solid", "particle size", 0.0, 0.45),
        "opening": _build_float(0.0, "width of the hole at the +z end of a hollow body", "particle", 0.0, 0.95),
        "inclusion_size": _build_float(0.0, "size of a body of its shape inside; 0 is none", "particle", 0.0, 0.95),
        "inclusion_offset": _build_float(0.0, "how far it lies aside; 1 touches the wall", "", 0.0, 1.0),
        "inclusion_density": _build_float(2.0, "density of that body", "particle's density", 0.0, 100.0),
        "decoration_number": Feature(FeatureType.INT, 0, "small spheres on the surface; 0 is none", "", 0, 1000),
        "decoration_size": _build_float(0.06, "diameter of such a sphere", "particle size", 0.005, 0.5),
        "decoration_density": _build_float(4.0, "density of such a sphere", "particle's density", 0.0, 100.0),
    }.items()
}
_SURFACE: Final[dict[str, Feature]] = _EXTENT | _LOCATION | _ORIENTATION | _RELIEF
_BODY: Final[dict[str, Feature]] = _SURFACE | _PARTS

SHAPES: Final[dict[str, Prototype]] = {
    "rough_sphere": Prototype("sphere that may be stretched, irregular and deeply structured", _BODY),
    "rough_ellipsoid": Prototype(
        "the same, flat by default",
        _BODY | {"height": replace(_EXTENT["height"], default=0.5)},
    ),
    "cube": Prototype("box", _BODY | _ROUNDING),
    "octahedron": Prototype("octahedron, its corners on the axes", _BODY | _ROUNDING),
    "prism": Prototype(
        "upright prism over a regular polygon that the ellipse of its extents goes around",
        _BODY | _ROUNDING | {"sides": Feature(FeatureType.INT, 6, "sides of the polygon", "", 3, 8)},
    ),
    "polyhedron": Prototype(
        "random convex polyhedron in the box of its extents",
        _BODY | _ROUNDING | {"faces": Feature(FeatureType.INT, 14, "planes that cut it out", "", 9, 21)},
    ),
    "bipyramid": Prototype(
        "upright bipyramid over a regular polygon that the ellipse of its extents goes around",
        _BODY
        | {"height": replace(_EXTENT["height"], default=1.6)}
        | _ROUNDING
        | {
            "sides": Feature(FeatureType.INT, 5, "sides of the polygon", "", 3, 12),
            "truncation": _build_float(0.0, "width of its cut tips; 0 is sharp", "the waist's", 0.0, 0.9),
        },
    ),
    "flake": Prototype(
        "thin upright plate over a random polygon in the box of its extents",
        _BODY
        | {"height": replace(_EXTENT["height"], default=0.05)}
        | _ROUNDING
        | {
            "corners": Feature(FeatureType.INT, 8, "corners of the polygon", "", 4, 40),
            "corner_variation": _build_float(0.4, "how far corners lie inside the outline", "half width", 0.0, 0.8),
            "wave_depth": _build_float(0.0, "rms of waves across the plate; 0 is level", "particle size", 0.0, 0.3),
        },
    ),
    "star": Prototype(
        "upright plate over a star that the ellipse of its extents goes around",
        _BODY
        | {"height": replace(_EXTENT["height"], default=0.3)}
        | _ROUNDING
        | {
            "arms": Feature(FeatureType.INT, 5, "arms of the star", "", 3, 24),
            "notch": _build_float(0.45, "distance of the notches from the middle", "half width", 0.1, 1.0),
        },
    ),
    "spiky_sphere": Prototype(
        "sphere with spikes",
        _BODY
        | {
            "spikes": Feature(FeatureType.INT, 40, "spikes on the sphere", "", 3, 400),
            "spike_width": _build_float(0.18, "diameter of a spike where it begins", "diameter", 0.01, 0.9),
            "spike_core": _build_float(0.5, "diameter of the sphere without spikes", "diameter", 0.1, 0.95),
            "spike_variation": _build_float(0.2, "how much shorter than the longest a spike may be", "", 0.0, 1.0),
        },
    ),
    "rod": Prototype(
        "upright cylinder",
        _BODY | {"height": replace(_EXTENT["height"], default=4.0)} | _ROUNDING | _FLUTES,
    ),
    "bent_rod": Prototype(
        "the same cylinder, its axis an arc in the plane of x and z",
        _BODY
        | {"height": replace(_EXTENT["height"], default=4.0)}
        | _ROUNDING
        | _FLUTES
        | {"bend": _build_float(40.0, "change of direction from end to end", "degree", 0.0, 180.0)},
    ),
    "fibre": Prototype(
        "cylinder along a smooth curve in the plane of x and z; it lies on its +y side and over what is below it",
        _SURFACE
        | {"height": _build_float(30.0, "factor on the z extent; dimensions make it 1", "", 2.0, 2000.0)}
        | {"edge_rounding": replace(_ROUNDING["edge_rounding"], default=1.0)}
        | _FLUTES
        | {
            "curvature": _build_float(90.0, "rms curvature times the length", "degree", 0.0, 7200.0),
            "curvature_scale": _build_float(0.4, "distance between bends", "length", 0.02, 5.0),
            "width_variation": _build_float(0.0, "rms variation of the width along the fibre", "width", 0.0, 0.5),
            "width_scale": _build_float(0.1, "distance between thick and thin places", "length", 0.01, 2.0),
            "taper": _build_float(0.0, "how much thinner the ends are than the middle", "width", 0.0, 0.9),
            "loops": Feature(FeatureType.INT, 0, "full turns in which it crosses itself", "", 0, 20),
            "loop_size": _build_float(15.0, "circumference of a loop", "width", 8.0, 1000.0),
            "branches": Feature(FeatureType.INT, 0, "branches that leave it", "", 0, 50),
            "branch_length": _build_float(0.25, "length of a branch", "length", 0.02, 1.0),
            "branch_angle": _build_float(45.0, "angle at which a branch leaves it", "degree", 10.0, 90.0),
            "stiffness": _build_float(10.0, "radius at which it bends down from what it lies on", "width", 1.0, 1000.0),
        },
        has_centre_line=True,
    ),
    "raspberry": Prototype(
        "sphere of grains that touch",
        _BODY
        | {
            "grains": Feature(FeatureType.INT, 60, "grains on the sphere", "", 8, 400),
            "grain_overlap": _build_float(0.3, "how far neighbours reach into each other", "grain radius", 0.0, 0.9),
        },
    ),
}
"""The prototypes whose mesh depends on features; lengths relative to the size of the particle, the cube root of the
product of its extents.
"""
_META_BALLS: Final[dict[str, Prototype]] = {
    "meta_ball_sphere": Prototype(
        "ball that fuses with the others of its blueprint to one surface",
        {"dimensions": replace(_DIMENSIONS["dimensions"], minimum=1e-3)}
        | _LOCATION
        | _ORIENTATION
        | {
            "influence_threshold": _build_float(
                0.6, "sum of the balls' fields at the surface; a ball's is 2 in its middle", "", 1e-3, 1.99
            ),
            "render_resolution": _build_float(0.2, "distance between points of the surface", "scene units", 0.01, 100),
            "resolution": Feature(
                FeatureType.FLOAT,
                0.4,
                "the same in Blender's viewport",
                "scene units",
                0.01,
                100.0,
                no_effect="pictures, labels and states have `render_resolution`",
            ),
        },
    ),
}
GEOMETRIES: Final = _ELLIPSOIDS | _META_BALLS | SHAPES
_COLOR: Final = Feature(FeatureType.COLOR, (0.8, 0.8, 0.8, 1.0), "base colour", "linear RGBA", 0.0, 1.0)
PATTERNS: Final = (
    "none",
    "honeycomb",
    "pores",
    "dents",
    "grains",
    "dust",
    "cracks",
    "wrinkles",
    "furrows",
    "steps",
    "flakes",
    "fibres",
    "scratches",
    "facets",
    "bands",
    "stains",
)
"""Patterns of surfaces under the signal model; docs/sem.md has a formula for each."""


def _build_pattern(name: str, prefix: str, length: str, along: str) -> dict[str, Feature]:
    """Return the feature `name`, the pattern of a surface, and `<prefix>_strength`, `_scale` and `_stretch` of it.

    `length` is the unit of the scale.
    """
    features = {
        name: Feature(FeatureType.STRING, "none", "which pattern the surface has", choices=PATTERNS),
        f"{prefix}_strength": _build_float(
            1.0, "depth over the scale; of facets, bands and stains the range of greys", "", 0.0, 3.0
        ),
        f"{prefix}_scale": _build_float(0.2, "distance between elements of the pattern", length, 0.002, 3.0),
        f"{prefix}_stretch": _build_float(1.0, f"length of elements over their width, along {along}", "", 0.1, 30.0),
    }
    return {key: replace(feature, has_column=False) for key, feature in features.items()}


_TRACED: Final = ("default", "secondary_electron_microscope")
_MICROSCOPES: Final = ("scanning_electron_microscope", "secondary_electron_microscope", "sem_aggregate")
_SIGNAL_MODEL: Final = ("scanning_electron_microscope", "sem_aggregate")
_TRANSMISSION: Final = ("transmission_electron_microscope",)

MATERIALS: Final[dict[str, Prototype]] = {
    "default": Prototype("plain diffuse", {"color": _COLOR}, _TRACED),
    "plain": Prototype(
        "plain diffuse with roughness",
        {"color": _COLOR, "roughness": Feature(FeatureType.FLOAT, 0.5, "surface roughness", "", 0.0, 1.0)},
        _TRACED,
    ),
    "vacuum": Prototype("nothing; the default of volume and background"),
    "sem_polystyrene": Prototype("polystyrene bead under an electron beam"),
    "sem_patchy_silicone": Prototype(
        "dark ground with small curly grey patches",
        {
            "patch_scale": Feature(FeatureType.FLOAT, 103.5, "noise scale over the substrate's width", "", 0.0, 1e4),
            "patch_seed": _build_float(2.0, "which patches there are", "", 1.0 - 2**53, 2.0**53 - 1),
        },
        _MICROSCOPES,
    ),
    "sem_particle": Prototype(
        "particle as the scanning electron microscope's signal model sees it",
        {
            "brightness": _build_float(1.0, "factor on the particle's grey", "", 0.0, 10.0),
            "roughness_slope": _build_float(0.0, "rms slope of a fractal skin; 0 is smooth", "", 0.0, 2.0),
            "roughness_scale": _build_float(0.2, "longest wave of that skin", "particle size", 0.005, 2.0),
            "roughness_falloff": _build_float(2.8, "power spectrum falls with this power of frequency", "", 1.5, 4.0),
            "core_size": _build_float(0.0, "size of a core that shines through; 0 is none", "particle size", 0.0, 0.95),
            "core_brightness": _build_float(1.0, "grey that the core adds, in parts of the shell's", "", -1.0, 5.0),
        }
        | _build_pattern("skin_pattern", "skin", "particle size", "the particle's longest axis"),
        _SIGNAL_MODEL,
    ),
    "aggregated_texture": Prototype(
        "rough surface of an agglomerate",
        {"bump_strength": _build_float(0.533, "depth of the bumps; 0 is smooth", "", 0.0, 2.0)},
        ("default", *_MICROSCOPES),
    ),
    "band_noise": Prototype(
        "ground with soft level bands",
        {
            "bump_strength": Feature(
                FeatureType.FLOAT, 0.533, "depth of the bumps", "", 0.0, 1e3, no_effect="the bands are level"
            )
        },
    ),
    "sem_ground": Prototype(
        "ground as the scanning electron microscope's signal model sees it; every structure 0 is flat",
        {
            "ground_level": _build_float(0.15, "grey of the level ground", "full white", 0.0, 1.0),
            "ground_gradient": _build_float(0.0, "rise of the grey across the frame", "full white", 0.0, 1.0),
            "ground_azimuth": _build_float(
                0.0,
                "direction in which it rises; scratches and terraces are perpendicular to it",
                "degree",
                -360.0,
                360.0,
            ),
            "ground_texture": _build_float(0.0, "rms of a fractal texture", "full white", 0.0, 0.5),
            "ground_texture_scale": _build_float(0.2, "longest wave of the texture", "frame", 0.005, 2.0),
            "ground_pores": _build_float(0.0, "share of the ground that is pores", "", 0.0, 0.6),
            "ground_pore_size": _build_float(0.02, "diameter of the largest pores", "frame", 0.004, 0.3),
            "ground_scratches": _build_float(0.0, "scratches across the frame", "", 0.0, 200.0),
            "ground_terraces": _build_float(0.0, "steps across the frame", "", 0.0, 100.0),
            "ground_crumbs": _build_float(0.0, "share of the ground under crumbs; they are not labelled", "", 0.0, 0.3),
            "ground_crumb_size": _build_float(0.008, "diameter of the largest crumbs", "frame", 0.002, 0.05),
        }
        | _build_pattern("ground_pattern", "ground_pattern", "frame", "the perpendicular to ground_azimuth"),
        _SIGNAL_MODEL,
    ),
    "tem_amorphous": Prototype(
        "absorber of the predecessor: intensity exp(-0.5 density path)",
        {
            "density": replace(
                _build_float(1.0, "absorption is 0.5 times it", "per scene unit", 0.0, 1e4), has_column=False
            )
        },
        _TRANSMISSION,
    ),
    "tem_particle": Prototype(
        "particle as the transmission electron microscope's signal model sees it",
        {
            name: replace(feature, has_column=False)
            for name, feature in {
                "absorption": _build_float(1.0, "exponent of the absorption across the particle's size", "", 0.0, 20.0),
                "phase_shift": _build_float(0.0, "phase shift across the particle's size", "rad", -100.0, 100.0),
                "core_size": _build_float(0.0, "size of a core; 0 is none", "particle size", 0.0, 0.98),
                "core_absorption": _build_float(
                    1.0, "absorption of the core over that of the shell; 0 is a cavity", "", 0.0, 50.0
                ),
                "texture": _build_float(0.0, "rms variation of the density inside", "of the density", 0.0, 2.0),
                "texture_scale": _build_float(0.3, "longest wave of that variation", "particle size", 0.02, 5.0),
                "crystal_contrast": _build_float(
                    0.0, "largest share of the beam that a Bragg reflection takes; 0 is amorphous", "", 0.0, 1.0
                ),
                "extinction_distance": _build_float(
                    1.0, "path after which a reflection is strong once", "particle size", 0.05, 20.0
                ),
                "crystal_tilt": _build_float(
                    2.0, "largest deviation of a grain from the Bragg condition", "1 / extinction distance", 0.0, 50.0
                ),
                "bend_contours": _build_float(0.0, "change of that deviation across the particle", "", 0.0, 50.0),
                "crystal_grains": Feature(FeatureType.INT, 1, "grains of the particle", "", 1, 64),
                "twin_planes": Feature(FeatureType.INT, 0, "twin planes through each grain", "", 0, 50),
            }.items()
        },
        _TRANSMISSION,
    ),
    "tem_film": Prototype(
        "support film of the transmission electron microscope; every structure 0 is even",
        {
            "film_form": Feature(
                FeatureType.STRING, "continuous", "whether it has holes", choices=("continuous", "holey", "lacey")
            ),
            "film_absorption": _build_float(0.1, "exponent of the absorption of the film", "", 0.0, 20.0),
            "film_phase": _build_float(0.0, "phase shift of the film", "rad", -100.0, 100.0),
            "film_gradient": _build_float(0.0, "rise of the thickness across the frame", "of the film", 0.0, 2.0),
            "film_azimuth": _build_float(
                0.0, "direction in which it rises, and towards which the film is torn", "degree", -360.0, 360.0
            ),
            "film_texture": _build_float(0.0, "rms of a fractal texture", "of the film", 0.0, 2.0),
            "film_texture_scale": _build_float(0.2, "longest wave of the texture", "frame", 0.005, 2.0),
            "film_hole_share": _build_float(0.4, "share of a holey or lacey film that is holes", "", 0.0, 0.95),
            "film_hole_size": _build_float(0.3, "distance from hole to hole", "frame", 0.02, 3.0),
            "film_rim": _build_float(0.0, "how much thicker the edge of a hole or tear is", "of the film", 0.0, 10.0),
            "film_edge": _build_float(0.0, "share of the picture beyond a torn edge", "", 0.0, 0.95),
            "film_folds": Feature(FeatureType.INT, 0, "folds across the picture", "", 0, 50),
            "film_fold_width": _build_float(0.01, "width of a fold", "frame", 0.001, 0.3),
            "film_dirt": _build_float(0.0, "share of the film under dirt; it is not labelled", "", 0.0, 0.9),
            "film_dirt_size": _build_float(0.05, "size of heaps of dirt", "frame", 0.005, 1.0),
            "film_dirt_strength": _build_float(1.0, "thickness of the dirt", "of the film", 0.0, 20.0),
        },
        _TRANSMISSION,
    ),
}

_RENDER: Final[dict[str, Feature]] = {
    "cycles_samples": Feature(FeatureType.INT, 0, "samples per pixel; 0 is the technique's own", "", 0, 65536),
    "resolution_x": Feature(FeatureType.INT, 960, "picture width at 100 %", "px", 4, 16384),
    "resolution_y": Feature(FeatureType.INT, 960, "picture height at 100 %", "px", 4, 16384),
    "resolution_percentage": Feature(FeatureType.INT, 100, "sampling of the same view", "%", 1, 800),
    "color_mode": Feature(
        FeatureType.STRING, "BW", "colours of the picture", no_effect="the technique alone decides whether it is grey"
    ),
    "color_depth": Feature(FeatureType.STRING, "8", "bits per channel", no_effect="pictures have 8 bits per channel"),
    "compression": Feature(FeatureType.INT, 15, "of the PNG files", "%", 0, 100, no_effect="it would change no pixel"),
    "output_root": Feature(
        FeatureType.STRING, "", "folder of the pictures", no_effect="a run's files lie in the run's own folder"
    ),
}

_DISPLAY: Final[dict[str, Feature]] = {
    "auto_black": _build_float(0.0, "grey that the automatic levels give the darkest 0.3 %", "full white", -1.0, 1.0),
    "auto_white": _build_float(
        0.0, "grey that they give the brightest 0.3 %; 0 switches them off", "full white", 0.0, 2.0
    ),
    "gamma": _build_float(1.0, "power of the response; below 1 lifts dark greys", "", 0.2, 5.0),
    "saturation": _build_float(0.0, "how far the response bends to an S", "", 0.0, 1.0),
    "inverted_contrast": Feature(FeatureType.BOOL, False, "whether dark and bright change places"),
}
_OVERLAYS: Final[dict[str, Feature]] = {
    "nanometres_per_unit": _build_float(0.0, "scale; 0 is unknown", "nm per scene unit", 0.0, 1e9),
    "overlays": Feature(FeatureType.BOOL, True, "whether anything is written over the picture"),
    "info_bar": _build_float(0.0, "height of the bar at the bottom; 0 is none", "picture height", 0.0, 0.3),
    "info_bar_rows": Feature(FeatureType.INT, 1, "rows of text in it", "", 1, 2),
    "scale_bar": _build_float(0.0, "longest it may be; 0 is none", "picture width", 0.0, 0.9),
    "scale_bar_text": _build_float(0.035, "height of its capitals", "picture height", 0.01, 0.3),
    "scale_bar_form": Feature(FeatureType.STRING, "solid", "form of the scale bar", choices=("solid", "ends", "ticks")),
    "scale_bar_label": Feature(
        FeatureType.STRING,
        "above",
        "place of its text; inside where it fits, else above",
        choices=("above", "below", "beside", "inside"),
    ),
    "panel_letter": _build_float(0.0, "height of a letter in a corner; 0 is none", "picture height", 0.0, 0.3),
    "overlay_box": Feature(FeatureType.BOOL, False, "whether letter and scale bar stand on a box"),
    "overlay_shade": _build_float(1.0, "grey of strokes; boxes and bar have the opposite", "full white", 0.0, 1.0),
}

_ELECTRON_OPTICS: Final[dict[str, Feature]] = {
    "accelerating_voltage": _build_float(200.0, "voltage that accelerates the electrons", "kV", 1.0, 3000.0),
    "underfocus": _build_float(
        0.0, "defocus of the objective lens; above 0 edges have a bright fringe outside", "nm", -1e6, 1e6
    ),
    "spherical_aberration": _build_float(0.0, "of the objective lens", "mm", 0.0, 100.0),
    "beam_convergence": _build_float(
        0.0, "standard deviation of the beam's direction, which blurs fringes", "mrad", 0.0, 100.0
    ),
    "phase_speckle": _build_float(
        0.0, "rms phase of amorphous matter of absorption 1 in a pixel; 0 is off", "rad", 0.0, 10.0
    ),
    "beam_falloff": _build_float(0.0, "loss of the beam at half the picture's diagonal", "of its middle", 0.0, 0.99),
    "beam_radius": _build_float(0.0, "radius of the condenser's aperture in the picture; 0 is none", "frame", 0.0, 2.0),
    "beam_offset": _build_float(0.0, "distance of the beam's middle from the picture's", "frame", 0.0, 1.0),
    "beam_azimuth": _build_float(0.0, "direction of that offset, from +x towards +y", "degree", -360.0, 360.0),
    "camera": Feature(
        FeatureType.STRING, "none", "what records the picture", choices=("none", "film", "ccd", "direct")
    ),
    "electrons": _build_float(0.0, "electrons per pixel at full white; 0 makes no shot noise", "", 0.0, 1e7),
    "read_noise": _build_float(0.0, "noise of the camera's amplifier, rms", "electron", 0.0, 1e4),
    "gain_variation": _build_float(0.0, "rms difference from pixel to pixel", "of the gain", 0.0, 0.5),
}

_TECHNIQUES: Final[dict[str, Prototype]] = {
    "default": Prototype(
        "perspective camera and a lamp over a 2 x 2 x 2 volume",
        _RENDER
        | {"resolution_x": Feature(FeatureType.INT, 1920, "picture width at 100 %", "px", 4, 16384)}
        | {"resolution_y": Feature(FeatureType.INT, 1080, "picture height at 100 %", "px", 4, 16384)},
        is_traced=True,
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
                1000.0,
            ),
            "defocus": _build_float(0.2, "focus distance = (1 - defocus) x camera height", "", -10.0, 1.0),
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
        is_traced=True,
    ),
    "scanning_electron_microscope": Prototype(
        "signal of secondary electrons from height and normals, seen from above; 10 pixels = 1 scene unit",
        {name: feature for name, feature in _RENDER.items() if name != "cycles_samples"}
        | {
            "edge_strength": _build_float(0.5, "tilt yield at the rim over that of a level facet, - 1", "", -0.9, 10.0),
            "edge_exponent": _build_float(1.0, "power of 1/cos(tilt) that the yield grows with", "", 0.1, 4.0),
            "edge_cutoff": _build_float(0.2, "cosine of the tilt where growth ends", "", 0.01, 0.95),
            "detector_azimuth": _build_float(
                180.0, "side of the detector, from +x towards +y", "degree", -360.0, 360.0
            ),
            "detector_asymmetry": _build_float(0.2, "how much brighter that side is", "", 0.0, 1.0),
            "height_contrast": _build_float(0.0, "darkening from the highest point to the ground", "", 0.0, 1.0),
            "shadowing": _build_float(0.8, "loss of electrons to surrounding particles", "", 0.0, 10.0),
            "crevice_shadowing": _build_float(0.5, "the same within the relief of a particle", "", 0.0, 10.0),
            "ridge_brightening": _build_float(0.0, "gain of edges and ridges that stand out", "", 0.0, 20.0),
            "shadow_on_particles": _build_float(
                0.0, "share of a particle's electrons that neighbours and folds can stop", "", 0.0, 1.0
            ),
            "shadow_on_ground": _build_float(
                0.0, "share of the ground's electrons that particles can stop", "", 0.0, 1.0
            ),
            "shadow_reach": _build_float(
                1.0, "how far what stands above a point can stop them", "particle size", 0.02, 20.0
            ),
            "particle_contrast": _build_float(
                0.35, "grey of a level particle above the ground's", "full white", -1.0, 1.0
            ),
            "particle_variation": _build_float(
                0.05, "rms difference from particle to particle", "of its grey", 0.0, 1.0
            ),
            "composition_share": _build_float(
                0.0, "share of the particles that are of another material; 0 is none", "", 0.0, 1.0
            ),
            "composition_contrast": _build_float(0.5, "grey of that material over the others', - 1", "", -1.0, 10.0),
            "transparency": _build_float(0.0, "share of a level particle that shows the ground", "", 0.0, 1.0),
            "halo": _build_float(0.0, "charging around particles; negative is dark", "full white", -0.5, 0.5),
            "halo_width": _build_float(0.3, "reach of the halo", "particle size", 0.02, 2.0),
            "streaks": _build_float(0.0, "charging along the scan line behind particles", "full white", -0.5, 0.5),
            "clipping": _build_float(
                0.0, "share of the particles driven to full white, instead of the gain", "", 0.0, 0.5
            ),
            "beam_blur": _build_float(0.7, "standard deviation of the beam's profile", "px", 0.0, 20.0),
            "defocus": _build_float(0.0, "further blur of what lies farthest off the focal plane", "px", 0.0, 20.0),
            "focus_height": _build_float(1.0, "focal plane between ground (0) and highest point (1)", "", -1.0, 2.0),
            "drift": _build_float(0.0, "slow rms displacement of lines", "px", 0.0, 1.5),
            "electrons": _build_float(2000.0, "electrons per pixel at full white; 0 makes no shot noise", "", 0.0, 1e7),
            "noise_correlation": _build_float(0.0, "blur of the noise along both axes", "px", 0.0, 5.0),
            "line_noise": _build_float(0.0, "rms offset of a scan line", "full white", 0.0, 0.5),
            "black_point": _build_float(0.0, "signal that becomes black", "full white", -1.0, 0.9),
            "gain": _build_float(1.0, "factor on what lies above the black point", "", 0.01, 100.0),
        }
        | _DISPLAY
        | _OVERLAYS,
    ),
    "transmission_electron_microscope": Prototype(
        "electrons that pass the particles, seen from above; 10 pixels = 1 scene unit, white where nothing is",
        {name: feature for name, feature in _RENDER.items() if name != "cycles_samples"}
        | {
            "noise_threshold": _build_float(
                0.05, "shot noise in proportion to it; at 0.05 `electrons` set it", "", 0.0, 1000.0
            ),
            "defocus": _build_float(0.2, "focus distance = (1 - defocus) x 51.2", "", -10.0, 1.0),
            "lens_radius": _build_float(
                0.5, "how strongly what lies off the focal plane is blurred; 0 is off", "scene units", 0.0, 10.0
            ),
            "particle_variation": _build_float(
                0.0, "rms difference from particle to particle", "of its absorption", 0.0, 1.0
            ),
            "scattered_share": _build_float(
                0.0, "share of the scattered electrons that passes the objective aperture", "", 0.0, 1.0
            ),
            "dark_field": Feature(FeatureType.BOOL, False, "whether the scattered electrons make the picture"),
            "beam_blur": _build_float(0.0, "standard deviation of the blur of the whole picture", "px", 0.0, 20.0),
            "drift": _build_float(0.0, "way of the picture during the exposure", "px", 0.0, 20.0),
            "drift_azimuth": _build_float(0.0, "direction of the drift, from +x towards +y", "degree", -360.0, 360.0),
            "gain": _build_float(1.0, "grey of the incident beam", "full white", 0.01, 100.0),
        }
        | _ELECTRON_OPTICS
        | _DISPLAY
        | _OVERLAYS,
        bodies_overlap=True,
    ),
}
_AGGREGATES: Final[dict[str, Prototype]] = {
    "sem_aggregate": Prototype(
        "the same signal over a volume that is centred on the origin, under a band of light",
        dict(_TECHNIQUES["scanning_electron_microscope"].features)
        | {
            "illumination_strength": _build_float(2.0, "scales brightness; 2 is that of `gain`", "", 0.0, 1000.0),
            "noise_threshold": _build_float(
                0.05, "shot noise in proportion to it; at 0.05 it is that of `electrons`", "", 0.0, 1000.0
            ),
            "illumination_rotation": _build_float(
                0.0, "turn of the band about y; from the side that it raises comes more", "radian", -6.3, 6.3
            ),
            "illumination_location": _build_float(
                20.0, "height of the band; a lower one shadows deeper", "scene units", -100.0, 1000.0
            ),
        },
    ),
}
TECHNIQUES: Final = _TECHNIQUES | _AGGREGATES
