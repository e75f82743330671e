#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares docs/API.md with libuv's header and with the hooks: a newer libuv cannot slip through.

By hand: UVS_SOURCE=. UVS_BUILD=build UVS_UV_INCLUDE=/usr/include tests/docs/test_api.py -v
"""
import os
import pathlib
import re
import unittest

from test_docs import expand, section, table, text_of

HEADER = pathlib.Path(os.environ["UVS_UV_INCLUDE"]) / "uv.h"
PAGE = text_of("docs/API.md")
# Function types of uv.h that are no uv_*_cb, and yet something of the program's that libuv calls.
OTHER_TYPES = r"uv_\w+_func|\(\*\w+\)"
NOT_TRACED = "—"


def words(cell):
    return re.findall(r"[\w.*]+", cell.replace("`", ""))


def header_functions():
    """{function: [callback types]} of uv.h, for functions that take one."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
    found = {}
    for name, parameters in re.findall(r"UV_EXTERN\s+[^;(]*?\b(uv_\w+)\s*\(([^;]*)\)\s*;", text):
        types = re.findall(rf"\buv_\w+_cb\b|{OTHER_TYPES}", parameters)
        if types:
            found[name] = ["void" if "*" in type_ else type_ for type_ in types]
    # Its callback is in a struct.
    found["uv_spawn"] = ["uv_exit_cb"]
    return found


def header_version():
    text = (HEADER.parent / "uv/version.h").read_text()
    return tuple(int(re.search(rf"define UV_VERSION_{part}\s+(\d+)", text)[1]) for part in ("MAJOR", "MINOR"))


def hooked():
    """{function: kind or None} of the hook tables; libuv's and libc's."""
    lines = "#define X(function, ...) HOOK function;\nUVS_HOOK_UV_MAP(X) UVS_HOOK_LIBC_MAP(X)\n#undef X\n" \
            "#define X(function, NAME, ...) FS function NAME;\nUVS_HOOK_FS_MAP(X)\n"
    text = expand(lines, header="probes/hooks.h")
    found = {name: None for name in re.findall(r"HOOK (\w+);", text)}
    names = dict(re.findall(r'ROW (\w+) "([\w.]+)"', expand("#define X(NAME, n, name) ROW NAME name;\nUVS_FS_MAP(X)\n")))
    return found | {name: names[kind] for name, kind in re.findall(r"FS (\w+) (\w+);", text)}


def kinds():
    """{kind: class}"""
    return dict(re.findall(r'ROW "(\w+)" (\w+)', expand("#define X(NAME, n, name, class) ROW name class;\nUVS_KIND_MAP(X)\n")))


class Api(unittest.TestCase):
    rows = table(section(PAGE, "Functions with a callback"), "function", "callback", "kind")
    sync = table(section(PAGE, "Synchronous calls"), "function", "kind", "when")
    others = table(section(PAGE, "What else is hooked"), "function", "for what")

    def test_every_function_of_the_header_that_takes_a_callback_is_listed(self):
        functions = header_functions()
        self.assertGreater(len(functions), 60)
        listed = {row[0]: words(row[1]) for row in self.rows}
        self.assertEqual(len(listed), len(self.rows))
        for name, types in functions.items():
            self.assertIn(name, listed, "a function that takes a callback, of which docs/API.md says nothing")
            for type_ in types:
                self.assertIn(type_, listed[name], name)

    def test_what_the_header_does_not_have_is_newer_than_it(self):
        functions = header_functions()
        for name, _, _, meaning in self.rows:
            if name in functions:
                continue
            since = re.search(r"since libuv (\d+)\.(\d+)", meaning)
            self.assertTrue(since and (int(since[1]), int(since[2])) > header_version(), name)

    def test_what_is_said_to_be_traced_is_hooked_and_the_other_way_round(self):
        hooks = hooked()
        for name, _, kind, meaning in self.rows:
            with self.subTest(function=name):
                if kind == NOT_TRACED:
                    self.assertRegex(meaning, r"^(Not traced, because |Through `uv_\w+`)")
                    through = re.match(r"Through `(\w+)`", meaning)
                    self.assertTrue(not through or through[1] in hooks)
                    continue
                self.assertIn(name, hooks)
                self.assertIn(hooks[name], (None, kind))

    def test_the_meaning_is_that_of_the_kinds_class(self):
        words_of = {"DUE": "delay: ", "READY": "delay: poll returned", "PHASE": "duration; no delay",
                    "REQUEST": "latency: ", "POOL": "queue, service, and return"}
        classes = kinds()
        for name, _, kind, meaning in self.rows:
            if kind != NOT_TRACED:
                class_ = "POOL" if kind.startswith("fs.") else classes[kind]
                self.assertTrue(meaning.startswith(words_of[class_]), f"{name}: {class_}: {meaning}")

    def test_every_kind_is_recorded_by_a_listed_function(self):
        listed = {row[2] for row in self.rows} | {row[1] for row in self.sync}
        self.assertEqual(set(kinds()) - listed, set())

    def test_synchronous_calls(self):
        hooks = hooked()
        for name, kind, when in self.sync:
            self.assertTrue(when and (name in hooks or name == "uv_fs_*"), name)
            self.assertTrue(kind == "fs.*" or kind in kinds(), kind)
        self.assertEqual({kind for kind, class_ in kinds().items() if class_ == "SYNC"} - {row[1] for row in self.sync}, set())

    def test_every_hook_is_listed(self):
        listed = {row[0] for row in self.rows if row[2] != NOT_TRACED} | {row[0] for row in self.sync} | {row[0] for row in self.others}
        self.assertEqual(set(hooked()), listed - {"uv_fs_*"})


if __name__ == "__main__":
    unittest.main()
