"""`synth verify`: reports, exit codes, options, a bucket, and runs that are rendered again or repaired."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from disc_datasets import DiscSweep, render_discs
from minio import Minio
from servers import minio_server

from synth_api.errors import InputError
from synth_api.resources.output import Output
from synth_cli.local.verification_options import parse_share
from synth_cli.main import run
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.packing import pack_runs
from synth_dataset.store.s3_store import S3Store

if TYPE_CHECKING:
    from conftest import Command


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    render_discs(FolderStore(tmp_path / "dataset"), DiscSweep(seeds=(0, 1)))
    return tmp_path / "dataset"


def verify(*arguments: object) -> int:
    return run(["verify", *map(str, arguments)])


def find_picture(store: Path) -> Path:
    return min((store / "runs").rglob("real.png"))


def test_a_good_dataset_is_one_line(dataset: Path, capsys) -> None:
    assert verify(dataset) == 0
    output, progress = capsys.readouterr()
    assert output.startswith("discs: no faults in 4 runs, 49 files, ")
    assert len(output.splitlines()) == 1
    assert progress == ""


def test_faults_are_a_sentence_each_and_the_exit_code(dataset: Path, capsys) -> None:
    picture = find_picture(dataset)
    picture.unlink()
    assert verify(dataset, "--quick") == 1
    fault, summary = capsys.readouterr().out.splitlines()
    assert fault.startswith(f"{picture}: expected ")
    assert "found nothing; synth verify --repair renders run " in fault
    assert summary.startswith("discs: 1 fault in 4 runs, 49 files; ")


def test_json(dataset: Path, capsys) -> None:
    picture = find_picture(dataset)
    size = picture.stat().st_size
    picture.write_bytes(b"cut")
    assert verify(dataset, "-o", "json") == 1
    document = json.loads(capsys.readouterr().out)
    (report,) = document["datasets"]
    (fault,) = report["faults"]
    assert document["faultless"] is False
    assert (report["name"], report["runs"], report["files"], report["fault_count"]) == ("discs", 4, 49, 1)
    assert (fault["file"], fault["expected"], fault["found"]) == (str(picture), f"{size:,} bytes", "3 bytes")
    assert fault["sentence"].endswith(f"renders run {fault['run']} again")


def test_a_folder_of_several_datasets_needs_a_name(dataset: Path, capsys) -> None:
    render_discs(FolderStore(dataset), DiscSweep("more", seeds=(5,)))
    assert verify(dataset) == 2
    assert "holds 2 datasets; choose with --name: discs, more" in capsys.readouterr().err
    assert verify(dataset, "--name", "more", "--name", "discs") == 0
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == ["more", "discs"]


def test_a_plan_that_is_missing_is_a_fault(dataset: Path, capsys) -> None:
    (plan,) = dataset.rglob("plan.json")
    plan.unlink()
    assert verify(dataset) == 1
    sentence = "expected a document of a dataset, found one that cannot be read (the attempt cannot be read"
    remedy = f"remove {dataset}/sweeps/local/discs/dataset.json, and the same synth render, or synth retry on a cluster"
    output = capsys.readouterr().out
    assert f"{plan.parent}: {sentence}" in output
    assert f"); {remedy}, writes it again" in output


@pytest.mark.parametrize(
    "command",
    [["stats"], ["verify"], ["gallery"], ["gallery", "--watch"], ["export", "--format", "coco", "--out", "x"], ["gc"]],
    ids=" ".join,
)
def test_a_damaged_pointer_has_one_remedy_wherever_it_is_read(dataset: Path, capsys, command: list[str]) -> None:
    pointer = dataset / "sweeps/local/discs/dataset.json"
    pointer.write_text("{")
    assert run([*command, str(dataset)]) == (1 if command == ["verify"] else 75)
    answer = "".join(capsys.readouterr())
    assert str(pointer) in answer
    assert "; remove it, and the same synth render, or synth retry on a cluster, writes it again\n" in answer


def test_an_export(dataset: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    assert run(["export", str(dataset), "--format", "coco", "--out", str(out), "--link", "copy"]) == 0
    capsys.readouterr()
    assert verify(out, "--deep") == 0
    assert f"{out}: no faults in " in capsys.readouterr().out
    (out / "README.md").write_text("mine")
    assert verify(out) == 1
    assert f"{out}/README.md: expected sha256 " in capsys.readouterr().out
    assert verify(out, "--repair") == 2
    problem = f"--repair: {out} is an export, which renders nothing; give the dataset that it was made from"
    assert problem in capsys.readouterr().err


def test_every_export_of_a_version(dataset: Path, tmp_path: Path, capsys) -> None:
    spec = {
        "version": "3",
        "sources": [{"sweepRef": {"name": "discs"}}],
        "exports": [{"format": "coco"}, {"format": "yolo"}],
    }
    file = tmp_path / "spheres.yaml"
    kind = {"apiVersion": "synth-operator.io/v1alpha1", "kind": "SynthDataset"}
    file.write_text(json.dumps({**kind, "metadata": {"name": "spheres"}, "spec": spec}))
    assert run(["dataset", "build", str(file), "--store", str(dataset), "--workers", "1"]) == 0
    version = dataset / "datasets/local/spheres/3"
    folders = [one["folder"] for one in json.loads((version / "dataset.json").read_bytes())["exports"]]
    capsys.readouterr()
    for place in (version, version.parent):  # whose dataset.json is that of the version
        assert verify(place, "--deep") == 0
        output = capsys.readouterr().out.splitlines()
        assert [line.partition(": no faults in ")[0] for line in output] == [
            f"{version}/{folder}" for folder in folders
        ]
    checksums = version / folders[1] / "checksums.sha256"
    checksums.write_bytes(checksums.read_bytes().splitlines(keepends=True)[0])
    assert verify(version, "--quick") == 1
    fault = capsys.readouterr().out.splitlines()[1]
    assert fault.startswith(f"{checksums}: expected sha256 ")
    assert fault.endswith("…; the same synth export, or synth dataset build, into an empty folder writes it again")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--quick --deep", "--quick and --deep exclude each other"),
        ("--sample 1% --repair", "--repair and --sample exclude each other"),
        ("--sample much", "--sample: 'much' is no share of the runs; write for example 1% or 0.05"),
        ("--sample 0", "--sample: '0' is no share of the runs; write for example 1% or 0.05"),
    ],
)
def test_options_that_do_not_fit(dataset: Path, capsys, words: str, sentence: str) -> None:
    assert verify(dataset, *words.split()) == 2
    assert f"error: {sentence}\n" in capsys.readouterr().err


def test_shares() -> None:
    assert [parse_share(text) for text in ("1%", "0.5%", ".25", "100%")] == [0.01, 0.005, 0.25, 1.0]
    with pytest.raises(InputError):
        parse_share("101%")


def test_a_run_that_gives_equal_labels_again(synth: Command) -> None:
    assert synth.render(3)[0] == 0
    code, output, _ = synth.run("verify", "dataset", "--rerender", "2", "--engine=trial_engine:render")
    assert code == 0
    assert "tiny: no faults in 3 runs, " in output
    assert "2 runs rendered again" in output
    assert sum(synth.count_renders(seed) for seed in range(3)) == 5


def test_a_run_that_gives_other_labels_again(synth: Command) -> None:
    assert synth.render(1)[0] == 0
    (path,) = (synth.store / "manifests").rglob("*.json")
    manifest = json.loads(path.read_bytes())
    path.write_text(json.dumps(manifest | {"label_digest": "7" * 64}))
    assert synth.run("gallery", "dataset")[0] == 0
    code, output, _ = synth.run("verify", "dataset", "--rerender", "1", "--engine=trial_engine:render")
    assert code == 1
    digest = f"expected label digest {0:016x}…, as rendered again, found {'7' * 16}…"
    assert f"dataset/{path.relative_to(synth.store)}: {digest}; synth verify --repair renders run 0 again" in output


def test_a_gallery_of_a_damaged_dataset_leaves_the_dataset_as_it_is(synth: Command) -> None:
    assert synth.render(3)[0] == 0
    before = synth.dataset()
    min((synth.store / "runs").rglob("picture.txt")).unlink()
    code, _, error = synth.run("gallery", "dataset")
    assert code == 75
    assert (
        "1 of its 3 runs are missing or have lost files, the dataset stays as it is; synth verify names them" in error
    )
    assert synth.dataset() == before
    assert synth.run("verify", "dataset", "--repair", "--engine=trial_engine:render")[0] == 0
    assert synth.run("gallery", "dataset")[0] == 0


def test_repair_renders_what_is_missing_or_damaged(synth: Command) -> None:
    assert synth.render(4)[0] == 0
    before = synth.dataset()
    damaged, cut = sorted((synth.store / "runs").rglob("picture.txt"))[:2]
    damaged.write_text("x")
    cut.unlink()
    lost = next(
        path
        for path in (synth.store / "manifests").rglob("*.json")
        if path.stem not in (damaged.parents[1].name, cut.parents[1].name)
    )
    lost.unlink()
    for recipe in (synth.store / "recipes").iterdir():
        recipe.unlink()
    (synth.store / before["folder"] / "coco.json").unlink()
    assert synth.run("verify", "dataset")[0] == 1
    code, output, _ = synth.run("verify", "dataset", "--repair", "--engine=trial_engine:render")
    assert code == 0
    lines = output.splitlines()
    assert [line.startswith("repaired: dataset/") for line in lines] == [True] * 5 + [False]
    assert lines[-1].startswith("tiny: no faults in 4 runs, ")
    assert "3 runs repaired" in lines[-1]
    assert synth.dataset() == before
    assert synth.run("verify", "dataset")[0] == 0


def pack_all(synth: Command) -> Path:
    """Pack all runs into one shard and return its tar file."""
    store = FolderStore(synth.store)
    pack_runs(store, store, sorted(store.iterate_keys()))
    (tar,) = (synth.store / "shards").glob("*.tar")
    return tar


def test_repair_renders_the_runs_of_a_shard_that_has_lost_its_tar_file(synth: Command) -> None:
    assert synth.render(3)[0] == 0
    before = synth.dataset()
    tar = pack_all(synth)
    assert synth.run("verify", "dataset")[0] == 0
    tar.write_bytes(tar.read_bytes()[:-512])
    assert synth.run("verify", "dataset")[0] == 1
    code, output, _ = synth.run("verify", "dataset", "--repair", "--engine=trial_engine:render")
    assert (code, "3 runs repaired" in output) == (0, True)
    assert output.startswith(f"repaired: dataset/shards/{tar.name}: expected ")
    assert output.count("repaired: ") == 1
    assert synth.dataset()["root"] == before["root"]
    assert synth.run("verify", "dataset")[0] == 0


def test_repair_renders_a_damaged_run_of_a_shard_as_files(synth: Command) -> None:
    assert synth.render(3)[0] == 0
    tar = pack_all(synth)
    content = tar.read_bytes()
    with tarfile.open(tar) as archive:
        member = next(one for one in archive if one.name.endswith("/picture.txt"))
    tar.write_bytes(content[: member.offset_data] + b"x" + content[member.offset_data + 1 :])
    code, output, _ = synth.run("verify", "dataset", "--repair", "--engine=trial_engine:render")
    assert (code, "1 run repaired" in output) == (0, True)
    assert output.startswith(f"repaired: dataset/shards/{tar.name} ({member.name}): expected sha256 ")
    assert (synth.store / member.name).is_file()


def test_repair_writes_the_index_of_a_shard_again_and_renders_nothing(synth: Command) -> None:
    assert synth.render(3)[0] == 0
    index = pack_all(synth).with_suffix(".parquet")
    content = index.read_bytes()
    index.write_bytes(b"PAR1")
    code, output, _ = synth.run("verify", "dataset")
    remedy = "expected the index of a shard, found a file that cannot be read; synth verify --repair writes it again"
    assert (code, f"dataset/shards/{index.name}: {remedy}" in output) == (1, True)
    code, output, _ = synth.run("verify", "dataset", "--repair", "--engine=trial_engine:render")
    assert code == 0
    note = "this index of a shard was written again from its tar file"
    assert output.startswith(f"note: dataset/shards/{index.name}: {note}\ntiny: no faults in 3 runs, ")
    assert index.read_bytes() == content


def test_repair_of_a_joined_dataset(synth: Command) -> None:
    assert synth.render(2)[0] == 0
    more = ("render", "tiny.yaml", "initial_runtime_state.seed=5,6", "--out=dataset", "--engine=trial_engine:render")
    assert synth.run(*more, "--add")[0] == 0
    before = synth.dataset()
    for picture in (synth.store / "runs").rglob("picture.txt"):
        picture.write_text(f"{picture.read_text()} and more")
    code, output, _ = synth.run("verify", "dataset", "--repair", "--engine=trial_engine:render")
    assert (code, "4 runs repaired" in output) == (0, True)
    assert synth.dataset() == before


def test_a_run_that_cannot_be_rendered_stays_a_fault(synth: Command) -> None:
    assert synth.render(2)[0] == 0
    before = synth.dataset()
    picture = next((synth.store / "runs").rglob("picture.txt"))
    seed = int(picture.read_text())
    picture.unlink()
    synth.order(seed, "raise")
    code, output, _ = synth.run("verify", "dataset", "--repair", "--engine=trial_engine:render")
    assert code == 1
    assert f"note: run {seed} cannot be rendered again: EngineFailed: " in output
    assert "note: 1 run could not be rendered again, so the documents of the dataset stay as they are" in output
    assert synth.dataset() == before


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Output]:
    with minio_server(tmp_path_factory.mktemp("minio")) as server:
        client = Minio(server.endpoint, server.access_key, server.secret_key, secure=False)
        client.make_bucket("lab")
        os.environ |= {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key}
        yield Output(endpoint=server.endpoint, bucket="lab", prefix="datasets", insecure=True)
        del os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]


def test_a_bucket(bucket: Output, capsys) -> None:
    store = S3Store(bucket)
    source = render_discs(store, DiscSweep(seeds=(0, 1)))
    words = ["s3://lab/datasets", "--endpoint", f"http://{bucket.endpoint}"]
    for depth in ("--quick", "--deep", "--sample=50%"):
        assert verify(*words, depth) == 0
    capsys.readouterr()
    folders = [row["folder"] for row in source.iterate_rows(("folder",))]
    store.remove_files([f"{folders[0]}/real.png", f"{source.dataset.folder}/coco.json"])
    store.write(f"{folders[1]}/depth_map.png", b"cut")
    assert verify(*words, "--quick") == 1
    quick = capsys.readouterr().out
    assert verify(*words) == 1
    full = capsys.readouterr().out
    for output in (quick, full):
        coco, missing, cut, summary = output.splitlines()
        assert coco.startswith(f"s3://lab/datasets/{source.dataset.folder}/coco.json: expected ")
        assert missing.startswith(f"s3://lab/datasets/{folders[0]}/real.png: expected ")
        assert "found nothing" in missing
        assert cut.startswith(f"s3://lab/datasets/{folders[1]}/depth_map.png: expected ")
        assert "found 3 bytes" in cut
        assert summary.startswith("discs: 3 faults in 4 runs, 49 files")


def test_repair_in_a_bucket(bucket: Output, synth: Command) -> None:
    assert synth.render(2)[0] == 0
    store = S3Store(bucket.model_copy(update={"prefix": "tiny"}))
    local = FolderStore(synth.store)
    for folder in ("recipes", "runs", "manifests", "sweeps"):
        for path in local.iterate_files(folder):
            store.write(path, local.read(path))
    pictures = [path for path in store.iterate_files("runs") if path.endswith("picture.txt")]
    store.remove_files(pictures[:1])
    words = ("verify", "s3://lab/tiny", "--endpoint", f"http://{bucket.endpoint}")
    assert synth.run(*words)[0] == 1
    code, output, _ = synth.run(*words, "--repair", "--engine=trial_engine:render")
    assert (code, "1 run repaired" in output) == (0, True)
    assert sorted(path for path in store.iterate_files("runs") if path.endswith("picture.txt")) == sorted(pictures)
    assert synth.run(*words, "--quick")[0] == 0
