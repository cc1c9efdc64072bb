from __future__ import annotations

import re

import numpy as np
import pytest
from trial_pictures import FAULTS, KINDS, Kind, Trial, faulty, trial

from synth_dataset.gates.quality_gates import GateError, GateResult, check_gates, require_gates

KIND = {kind.name: kind for kind in KINDS}
PLAIN = KIND["bright discs on dark ground"]
THIN = KIND["one bead at the noise limit"]
CLEAR = [kind for kind in KINDS if kind is not THIN]
MASK_GATES = ["mask", "mask place"]


def gates(tried: Trial) -> dict[str, GateResult]:
    return {gate.name: gate for gate in check_gates(tried.ids, tried.visible_px, tried.real)}


def list_failed_gates(tried: Trial) -> list[str]:
    return [name for name, gate in gates(tried).items() if not gate.passed]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_true_labels_pass(kind: Kind) -> None:
    assert [list_failed_gates(trial(kind, seed)) for seed in range(3)] == [[]] * 3


def test_every_gate_has_a_sentence_about_its_measurement() -> None:
    results = gates(trial(PLAIN, 1))
    assert list(results) == ["ids", "area", "exposure", "saturation", *MASK_GATES]
    assert all(re.fullmatch(r"[^.].*\.", gate.reason) for gate in results.values())


def test_results_repeat() -> None:
    assert gates(trial(PLAIN, 1)) == gates(trial(PLAIN, 1))


def test_an_id_that_the_table_does_not_call_visible() -> None:
    tried = trial(PLAIN, 1)
    tried.visible_px[6] = 0
    assert list_failed_gates(tried) == ["ids"]
    assert (
        gates(tried)["ids"].reason == "1 ids are in the picture or visible in the table, but not both, the first is 7."
    )


def test_a_visible_particle_that_is_not_in_the_picture() -> None:
    tried = trial(PLAIN, 1)
    tried.ids[tried.ids == 7] = 0
    assert {"ids", "area"} <= set(list_failed_gates(tried))


def test_an_id_beyond_the_table() -> None:
    tried = trial(PLAIN, 1)
    assert "ids" in list_failed_gates(Trial(tried.ids, tried.visible_px[:-1], tried.real))


def test_an_area_that_is_one_pixel_off() -> None:
    tried = trial(PLAIN, 1)
    area = int(tried.visible_px[6])
    tried.visible_px[6] += 1
    assert list_failed_gates(tried) == ["area"]
    assert f"the first is 7 with {area} instead of {area + 1}" in gates(tried)["area"].reason


def test_a_picture_without_a_visible_particle_meets_only_the_gate_of_ids() -> None:
    empty = np.zeros((96, 96), np.uint16)
    results = check_gates(empty, np.zeros(4, np.int64), np.zeros((96, 96), np.uint8))
    assert [(gate.name, gate.passed) for gate in results] == [("ids", True)]


def test_without_a_table_no_particle_is_visible() -> None:
    assert [gate.passed for gate in check_gates(np.zeros((96, 96), np.uint16), np.zeros(0, np.int64), None)] == [True]


def test_without_a_real_image_only_the_table_is_compared() -> None:
    tried = trial(PLAIN, 1)
    assert [gate.name for gate in check_gates(tried.ids, tried.visible_px, None)] == ["ids", "area"]


@pytest.mark.parametrize("grey", [0, 90, 255])
def test_a_flat_image(grey: int) -> None:
    tried = trial(PLAIN, 1)
    assert "exposure" in list_failed_gates(Trial(tried.ids, tried.visible_px, np.full_like(tried.real, grey)))


def test_particles_that_are_burnt_out() -> None:
    tried = trial(PLAIN, 1)
    bright = np.clip(tried.real.astype(int) * 4, 0, 255).astype(np.uint8)
    assert "saturation" in list_failed_gates(Trial(tried.ids, tried.visible_px, bright))


def test_particles_that_are_black() -> None:
    tried = trial(PLAIN, 1)
    dark = np.clip(tried.real.astype(int) - 200, 0, 255).astype(np.uint8)
    assert "saturation" in list_failed_gates(Trial(tried.ids, tried.visible_px, dark))


@pytest.mark.parametrize("ground", [0, 255])
def test_a_black_or_white_ground_is_legitimate(ground: int) -> None:
    tried = trial(KIND["three particles, strong noise"], 1)
    tried.real[tried.ids == 0] = ground
    assert list_failed_gates(tried) == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", CLEAR, ids=lambda kind: kind.name)
def test_labels_that_do_not_fit(kind: Kind, fault: str) -> None:
    assert set(list_failed_gates(faulty(kind, 3, fault))) & set(MASK_GATES)


def test_labels_of_another_seed_fail_the_mask_gate() -> None:
    assert "mask" in list_failed_gates(faulty(PLAIN, 1, "another seed"))


def test_labels_aside_fail_the_gate_of_place() -> None:
    assert "mask place" in list_failed_gates(faulty(PLAIN, 1, "shifted by 3 px"))


@pytest.mark.parametrize(("seed", "better"), [(0, r"\+\d\d\d%"), (1, r"more than \+1000%")])
def test_the_advantage_over_labels_that_do_not_fit_at_all_has_a_bound(seed: int, better: str) -> None:
    reason = gates(faulty(PLAIN, seed, "another seed"))["mask place"].reason
    assert re.fullmatch(rf"Labels 3 px aside fit by {better} better; 15% or less is the right place\.", reason)


def test_too_little_evidence_passes_with_a_note() -> None:
    result = gates(faulty(THIN, 1, "another seed"))["mask"]
    assert result.passed
    assert result.reason.startswith("Too thin to judge: ")


def test_labels_that_fill_the_picture_have_no_border() -> None:
    real = trial(PLAIN, 1).real
    full = Trial(np.ones(real.shape, np.uint16), np.array([real.size], np.int64), real)
    assert gates(full)["mask"].reason == "The labels have no border in the picture: nothing to judge."


def test_the_edge_of_a_coloured_picture_may_be_in_one_channel() -> None:
    tried = trial(PLAIN, 1)
    coloured = np.dstack([np.full_like(tried.real, 90), tried.real, np.full_like(tried.real, 90)])
    assert list_failed_gates(Trial(tried.ids, tried.visible_px, coloured)) == []


def test_a_run_that_passes() -> None:
    require_gates(check_gates(**vars(trial(PLAIN, 1))))


def test_a_run_that_fails_names_its_gates_with_their_values() -> None:
    results = (
        GateResult("ids", True, 0.0, 0.0, "All well."),
        GateResult("area", False, 2.0, 0.0, "2 areas differ."),
        GateResult("exposure", False, 0.1, 0.5, "Deviation is 0.1."),
    )
    with pytest.raises(GateError) as error:
        require_gates(results)
    assert str(error.value) == (
        "The run failed 2 of its quality gates: area (2 areas differ); exposure (Deviation is 0.1)."
    )
