"""What every test runs under."""

from __future__ import annotations

import signal

# Started in the background, a shell has its children ignore Ctrl-C, and theirs: here it must work.
signal.signal(signal.SIGINT, signal.default_int_handler)
