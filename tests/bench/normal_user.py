# SPDX-License-Identifier: MIT
"""Root's programs and recordings share one daemon, so that they record each other: a bench is not run by root."""
import os
import sys


def become_normal(program):
    """Nobody, where it is root that runs us; ends the bench where a normal user cannot run `program`."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        os.environ["HOME"] = "/nonexistent"
    if not os.access(program, os.X_OK):
        print(f"{program} cannot be run by a normal user")
        sys.exit(77)
