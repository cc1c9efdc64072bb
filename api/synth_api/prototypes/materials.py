"""The material prototypes, of particles and of backgrounds, and their features."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from synth_api.prototypes.feature import Feature, FeatureType, Prototype, build_float

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
        f"{prefix}_strength": build_float(
            1.0, "depth over the scale; of facets, bands and stains the range of greys", "", 0.0, 3.0
        ),
        f"{prefix}_scale": build_float(0.2, "distance between elements of the pattern", length, 0.002, 3.0),
        f"{prefix}_stretch": build_float(1.0, f"length of elements over their width, along {along}", "", 0.1, 30.0),
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
    "sem_polystyrene": Prototype("polystyrene bead under an electron beam", microscope="scanning", role="particle"),
    "sem_patchy_silicone": Prototype(
        "dark ground with small curly grey patches",
        {
            "patch_scale": Feature(FeatureType.FLOAT, 103.5, "noise scale over the substrate's width", "", 0.0, 1e4),
            "patch_seed": build_float(2.0, "which patches there are", "", 1.0 - 2**53, 2.0**53 - 1),
        },
        _MICROSCOPES,
        microscope="scanning",
        role="background",
    ),
    "sem_particle": Prototype(
        "particle as the scanning electron microscope's signal model sees it",
        {
            "brightness": build_float(1.0, "factor on the particle's grey", "", 0.0, 10.0),
            "roughness_slope": build_float(0.0, "rms slope of a fractal skin; 0 is smooth", "", 0.0, 2.0),
            "roughness_scale": build_float(0.2, "longest wave of that skin", "particle size", 0.005, 2.0),
            "roughness_falloff": build_float(2.8, "power spectrum falls with this power of frequency", "", 1.5, 4.0),
            "core_size": build_float(0.0, "size of a core that shines through; 0 is none", "particle size", 0.0, 0.95),
            "core_brightness": build_float(1.0, "grey that the core adds, in parts of the shell's", "", -1.0, 5.0),
        }
        | _build_pattern("skin_pattern", "skin", "particle size", "the particle's longest axis"),
        _SIGNAL_MODEL,
        microscope="scanning",
        role="particle",
    ),
    "aggregated_texture": Prototype(
        "rough surface of an agglomerate",
        {"bump_strength": build_float(0.533, "depth of the bumps; 0 is smooth", "", 0.0, 2.0)},
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
            "ground_level": build_float(0.15, "grey of the level ground", "full white", 0.0, 1.0),
            "ground_gradient": build_float(0.0, "rise of the grey across the frame", "full white", 0.0, 1.0),
            "ground_azimuth": build_float(
                0.0,
                "direction in which it rises; scratches and terraces are perpendicular to it",
                "degree",
                -360.0,
                360.0,
            ),
            "ground_texture": build_float(0.0, "rms of a fractal texture", "full white", 0.0, 0.5),
            "ground_texture_scale": build_float(0.2, "longest wave of the texture", "frame", 0.005, 2.0),
            "ground_pores": build_float(0.0, "share of the ground that is pores", "", 0.0, 0.6),
            "ground_pore_size": build_float(0.02, "diameter of the largest pores", "frame", 0.004, 0.3),
            "ground_scratches": build_float(0.0, "scratches across the frame", "", 0.0, 200.0),
            "ground_terraces": build_float(0.0, "steps across the frame", "", 0.0, 100.0),
            "ground_crumbs": build_float(0.0, "share of the ground under crumbs; they are not labelled", "", 0.0, 0.3),
            "ground_crumb_size": build_float(0.008, "diameter of the largest crumbs", "frame", 0.002, 0.05),
        }
        | _build_pattern("ground_pattern", "ground_pattern", "frame", "the perpendicular to ground_azimuth"),
        _SIGNAL_MODEL,
        microscope="scanning",
        role="background",
    ),
    "tem_amorphous": Prototype(
        "absorber of the predecessor: intensity exp(-0.5 density path)",
        {
            "density": replace(
                build_float(1.0, "absorption is 0.5 times it", "per scene unit", 0.0, 1e4), has_column=False
            )
        },
        _TRANSMISSION,
        microscope="transmission",
        role="particle",
    ),
    "tem_particle": Prototype(
        "particle as the transmission electron microscope's signal model sees it",
        {
            name: replace(feature, has_column=False)
            for name, feature in {
                "absorption": build_float(1.0, "exponent of the absorption across the particle's size", "", 0.0, 20.0),
                "phase_shift": build_float(0.0, "phase shift across the particle's size", "rad", -100.0, 100.0),
                "core_size": build_float(0.0, "size of a core; 0 is none", "particle size", 0.0, 0.98),
                "core_absorption": build_float(
                    1.0, "absorption of the core over that of the shell; 0 is a cavity", "", 0.0, 50.0
                ),
                "texture": build_float(0.0, "rms variation of the density inside", "of the density", 0.0, 2.0),
                "texture_scale": build_float(0.3, "longest wave of that variation", "particle size", 0.02, 5.0),
                "crystal_contrast": build_float(
                    0.0, "largest share of the beam that a Bragg reflection takes; 0 is amorphous", "", 0.0, 1.0
                ),
                "extinction_distance": build_float(
                    1.0, "path after which a reflection is strong once", "particle size", 0.05, 20.0
                ),
                "crystal_tilt": build_float(
                    2.0, "largest deviation of a grain from the Bragg condition", "1 / extinction distance", 0.0, 50.0
                ),
                "bend_contours": build_float(0.0, "change of that deviation across the particle", "", 0.0, 50.0),
                "crystal_grains": Feature(FeatureType.INT, 1, "grains of the particle", "", 1, 64),
                "twin_planes": Feature(FeatureType.INT, 0, "twin planes through each grain", "", 0, 50),
            }.items()
        },
        _TRANSMISSION,
        microscope="transmission",
        role="particle",
    ),
    "tem_film": Prototype(
        "support film of the transmission electron microscope; every structure 0 is even",
        {
            "film_form": Feature(
                FeatureType.STRING, "continuous", "whether it has holes", choices=("continuous", "holey", "lacey")
            ),
            "film_absorption": build_float(0.1, "exponent of the absorption of the film", "", 0.0, 20.0),
            "film_phase": build_float(0.0, "phase shift of the film", "rad", -100.0, 100.0),
            "film_gradient": build_float(0.0, "rise of the thickness across the frame", "of the film", 0.0, 2.0),
            "film_azimuth": build_float(
                0.0, "direction in which it rises, and towards which the film is torn", "degree", -360.0, 360.0
            ),
            "film_texture": build_float(0.0, "rms of a fractal texture", "of the film", 0.0, 2.0),
            "film_texture_scale": build_float(0.2, "longest wave of the texture", "frame", 0.005, 2.0),
            "film_hole_share": build_float(0.4, "share of a holey or lacey film that is holes", "", 0.0, 0.95),
            "film_hole_size": build_float(0.3, "distance from hole to hole", "frame", 0.02, 3.0),
            "film_rim": build_float(0.0, "how much thicker the edge of a hole or tear is", "of the film", 0.0, 10.0),
            "film_edge": build_float(0.0, "share of the picture beyond a torn edge", "", 0.0, 0.95),
            "film_folds": Feature(FeatureType.INT, 0, "folds across the picture", "", 0, 50),
            "film_fold_width": build_float(0.01, "width of a fold", "frame", 0.001, 0.3),
            "film_dirt": build_float(0.0, "share of the film under dirt; it is not labelled", "", 0.0, 0.9),
            "film_dirt_size": build_float(0.05, "size of heaps of dirt", "frame", 0.005, 1.0),
            "film_dirt_strength": build_float(1.0, "thickness of the dirt", "of the film", 0.0, 20.0),
        },
        _TRANSMISSION,
        microscope="transmission",
        role="background",
    ),
}
