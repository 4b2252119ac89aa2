"""The star of The Complete Journey, as its example declares it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_FILE = Path(__file__).parents[1] / "examples" / "complete_journey" / "star.py"
_SPEC = importlib.util.spec_from_file_location("complete_journey_star", _FILE)
assert _SPEC is not None
assert _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = _MODULE  # declarations look their annotations' names up in their module
_SPEC.loader.exec_module(_MODULE)

JOURNEY = _MODULE.star
