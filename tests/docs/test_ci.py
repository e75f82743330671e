# SPDX-License-Identifier: MIT
"""The jobs of docs/ci.md: their YAML is YAML, and their commands have options that there are."""
import re
import shlex
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


class Ci(unittest.TestCase):
    def test_there_are_jobs_for_both(self):
        github, gitlab = jobs()
        self.assertEqual(set(github), {"name", True, "jobs"})  # YAML 1.1: a bare `on` is true
        self.assertIn("script", gitlab["event-loop"])

    def test_every_option_is_known(self):
        seen = 0
        lines = [line for job in jobs() for line in commands(job)]
        lines += re.findall(r"^ {4}(uvscope .*?)(?: +#.*)?$", text_of("docs/ci.md"), re.M)
        for line in lines:
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


if __name__ == "__main__":
    unittest.main()
