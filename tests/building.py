"""Builds programs in the process of the tests, with Options as a test wants them."""

from __future__ import annotations

import gc

from mochic import driver
from mochic.options import Options


def build_program(source: str, opt: Options) -> str:
    """Build `source`, which must succeed; the path of the binary, opt.out.

    A build switches the collector of cycles off, since its process ends soon; this process goes on.
    """
    try:
        assert driver.build(source, opt) == 0
    finally:
        gc.enable()
    return opt.out
