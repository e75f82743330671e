#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""in_terminal.py ACTIONS -- COMMAND...: runs COMMAND in a terminal of its own, as a job in the foreground.

ACTIONS, comma-separated, are keys, each typed when the text before its colon has appeared: "ready:^C"; or
"hangup": the terminal goes away, and with it this script's interest. A small
shell leads the terminal's session: when the job stops, it says "[stopped]" and continues it, as fg does. Prints
what the terminal showed; ends with the command's status, 128 + n for a signal.
"""
import os
import pty
import select
import signal
import sys
import time

TIMEOUT_S = 60 * float(os.environ.get("UVS_TEST_TIMEOUT_FACTOR", "1"))


def lead(command):
    """The shell: job control needs a parent in the job's session, outside of its process group."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execvp(command[0], command)
    while True:
        _, status = os.waitpid(job, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
        os.write(1, b"[stopped]")
        os.killpg(job, signal.SIGCONT)


def main():
    actions = [action.split(":") for action in sys.argv[1].split(",") if action]
    leader, terminal = pty.fork()
    if leader == 0:
        lead(sys.argv[3:])
    seen = b""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            os.killpg(os.tcgetpgrp(terminal), signal.SIGTERM)
            sys.exit(f"no end within {TIMEOUT_S} s; seen: {seen!r}")
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # nobody has the terminal any more
            break
        while actions and actions[0][0].encode() in seen:
            if actions[0][1] == "hangup":
                os.close(terminal)
                os.waitpid(leader, 0)
                return
            os.write(terminal, bytes([ord(actions.pop(0)[1][1]) & 0x1F]))
    _, status = os.waitpid(leader, 0)
    sys.stdout.write(seen.decode())
    sys.stdout.flush()
    sys.exit(os.waitstatus_to_exitcode(status))


main()
