"""Feature generation steps, which build the scene in list order."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from synth_api.prototypes.feature import Feature, FeatureType
from synth_api.recipe.node import Bool, ByTarget, FileName, Float, Int, NoEffect, Share, Step, build_legacy_targets
from synth_api.recipe.rendering import SaveState
from synth_api.recipe.variabilities import ParameterNode, VariabilityNode


def _to_upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _to_lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _check_collision_shape(shape: str) -> str:
    if shape == "COMPOUND":
        raise ValueError("COMPOUND joins the bodies of an object's children, and particles have none; take CONVEX_HULL")
    return shape


CollisionShape = Annotated[
    Literal["BOX", "SPHERE", "CAPSULE", "CYLINDER", "CONE", "CONVEX_HULL", "MESH", "COMPOUND"],
    BeforeValidator(_to_upper),
    AfterValidator(_check_collision_shape),
]
MeshSource = Annotated[Literal["BASE", "DEFORM", "FINAL"], BeforeValidator(_to_upper)]
AgglomerationMode = Annotated[
    Literal[
        "cluster-cluster",
        "particle-cluster",
        "ballistic_cluster_agglomeration",
        "diffusion_limited_cluster_agglomeration",
        "ballistic_particle_agglomeration",
        "diffusion_limited_particle_agglomeration",
    ],
    BeforeValidator(_to_lower),
]
PUBLISHED_MODES: Final = {
    "ballistic_cluster_agglomeration": ("cluster-cluster", 0.0),
    "diffusion_limited_cluster_agglomeration": ("cluster-cluster", 1.0),
    "ballistic_particle_agglomeration": ("particle-cluster", 0.0),
    "diffusion_limited_particle_agglomeration": ("particle-cluster", 1.0),
}
"""Name of a process in publications -> what collides, and the randomness of the flight."""
NotNegative = Annotated[Float, Field(ge=0)]


class InvokeBlueprints(Step):
    """Create the objects of a set's blueprints; the measurement technique must come first."""

    affected_set_name: str
    choose: Literal["all", "one"] = "all"
    """`one`: a single blueprint of the set, by the run's stream, each as likely as its share of the weights."""


class TriggerFeatureUpdate(Step):
    """Draw a new value of a feature for every member of a set that has the feature."""

    affected_set_name: str
    feature_variability_name: str


class DistributeInMeasurementVolume(Step):
    """Move every particle of a set that has no parent to a random point of the measurement volume."""

    affected_set_name: str


class RelaxCollisions(Step):
    """Let the particles of a set fall and push each other apart, as rigid bodies; scene units and seconds."""

    affected_set_name: str
    collision_shape: CollisionShape = "MESH"
    mesh_source: Annotated[MeshSource, NoEffect("particles collide as rendered, and they have no modifiers")] = "FINAL"
    num_frames: Annotated[Int, Field(ge=0, le=100_000)] = 100
    """24 frames are one second at `time_scale` 1."""
    use_gravity: Bool = False
    gravity: tuple[Float, Float, Float] = (0.0, 0.0, -9.81)
    """Scene units per second squared."""
    mass: Annotated[Float, Field(gt=0), NoEffect("all bodies of a step weigh the same, so their mass cancels")] = 1.0
    """Mass of each body, whatever its volume."""
    friction: NotNegative = 1.0
    restitution: NotNegative = 1.0
    damping: Share | None = None
    """Share of a velocity lost in a second; sets linear and angular damping. Default 0.9999999."""
    linear_damping: Share | None = None
    angular_damping: Share | None = None
    collision_margin: NotNegative = 1e-6
    """Scene units."""
    time_scale: Annotated[Float, Field(ge=0, le=100)] = 1.0
    substeps_per_frame: Annotated[Int, Field(ge=1, le=1000)] = 10
    """A minimum for the sphere solver, which takes up to 128; exact for Blender's."""
    solver_iterations: Annotated[Int, Field(ge=1, le=1000)] = 10
    """A maximum per substep for the sphere solver, which ends earlier once impulses converge; exact for Blender's."""
    dry_run: Bool = False
    """Stop the run after this step, before any rendering step."""

    @model_validator(mode="after")
    def _check_damping(self) -> RelaxCollisions:
        if self.damping is not None and (self.linear_damping is not None or self.angular_damping is not None):
            raise ValueError("damping sets both linear_damping and angular_damping; give it, or give those")
        return self

    def list_ineffective_fields(self) -> dict[str, str]:
        """Add gravity to the fields without effect if `use_gravity` is false."""
        switched_off = {} if self.use_gravity else {"gravity": "use_gravity is false"}
        return super().list_ineffective_fields() | switched_off


