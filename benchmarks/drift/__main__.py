"""``python -m benchmarks.drift``."""

import sys

from benchmarks.drift.cli import main

sys.exit(main())
