"""Entry of the process: heeds SIGTERM first, because the imports take a second and process 1 ignores it till then."""

from synth_dataset.stopper import StopSignal

_stop = StopSignal()

from synth_renderer.runtime.batch.pod import main  # noqa: E402

main(_stop)