class AgglomerateParticles(Step):
    """Join the spheres of a set to agglomerates, which further steps move as rigid bodies."""

    primary_particle_number: ClassVar[Feature] = Feature(
        FeatureType.FLOAT, 1.0, "primary particles of an agglomerate", minimum=0.0
    )

    affected_set_name: str
    mode: AgglomerationMode
    """What collides, or the name of a process, which includes the randomness."""
    speed: Annotated[Float, Field(gt=0)]
    """Scene units per step of the random walk."""
    randomness: Share | None = None
    """0 is straight flight, 1 diffusion; null is that of the named process."""
    sintering_ratio: Share = 0.0
    """Overlap of touching particles, in sums of their radii."""
    primary_particle_number_variability: VariabilityNode | None = None
    """Particles per agglomerate, rounded up, drawn for each; null makes one of all."""

    @model_validator(mode="after")
    def _check_randomness(self) -> AgglomerateParticles:
        if self.mode not in PUBLISHED_MODES:
            if self.randomness is None:
                raise ValueError(
                    f"randomness is missing; the mode {self.mode} needs it: 0 is straight flight, 1 diffusion"
                )
        elif self.randomness not in (None, PUBLISHED_MODES[self.mode][1]):
            colliding, randomness = PUBLISHED_MODES[self.mode]
            raise ValueError(
                f"the mode {self.mode} has the randomness {randomness:g}, not {self.randomness:g}; leave the randomness"
                f" out, or take the mode {colliding}"
            )
        return self


