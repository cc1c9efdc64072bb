"""The measurement technique prototypes and their features."""

from __future__ import annotations

from typing import Final

from synth_api.prototypes.feature import Feature, FeatureType, Prototype, build_float

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
    "auto_black": build_float(0.0, "grey that the automatic levels give the darkest 0.3 %", "full white", -1.0, 1.0),
    "auto_white": build_float(
        0.0, "grey that they give the brightest 0.3 %; 0 switches them off", "full white", 0.0, 2.0
    ),
    "gamma": build_float(1.0, "power of the response; below 1 lifts dark greys", "", 0.2, 5.0),
    "saturation": build_float(0.0, "how far the response bends to an S", "", 0.0, 1.0),
    "inverted_contrast": Feature(FeatureType.BOOL, False, "whether dark and bright change places"),
}
_OVERLAYS: Final[dict[str, Feature]] = {
    "nanometres_per_unit": build_float(0.0, "scale; 0 is unknown", "nm per scene unit", 0.0, 1e9),
    "overlays": Feature(FeatureType.BOOL, True, "whether anything is written over the picture"),
    "info_bar": build_float(0.0, "height of the bar at the bottom; 0 is none", "picture height", 0.0, 0.3),
    "info_bar_rows": Feature(FeatureType.INT, 1, "rows of text in it", "", 1, 2),
    "scale_bar": build_float(0.0, "longest it may be; 0 is none", "picture width", 0.0, 0.9),
    "scale_bar_text": build_float(0.035, "height of its capitals", "picture height", 0.01, 0.3),
    "scale_bar_form": Feature(FeatureType.STRING, "solid", "form of the scale bar", choices=("solid", "ends", "ticks")),
    "scale_bar_label": Feature(
        FeatureType.STRING,
        "above",
        "place of its text; inside where it fits, else above",
        choices=("above", "below", "beside", "inside"),
    ),
    "panel_letter": build_float(0.0, "height of a letter in a corner; 0 is none", "picture height", 0.0, 0.3),
    "arrows": Feature(FeatureType.INT, 0, "arrows that point at particles; fewer where they have no room", "", 0, 100),
    "arrow_length": build_float(0.1, "length of an arrow with its shaft", "picture height", 0.01, 0.5),
    "inset_frame": build_float(0.0, "longer side of a frame around a region; 0 is none", "shorter side", 0.0, 0.3),
    "inset_frame_form": Feature(FeatureType.STRING, "solid", "line of that frame", choices=("solid", "dashed")),
    "inset": build_float(
        0.0, "longer side of a copy of the framed region in an upper corner; 0 is none", "shorter side", 0.0, 0.35
    ),
    "overlay_box": Feature(FeatureType.BOOL, False, "whether letter and scale bar stand on a box"),
    "overlay_shade": build_float(1.0, "grey of strokes; boxes and bar have the opposite", "full white", 0.0, 1.0),
}

