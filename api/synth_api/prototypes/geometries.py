"""The geometry prototypes and their features."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from synth_api.prototypes.feature import Feature, FeatureType, Prototype, build_float

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
    "default": Prototype(
        "quad sphere of 386 vertices, no subdivision", _DIMENSIONS | _LOCATION | _ORIENTATION, can_be_sphere=True
    ),
    "sphere": Prototype(
        "sphere of diameter 1", _DIMENSIONS | _LOCATION | _ORIENTATION | _SUBDIVISIONS, can_be_sphere=True
    ),
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
        can_be_sphere=True,
    ),
}
_EXTENT: Final[dict[str, Feature]] = {
    "dimensions": replace(_DIMENSIONS["dimensions"], minimum=1e-3),
    "width": build_float(1.0, "factor on the y extent; dimensions make it 1", "", 0.02, 50.0),
    "height": build_float(1.0, "factor on the z extent; dimensions make it 1", "", 0.02, 50.0),
}
_RELIEF: Final[dict[str, Feature]] = {
    "shape_seed": Feature(FeatureType.INT, 0, "which of the random shapes it is", "", 0, 2**53 - 1),
    "irregularity": build_float(0.0, "rms displacement of the outline; 0 is the ideal body", "particle size", 0.0, 0.1),
    "wrinkle_depth": build_float(0.0, "depth of folds; 0 is none", "particle size", 0.0, 0.2),
    "wrinkle_scale": build_float(0.3, "distance between folds", "particle size", 0.02, 2.0),
    "pore_depth": build_float(0.0, "depth of honeycomb pores; 0 is none", "particle size", 0.0, 0.45),
    "pore_scale": build_float(0.15, "distance between pores", "particle size", 0.02, 1.0),
    "step_depth": build_float(0.0, "height of growth steps; 0 is none", "particle size", 0.0, 0.1),
    "step_number": build_float(8.0, "growth steps across the particle", "", 1.0, 100.0),
}
_ROUNDING: Final[dict[str, Feature]] = {
    "edge_rounding": build_float(0.0, "radius of the edges; 0 is sharp", "half the smallest extent", 0.0, 1.0),
}
_FLUTES: Final[dict[str, Feature]] = {
    "flute_depth": build_float(0.0, "depth of flutes along the axis; 0 is none", "particle size", 0.0, 0.2),
    "flute_number": Feature(FeatureType.INT, 12, "flutes around the axis", "", 2, 100),
}
_PARTS: Final[dict[str, Feature]] = {
    name: replace(feature, has_column=False)
    for name, feature in {
        "wall_thickness": build_float(0.0, "of a hollow body; 0 is solid", "particle size", 0.0, 0.45),
        "opening": build_float(0.0, "width of the hole at the +z end of a hollow body", "particle", 0.0, 0.95),
        "inclusion_size": build_float(0.0, "size of a body of its shape inside; 0 is none", "particle", 0.0, 0.95),
        "inclusion_offset": build_float(0.0, "how far it lies aside; 1 touches the wall", "", 0.0, 1.0),
        "inclusion_density": build_float(2.0, "density of that body", "particle's density", 0.0, 100.0),
        "decoration_number": Feature(FeatureType.INT, 0, "small spheres on the surface; 0 is none", "", 0, 1000),
        "decoration_size": build_float(0.06, "diameter of such a sphere", "particle size", 0.005, 0.5),
        "decoration_density": build_float(4.0, "density of such a sphere", "particle's density", 0.0, 100.0),
    }.items()
}
_SURFACE: Final[dict[str, Feature]] = _EXTENT | _LOCATION | _ORIENTATION | _RELIEF
_BODY: Final[dict[str, Feature]] = _SURFACE | _PARTS

SHAPES: Final[dict[str, Prototype]] = {
    "rough_sphere": Prototype(
        "sphere that may be stretched, irregular and deeply structured", _BODY, can_be_sphere=True
    ),
    "rough_ellipsoid": Prototype(
        "the same, flat by default",
        _BODY | {"height": replace(_EXTENT["height"], default=0.5)},
        can_be_sphere=True,
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
            "truncation": build_float(0.0, "width of its cut tips; 0 is sharp", "the waist's", 0.0, 0.9),
        },
    ),
    "flake": Prototype(
        "thin upright plate over a random polygon in the box of its extents",
        _BODY
        | {"height": replace(_EXTENT["height"], default=0.05)}
        | _ROUNDING
        | {
            "corners": Feature(FeatureType.INT, 8, "corners of the polygon", "", 4, 40),
            "corner_variation": build_float(0.4, "how far corners lie inside the outline", "half width", 0.0, 0.8),
            "wave_depth": build_float(0.0, "rms of waves across the plate; 0 is level", "particle size", 0.0, 0.3),
        },
    ),
    "star": Prototype(
        "upright plate over a star that the ellipse of its extents goes around",
        _BODY
        | {"height": replace(_EXTENT["height"], default=0.3)}
        | _ROUNDING
        | {
            "arms": Feature(FeatureType.INT, 5, "arms of the star", "", 3, 24),
            "notch": build_float(0.45, "distance of the notches from the middle", "half width", 0.1, 1.0),
        },
    ),
    "spiky_sphere": Prototype(
        "sphere with spikes",
        _BODY
        | {
            "spikes": Feature(FeatureType.INT, 40, "spikes on the sphere", "", 3, 400),
            "spike_width": build_float(0.18, "diameter of a spike where it begins", "diameter", 0.01, 0.9),
            "spike_core": build_float(0.5, "diameter of the sphere without spikes", "diameter", 0.1, 0.95),
            "spike_variation": build_float(0.2, "how much shorter than the longest a spike may be", "", 0.0, 1.0),
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
        | {"bend": build_float(40.0, "change of direction from end to end", "degree", 0.0, 180.0)},
    ),
    "fibre": Prototype(
        "cylinder along a smooth curve in the plane of x and z; it lies on its +y side and over what is below it",
        _SURFACE
        | {"height": build_float(30.0, "factor on the z extent; dimensions make it 1", "", 2.0, 2000.0)}
        | {"edge_rounding": replace(_ROUNDING["edge_rounding"], default=1.0)}
        | _FLUTES
        | {
            "curvature": build_float(90.0, "rms curvature times the length", "degree", 0.0, 7200.0),
            "curvature_scale": build_float(0.4, "distance between bends", "length", 0.02, 5.0),
            "width_variation": build_float(0.0, "rms variation of the width along the fibre", "width", 0.0, 0.5),
            "width_scale": build_float(0.1, "distance between thick and thin places", "length", 0.01, 2.0),
            "taper": build_float(0.0, "how much thinner the ends are than the middle", "width", 0.0, 0.9),
            "loops": Feature(FeatureType.INT, 0, "full turns in which it crosses itself", "", 0, 20),
            "loop_size": build_float(15.0, "circumference of a loop", "width", 8.0, 1000.0),
            "branches": Feature(FeatureType.INT, 0, "branches that leave it", "", 0, 50),
            "branch_length": build_float(0.25, "length of a branch", "length", 0.02, 1.0),
            "branch_angle": build_float(45.0, "angle at which a branch leaves it", "degree", 10.0, 90.0),
            "stiffness": build_float(10.0, "radius at which it bends down from what it lies on", "width", 1.0, 1000.0),
        },
        has_centre_line=True,
    ),
    "raspberry": Prototype(
        "sphere of grains that touch",
        _BODY
        | {
            "grains": Feature(FeatureType.INT, 60, "grains on the sphere", "", 8, 400),
            "grain_overlap": build_float(0.3, "how far neighbours reach into each other", "grain radius", 0.0, 0.9),
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
            "influence_threshold": replace(
                build_float(
                    0.6, "sum of the balls' fields at the surface; a ball's is 2 in its middle", "", 1e-3, 1.99
                ),
                maximum_reason="a ball's field is 2 in its middle, and from there on a ball alone has no surface",
            ),
            "render_resolution": build_float(0.2, "distance between points of the surface", "scene units", 0.01, 100),
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
        can_be_sphere=True,
    ),
}
GEOMETRIES: Final = _ELLIPSOIDS | _META_BALLS | SHAPES