class DepositOnSubstrate(Step):
    """Put the particles of a set on the floor of the measurement volume, in order of their ids, until they cover it.

    Surplus particles are removed. Every parameter may be drawn, once in a run.
    """

    parameters: ClassVar[dict[str, Feature]] = {
        "layout": Feature(
            FeatureType.STRING,
            "sparse",
            "how places are found",
            choices=("sparse", "clusters", "rafts", "chains", "rings", "heap", "lattice", "satellites"),
        ),
        "coverage": Feature(FeatureType.FLOAT, 0.3, "share of the picture to cover", "", 0.0, 1.0),
        "minimum_coverage": Feature(FeatureType.FLOAT, 0.0, "coverage below which the run fails", "", 0.0, 1.0),
        "orientation": Feature(
            FeatureType.STRING,
            "free",
            "free: any; flat: resting on a face or side; aligned: flat, and turned as the others of a cluster",
            choices=("free", "flat", "aligned"),
        ),
        "new_cluster_share": Feature(FeatureType.FLOAT, 0.1, "particles that begin a cluster", "", 0.0, 1.0),
        "cluster_size": Feature(FeatureType.INT, 12, "most particles in a raft, chain or ring", "", 1, 65535),
        "piles": Feature(FeatureType.INT, 0, "piles of a heap; 0 spreads it evenly", "", 0, 1000),
        "pile_width": Feature(
            FeatureType.FLOAT, 0.25, "standard deviation of a pile, of the view's longer side", "", 0.01, 10.0
        ),
        "rolling": Feature(FeatureType.FLOAT, 0.7, "share of the way down that a particle rolls", "", 0.0, 1.0),
        "lattice": Feature(FeatureType.STRING, "hexagonal", "its cell", choices=("hexagonal", "square")),
        "pitch": Feature(FeatureType.FLOAT, 1.05, "of the lattice, in largest diameters", "", 1.0, 10.0),
        "jitter": Feature(
            FeatureType.FLOAT, 0.0, "standard deviation of its sites, in largest diameters", "", 0.0, 1.0
        ),
        "vacancies": Feature(FeatureType.FLOAT, 0.0, "share of its sites left empty, in patches", "", 0.0, 0.95),
        "crystals": Feature(FeatureType.INT, 1, "lattices side by side, each with a heading of its own", "", 1, 1000),
        "second_layer": Feature(FeatureType.FLOAT, 0.0, "particles on top, for each of the first layer", "", 0.0, 1.0),
        "begin_in_middle": Feature(FeatureType.BOOL, False, "whether the first particle lies in the middle third"),
        "cut_by_frame": Feature(FeatureType.BOOL, True, "whether the frame may cut particles"),
    }
    """Name -> feature that declares the type and bounds of its value."""

    affected_set_name: str
    layout: ParameterNode
    coverage: ParameterNode
    """Target share of the picture, met within 0.005."""
    minimum_coverage: ParameterNode | None = None
    """Coverage below which the run fails; null means `coverage`."""
    orientation: ParameterNode = "free"
    new_cluster_share: ParameterNode = 0.1
    cluster_size: ParameterNode = 12
    piles: ParameterNode = 0
    pile_width: ParameterNode = 0.25
    rolling: ParameterNode = 0.7
    lattice: ParameterNode = "hexagonal"
    pitch: ParameterNode = 1.05
    jitter: ParameterNode = 0.0
    vacancies: ParameterNode = 0.0
    crystals: ParameterNode = 1
    second_layer: ParameterNode = 0.0
    deposited_set_name: str = "Empty"
    """Particles that lie there already; these are put beside or on them."""
    begin_in_middle: ParameterNode = False
    """True if the first particle lies in the middle third of the picture, along both axes."""
    cut_by_frame: ParameterNode = True
    """True if the frame may cut particles."""

    @model_validator(mode="after")
    def _check_deposited_set(self) -> DepositOnSubstrate:
        if self.layout == "satellites" and self.deposited_set_name == "Empty":
            raise ValueError("satellites sit on other particles; give their set as deposited_set_name")
        if self.layout == "satellites" and self.deposited_set_name == self.affected_set_name:
            problem = f"satellites sit on other particles, but {self.affected_set_name!r} is their own set"
            raise ValueError(f"{problem}; give another one as deposited_set_name")
        return self

    def list_ineffective_fields(self) -> dict[str, str]:
        """Add the parameters of other layouts to the fields without effect."""
        return super().list_ineffective_fields() | {
            parameter: f"it belongs to the layout {' or '.join(layouts)}"
            for layouts, parameters in _LAYOUT_PARAMETERS.items()
            for parameter in parameters
            if isinstance(self.layout, str) and self.layout not in layouts
        }


_LAYOUT_PARAMETERS: Final = {
    ("clusters",): ("new_cluster_share",),
    ("rafts", "chains", "rings"): ("cluster_size",),
    ("sparse", "clusters", "rafts", "chains", "rings", "heap"): ("begin_in_middle",),
    ("heap",): ("piles", "pile_width", "rolling"),
    ("lattice",): ("lattice", "pitch", "jitter", "vacancies", "crystals"),
}


class LoadState(Step):
    """Return to the scene that an earlier SaveState of these steps kept."""

    name: FileName


FeatureGenerationStep = (
    InvokeBlueprints
    | TriggerFeatureUpdate
    | DistributeInMeasurementVolume
    | RelaxCollisions
    | AgglomerateParticles
    | DepositOnSubstrate
    | LoadState
    | SaveState
)

LEGACY: Final = build_legacy_targets(
    "synth_chain.feature_generation_steps",
    InvokeBlueprints,
    TriggerFeatureUpdate,
    DistributeInMeasurementVolume,
    RelaxCollisions,
    AgglomerateParticles,
    LoadState,
) | build_legacy_targets("synth_chain.rendering_steps", SaveState)
FeatureGenerationStepNode = Annotated[FeatureGenerationStep, ByTarget(LEGACY)]
