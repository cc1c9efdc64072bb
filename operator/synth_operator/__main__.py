"""Entry point of `python -m synth_operator`."""

from synth_operator.main import main

raise SystemExit(main())
