#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""orphans.py PROGRAM...: runs it, waits for what it leaves running in the background, and says how that ended."""

import ctypes
import os
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
program = subprocess.Popen(sys.argv[1:])
program_status = None
orphans = []
while True:
    try:
        pid, status = os.wait()
    except ChildProcessError:
        break
    code = os.waitstatus_to_exitcode(status)
    if pid == program.pid:
        program_status = code
    else:
        orphans.append(code)
print("orphans", sorted(orphans), flush=True)
os._exit(program_status if program_status >= 0 else 128 - program_status)
