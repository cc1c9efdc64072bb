"""Entry point of a render pod: handles SIGTERM before the slow imports; process 1 ignores it by default."""

from synth_dataset.stopper import StopSignal

_stop = StopSignal()

from synth_renderer.runtime.batch.pod import main  # noqa: E402

main(_stop)
