"""`synth gallery --watch`: a page in Chromium that grows with the sweep, and a server that gives nothing else."""

from __future__ import annotations

import json
import signal
import threading
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from chromium import Chromium
from disc_datasets import DiscSweep, draw_discs, record_run, stack_discs, write_run
from waiting import SECONDS

from synth_api.errors import InputError
from synth_cli.local.gallery_server import GalleryServer
from synth_dataset.attempts.live_gallery import LiveGallery
from synth_dataset.attempts.render_call import begin_call
from synth_dataset.store.folder_store import FolderStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Command

SWEEP = DiscSweep(seeds=tuple(range(12)))


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "store")
    begin_call(store, SWEEP)
    return store


@pytest.fixture
def server(store: FolderStore) -> Iterator[GalleryServer]:
    with GalleryServer(LiveGallery(store, "local", SWEEP.name, 0.0), 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def render(store: FolderStore, runs: range) -> None:
    for seed, number in SWEEP.points()[runs.start : runs.stop]:
        discs = draw_discs(seed, number)
        with store.open_scratch(f"{seed}-{number}") as folder:
            visible = write_run(folder, stack_discs(discs), discs, SWEEP.particle_blueprints)
            store.commit_run(folder, record_run(SWEEP, seed, number, visible, (60, 40)))


def ask(server: GalleryServer, path: str, host: str | None = None) -> tuple[int, str | None, bytes]:
    """Status, type and content of an answer."""
    with closing(HTTPConnection("127.0.0.1", server.server_port, timeout=20)) as connection:
        connection.putrequest("GET", path, skip_host=host is not None)
        if host is not None:
            connection.putheader("Host", host)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()


def test_the_page_grows_and_keeps_its_place_and_selection(
    store: FolderStore, server: GalleryServer, tmp_path: Path
) -> None:
    render(store, range(8, 16))
    top = "document.getElementById('r12').getBoundingClientRect().top"
    count = "document.getElementById('count').textContent"
    with Chromium(tmp_path / "profile") as browser:
        browser.resize(700, 500)
        browser.open(server.address, f"{count} === '8 runs'")
        browser.evaluate("document.getElementById('r8').querySelector('a').focus()")
        browser.press(*["ArrowRight"] * 4)
        browser.evaluate("scrollBy(0, document.getElementById('r12').getBoundingClientRect().top - 150)")
        browser.wait("true")
        before = browser.evaluate(top)
        render(store, range(8))
        browser.wait(f"{count} === '16 runs'")
        assert browser.evaluate("document.activeElement.closest('.run').id") == "r12"
        assert abs(browser.evaluate(top) - before) < 2
        browser.press("Enter", "m")
        browser.wait("!document.getElementById('overlay').hidden")
        render(store, range(16, 24))
        browser.wait(f"{count} === '24 runs'")
        assert browser.evaluate("document.getElementById('viewer-title').textContent") == "run 12"
        assert browser.evaluate("document.getElementById('state').textContent") == "24 of 24 runs rendered"
        assert browser.problems == []


def test_it_serves_page_rows_and_files_of_runs(store: FolderStore, server: GalleryServer) -> None:
    render(store, range(1))
    assert ask(server, "/")[:2] == (200, "text/html; charset=utf-8")
    assert ask(server, "/gallery/page.js")[0] == 200
    attempt = LiveGallery(store, "local", SWEEP.name, 0.0).build_page().decode().split('"live": "')[1].split('"')[0]
    news = json.loads(ask(server, f"/gallery/rows.json?attempt={attempt}&after=0")[2])
    folder = news["pieces"][0]["folder"][0]
    assert ask(server, f"/{folder}/real.png") == (200, "image/png", store.read(f"{folder}/real.png"))
    assert ask(server, f"/{folder}/missing.png")[0] == 404


@pytest.mark.parametrize("path", ["plan.json", "../plan.json", "%2e%2e/plan.json", "a/../../plan.json", "//etc/passwd"])
def test_it_serves_nothing_but_files_of_runs(store: FolderStore, server: GalleryServer, path: str) -> None:
    run = f"/runs/ab/{'ab' * 32}/12345678/"
    (store.root / run[1:]).mkdir(parents=True)
    for folder in (store.root, (store.root / run[1:]).parent):
        (folder / "plan.json").write_text("secret")
    for start in ("/", run, "/manifests/"):
        assert ask(server, start + path)[0] == 404


def test_a_name_of_another_site_is_refused(server: GalleryServer) -> None:
    assert ask(server, "/", host=f"evil.example:{server.server_port}")[0] == 421
    assert ask(server, "/", host=f"localhost:{server.server_port}")[0] == 200


def test_a_port_that_is_taken_is_refused(store: FolderStore, server: GalleryServer) -> None:
    with pytest.raises(InputError, match=rf"--port: {server.server_port} cannot be used .*; give another one"):
        GalleryServer(LiveGallery(store, "local", SWEEP.name, 0.0), server.server_port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_the_address_and_ends_with_a_signal(synth: Command, number: signal.Signals) -> None:
    begin_call(FolderStore(synth.store), SWEEP)
    process = synth.start("gallery", "dataset", "--watch")
    assert process.stdout is not None
    with urlopen(process.stdout.readline().strip()) as page:
        assert b"<title>discs</title>" in page.read()
    process.send_signal(number)
    out, error = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, error) == (0, "", "the page grows with the sweep; Ctrl-C ends it\n")


def test_failed_runs_are_shown_while_the_sweep_runs(synth: Command) -> None:
    synth.order(0, "raise")
    synth.order(1, "hang until released")
    rendering = synth.start(*synth.render_arguments(3, "--workers", "1"))
    assert rendering.stderr is not None
    next(line for line in rendering.stderr if "run 0 failed" in line)
    store = FolderStore(synth.store)
    gallery = LiveGallery(store, "local", "tiny", 0.0)
    attempt = gallery.list_news("", 0)["attempt"]
    (piece,) = gallery.list_news(attempt, 0)["pieces"]
    assert (piece["run"], piece["message"]) == ([0], ["ValueError: two beads in one place"])
    (synth.folder / "orders/released").touch()
    rendering.communicate()
    assert rendering.returncode == 1
    assert not list(synth.store.rglob("batches"))


def test_a_folder_that_does_not_exist_yet_is_said_before_clusters_are(synth: Command, monkeypatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/no/such/file")
    code, out, error = synth.run("gallery", "dataset", "--watch")
    assert (code, out) == (2, "")
    says = "dataset: there is no such folder yet, call again when synth render has begun to write it; to find a sweep"
    assert error.startswith(f"error: {says}")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("dataset", "--watch", "--pictures"), "--watch: copies nothing; leave --out and --pictures out"),
        (("dataset", "--watch"), "holds no sweep yet; call again when synth render runs"),
    ],
)
def test_what_cannot_be_watched_is_one_sentence(synth: Command, arguments: tuple[str, ...], says: str) -> None:
    synth.store.mkdir()
    code, out, error = synth.run("gallery", *arguments)
    assert (code, out) == (2, "")
    assert says in error
