"""The demo's own judgements; the run itself is a command, ``make demo``."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from consumers import demo
from stream.contracts.changes import Cause, Placed, SegmentChange
from stream.errors import SegstreamError
