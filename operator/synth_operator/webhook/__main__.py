"""Entry point of `python -m synth_operator.webhook`."""

from synth_operator.webhook.serve import main

raise SystemExit(main())
