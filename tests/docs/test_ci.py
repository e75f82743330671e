# SPDX-License-Identifier: MIT
"""The jobs of docs/ci.md: their YAML is YAML, their commands have options that there are, and their checks find what they are for."""
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

import yaml

from test_docs import COMMAND, COMMANDS, help_options, run, text_of


def jobs():
    return [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", text_of("docs/ci.md"), re.M | re.S)]


def commands(node):
    """Every command line of a job, wherever in it."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "run":
                yield from value.strip().splitlines()
            elif key in ("script", "before_script"):
                yield from value
            else:
                yield from commands(value)
    elif isinstance(node, list):
        for item in node:
            yield from commands(item)


def lines_of_page():
    """The page's own examples, then those of its jobs."""
    page = re.findall(r"^ {4}(uvscope .*?)(?: +#.*)?$", text_of("docs/ci.md"), re.M)
    return page + [line for job in jobs() for line in commands(job)]


def server(opens):
    """The log of a program that opens five files when it starts, and so many for each of 100 connections."""
    yield '1ms process_info loop=7:- pid=7 schema=1 libuv=76802 pool_size=4 exe="/bin/server"'
    yield "1ms loop_info loop=7:0 tid=7 is_default=1 name=server"
    for i in range(5):
        yield f"{2 + i}ms sync_call loop=7:0 kind=fs.open caller=0x40 duration_ns=10us"
    for i in range(100):
        for j in range(opens):
            yield f"{10 + i}.{j}ms sync_call loop=7:0 kind=fs.open caller=0x50 duration_ns=10us"
        yield f"{10 + i}.5ms callback loop=7:0 op={i + 1} kind=connection callback=0x100 duration_ns=450us delay_ns=1us"
        yield f"{10 + i}.6ms poll loop=7:0 wait_ns=0 busy_ns=500us callbacks=1 calls=1 timeout_ms=0"


class Ci(unittest.TestCase):
    def test_there_are_jobs_for_both(self):
        github, gitlab = jobs()
        self.assertEqual(set(github), {"name", True, "jobs"})  # YAML 1.1: a bare `on` is true
        self.assertIn("script", gitlab["event-loop"])

    def test_every_option_is_known(self):
        seen = 0
        for line in lines_of_page():
            words = shlex.split(line)
            if words[0] != "uvscope":
                continue
            self.assertIn(words[1], COMMANDS)
            options = help_options(run(COMMAND, words[1], "--help"))
            known = set(options) | {letter for letter, _ in options.values()}
            end = words.index("--") if "--" in words else len(words)
            for word in words[2:end]:
                if word.startswith("-"):
                    seen += 1
                    self.assertIn(word, known, line)
        self.assertGreater(seen, 12)

    def test_every_check_passes_until_there_is_more_to_find(self):
        checks = [shlex.split(line)[1:] for line in lines_of_page() if line.startswith("uvscope check")]
        self.assertIn("--update-baseline", checks[0])
        with tempfile.TemporaryDirectory() as work:
            runs = pathlib.Path(work, "runs")

            def statuses(opens, which):
                runs.write_text("\n".join(server(opens)) + "\n", encoding="utf-8")
                return [subprocess.run([COMMAND, *check], cwd=work, capture_output=True,
                                       env=os.environ | {"GITHUB_STEP_SUMMARY": work + "/summary.md"}).returncode for check in which]
            self.assertEqual(set(statuses(1, checks)), {0})
            github = next(check for check in checks if "--github" in check)
            self.assertEqual(statuses(2, [github]), [1])
            self.assertIn("testsuites", pathlib.Path(work, "event-loop.xml").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