_ELECTRON_OPTICS: Final[dict[str, Feature]] = {
    "accelerating_voltage": build_float(200.0, "voltage that accelerates the electrons", "kV", 1.0, 3000.0),
    "underfocus": build_float(
        0.0, "defocus of the objective lens; above 0 edges have a bright fringe outside", "nm", -1e6, 1e6
    ),
    "spherical_aberration": build_float(0.0, "of the objective lens", "mm", 0.0, 100.0),
    "beam_convergence": build_float(
        0.0, "standard deviation of the beam's direction, which blurs fringes", "mrad", 0.0, 100.0
    ),
    "phase_speckle": build_float(
        0.0, "rms phase of amorphous matter of absorption 1 in a pixel; 0 is off", "rad", 0.0, 10.0
    ),
    "beam_falloff": build_float(0.0, "loss of the beam at half the picture's diagonal", "of its middle", 0.0, 0.99),
    "beam_radius": build_float(0.0, "radius of the condenser's aperture in the picture; 0 is none", "frame", 0.0, 2.0),
    "beam_offset": build_float(0.0, "distance of the beam's middle from the picture's", "frame", 0.0, 1.0),
    "beam_azimuth": build_float(0.0, "direction of that offset, from +x towards +y", "degree", -360.0, 360.0),
    "camera": Feature(
        FeatureType.STRING, "none", "what records the picture", choices=("none", "film", "ccd", "direct")
    ),
    "electrons": build_float(0.0, "electrons per pixel at full white; 0 makes no shot noise", "", 0.0, 1e7),
    "read_noise": build_float(0.0, "noise of the camera's amplifier, rms", "electron", 0.0, 1e4),
    "gain_variation": build_float(0.0, "rms difference from pixel to pixel", "of the gain", 0.0, 0.5),
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
            "defocus": build_float(0.2, "focus distance = (1 - defocus) x camera height", "", -10.0, 1.0),
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
        microscope="scanning",
    ),
    "scanning_electron_microscope": Prototype(
        "signal of secondary electrons from height and normals, seen from above; 10 pixels = 1 scene unit",
        {name: feature for name, feature in _RENDER.items() if name != "cycles_samples"}
        | {
            "edge_strength": build_float(0.5, "tilt yield at the rim over that of a level facet, - 1", "", -0.9, 10.0),
            "edge_exponent": build_float(1.0, "power of 1/cos(tilt) that the yield grows with", "", 0.1, 4.0),
            "edge_cutoff": build_float(0.2, "cosine of the tilt where growth ends", "", 0.01, 0.95),
            "detector_azimuth": build_float(180.0, "side of the detector, from +x towards +y", "degree", -360.0, 360.0),
            "detector_asymmetry": build_float(0.2, "how much brighter that side is", "", 0.0, 1.0),
            "height_contrast": build_float(0.0, "darkening from the highest point to the ground", "", 0.0, 1.0),
            "shadowing": build_float(0.8, "loss of electrons to surrounding particles", "", 0.0, 10.0),
            "crevice_shadowing": build_float(0.5, "the same within the relief of a particle", "", 0.0, 10.0),
            "ridge_brightening": build_float(0.0, "gain of edges and ridges that stand out", "", 0.0, 20.0),
            "shadow_on_particles": build_float(
                0.0, "share of a particle's electrons that neighbours and folds can stop", "", 0.0, 1.0
            ),
            "shadow_on_ground": build_float(
                0.0, "share of the ground's electrons that particles can stop", "", 0.0, 1.0
            ),
            "shadow_reach": build_float(
                1.0, "how far what stands above a point can stop them", "particle size", 0.02, 20.0
            ),
            "particle_contrast": build_float(
                0.35, "grey of a level particle above the ground's", "full white", -1.0, 1.0
            ),
            "particle_variation": build_float(
                0.05, "rms difference from particle to particle", "of its grey", 0.0, 1.0
            ),
            "composition_share": build_float(
                0.0, "share of the particles that are of another material; 0 is none", "", 0.0, 1.0
            ),
            "composition_contrast": build_float(0.5, "grey of that material over the others', - 1", "", -1.0, 10.0),
            "transparency": build_float(0.0, "share of a level particle that shows the ground", "", 0.0, 1.0),
            "halo": build_float(0.0, "charging around particles; negative is dark", "full white", -0.5, 0.5),
            "halo_width": build_float(0.3, "reach of the halo", "particle size", 0.02, 2.0),
            "streaks": build_float(0.0, "charging along the scan line behind particles", "full white", -0.5, 0.5),
            "clipping": build_float(
                0.0, "share of the particles driven to full white, instead of the gain", "", 0.0, 0.5
            ),
            "beam_blur": build_float(0.7, "standard deviation of the beam's profile", "px", 0.0, 20.0),
            "defocus": build_float(0.0, "further blur of what lies farthest off the focal plane", "px", 0.0, 20.0),
            "focus_height": build_float(1.0, "focal plane between ground (0) and highest point (1)", "", -1.0, 2.0),
            "drift": build_float(0.0, "slow rms displacement of lines", "px", 0.0, 1.5),
            "electrons": build_float(2000.0, "electrons per pixel at full white; 0 makes no shot noise", "", 0.0, 1e7),
            "noise_correlation": build_float(0.0, "blur of the noise along both axes", "px", 0.0, 5.0),
            "line_noise": build_float(0.0, "rms offset of a scan line", "full white", 0.0, 0.5),
            "black_point": build_float(0.0, "signal that becomes black", "full white", -1.0, 0.9),
            "gain": build_float(1.0, "factor on what lies above the black point", "", 0.01, 100.0),
        }
        | _DISPLAY
        | _OVERLAYS,
        microscope="scanning",
    ),
    "transmission_electron_microscope": Prototype(
        "electrons that pass the particles, seen from above; 10 pixels = 1 scene unit, white where nothing is",
        {name: feature for name, feature in _RENDER.items() if name != "cycles_samples"}
        | {
            "noise_threshold": build_float(
                0.05, "shot noise in proportion to it; at 0.05 `electrons` set it", "", 0.0, 1000.0
            ),
            "defocus": build_float(0.2, "focus distance = (1 - defocus) x 51.2", "", -10.0, 1.0),
            "lens_radius": build_float(
                0.5, "how strongly what lies off the focal plane is blurred; 0 is off", "scene units", 0.0, 10.0
            ),
            "particle_variation": build_float(
                0.0, "rms difference from particle to particle", "of its absorption", 0.0, 1.0
            ),
            "scattered_share": build_float(
                0.0, "share of the scattered electrons that passes the objective aperture", "", 0.0, 1.0
            ),
            "dark_field": Feature(FeatureType.BOOL, False, "whether the scattered electrons make the picture"),
            "beam_blur": build_float(0.0, "standard deviation of the blur of the whole picture", "px", 0.0, 20.0),
            "drift": build_float(0.0, "way of the picture during the exposure", "px", 0.0, 20.0),
            "drift_azimuth": build_float(0.0, "direction of the drift, from +x towards +y", "degree", -360.0, 360.0),
            "gain": build_float(1.0, "grey of the incident beam", "full white", 0.01, 100.0),
        }
        | _ELECTRON_OPTICS
        | _DISPLAY
        | _OVERLAYS,
        bodies_overlap=True,
        microscope="transmission",
    ),
}
_AGGREGATES: Final[dict[str, Prototype]] = {
    "sem_aggregate": Prototype(
        "the same signal over a volume that is centred on the origin, under a band of light",
        dict(_TECHNIQUES["scanning_electron_microscope"].features)
        | {
            "illumination_strength": build_float(2.0, "scales brightness; 2 is that of `gain`", "", 0.0, 1000.0),
            "noise_threshold": build_float(
                0.05, "shot noise in proportion to it; at 0.05 it is that of `electrons`", "", 0.0, 1000.0
            ),
            "illumination_rotation": build_float(
                0.0, "turn of the band about y; from the side that it raises comes more", "radian", -6.3, 6.3
            ),
            "illumination_location": build_float(
                20.0, "height of the band; a lower one shadows deeper", "scene units", -100.0, 1000.0
            ),
        },
        microscope="scanning",
    ),
}
TECHNIQUES: Final = _TECHNIQUES | _AGGREGATES
