#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Asks bash what `uvscope completion bash` completes, and compares it with the command's help.

By hand: UVS_SOURCE=. UVS_BUILD=build tests/docs/test_completion.py -v
"""
import os
import pathlib
import re
import tempfile
import unittest

from test_docs import COMMAND, COMMANDS, help_options, run

# Completes the words that are its arguments, the last one being at the cursor.
ASK = """
source "$SCRIPT"
COMP_WORDS=(uvscope "$@")
COMP_CWORD=$#
_uvscope
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.place.name)
        cls.script = cls.path / "uvscope"
        cls.script.write_text(run(COMMAND, "completion", "bash"))
        (cls.path / "a trace").mkdir()
        (cls.path / "a file").touch()
        program = cls.path / "a-program"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def ask(self, *words):
        environment = dict(os.environ, SCRIPT=str(self.script), PATH=f"{self.path}:{os.environ['PATH']}")
        output = run("bash", "--norc", "-c", ASK, "bash", *words, cwd=self.path, env=environment)
        return [line for line in output.splitlines() if line]

    def test_commands(self):
        self.assertEqual(set(self.ask("")), set(COMMANDS) | {"help", "--help", "--version"})
        self.assertEqual(self.ask("rep"), ["report"])
        self.assertEqual(set(self.ask("help", "")), set(COMMANDS))
        self.assertEqual(self.ask("nonsense", ""), [])

    def test_options_are_those_of_the_help(self):
        for name in COMMANDS:
            with self.subTest(command=name):
                self.assertEqual(set(self.ask(name, "--")), set(help_options(run(COMMAND, name, "--help"))))

    def test_words_of_a_choice(self):
        seen = 0
        for name in COMMANDS:
            for option, (letter, argument) in help_options(run(COMMAND, name, "--help")).items():
                if not argument or not re.fullmatch(r"[a-z-]+(\|[a-z-]+)+", argument):
                    continue
                seen += 1
                self.assertEqual(self.ask(name, option, ""), argument.split("|"))
                self.assertEqual(self.ask(name, option, "="), argument.split("|"))
                self.assertEqual(self.ask(name, option, "=", argument[:2]), [argument.split("|")[0]])
        self.assertGreater(seen, 3)

    def test_directories_and_files(self):
        self.assertEqual(self.ask("report", "a"), ["a trace"])
        self.assertEqual(self.ask("record", "-o", "a"), ["a trace"])
        self.assertEqual(set(self.ask("check", "--rules", "a")), {"a trace", "a file", "a-program"})

    def test_a_program_and_its_arguments(self):
        self.assertEqual(self.ask("doctor", "a-pro"), ["a-program"])
        self.assertEqual(self.ask("record", "a-pro"), ["a-program"])
        self.assertEqual(self.ask("record", "--detail", "full", "-q", "a-pro"), ["a-program"])
        self.assertEqual(self.ask("record", "--detail", "=", "full", "--", "a-pro"), ["a-program"])
        # Behind the program nothing is record's any more.
        self.assertEqual(set(self.ask("record", "--", "a-program", "a")), {"a trace", "a file", "a-program"})
        self.assertEqual(self.ask("record", "a-program", "--det"), [])
        self.assertEqual(self.ask("record", "--det"), ["--detail"])


if __name__ == "__main__":
    unittest.main()
