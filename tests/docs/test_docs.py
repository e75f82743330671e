#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares the documents, the command's help and the libraries' symbols with the code.

By hand: UVS_SOURCE=. UVS_BUILD=build tests/docs/test_docs.py -v Events
"""
import json
import os
import pathlib
import re
import subprocess
import unittest

SOURCE = pathlib.Path(os.environ["UVS_SOURCE"]).resolve()
BUILD = pathlib.Path(os.environ["UVS_BUILD"]).resolve()
COMMAND = BUILD / "bin/uvscope"
COMMANDS = ["record", "report", "check", "compare", "doctor", "completion", "export"]
MAN = SOURCE / "docs/man"
# Functions of libc that print, end the process, or may do so.
FORBIDDEN_IN_HOST = {"printf", "fprintf", "vprintf", "vfprintf", "puts", "fputs", "putchar", "perror", "exit", "_exit",
                     "quick_exit", "abort", "__assert_fail", "__printf_chk", "__fprintf_chk", "__vfprintf_chk", "err", "errx"}
# vfprintf and fputs may write a file of ours; stdout and stderr must then not be referred to.
FORBIDDEN_IN_LIBRARY = FORBIDDEN_IN_HOST - {"fprintf", "vfprintf", "fputs", "__fprintf_chk", "__vfprintf_chk"} \
    | {"stdout", "stderr"}


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, **options).stdout


def text_of(path):
    return (SOURCE / path).read_text(encoding="utf-8")


def sources(*directories, suffixes=(".c", ".h")):
    return [path for name in directories for path in sorted((SOURCE / name).rglob("*")) if path.suffix in suffixes]


def expand(lines, header="probes/uvs_abi.h"):
    """What the preprocessor makes of `lines` after `header`, without the header itself."""
    program = f'#include "{SOURCE / header}"\nUVS_TEST_BEGIN\n' + lines
    output = run(os.environ.get("CC", "cc"), "-E", "-P", "-D_GNU_SOURCE", "-I", SOURCE, "-x", "c", "-", input=program)
    return output.split("UVS_TEST_BEGIN", 1)[1]


def section(markdown, title):
    """The text below the heading `title`, up to the next heading of the same or a higher level."""
    match = re.search(rf"^(#+) {re.escape(title)}$", markdown, re.M)
    if not match:
        return None
    rest = markdown[match.end():]
    end = re.search(rf"^#{{1,{len(match[1])}}} ", rest, re.M)
    return rest[:end.start()] if end else rest


def table(markdown, *header):
    """The rows of the table with this header, as lists of cells without backquotes."""
    lines = iter(markdown.splitlines())
    for line in lines:
        if [cell.strip() for cell in line.strip("|").split("|")][:len(header)] == list(header):
            next(lines)
            break
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


def help_options(text):
    """{"--output": ("-o" or None, "DIR" or None)} of a help text."""
    found = {}
    for match in re.finditer(r"^  (?:(-\w), |    )(--[a-z][a-z-]*)(?: (\S+))?(?:  .*)?$", text, re.M):
        found[match[2]] = (match[1], match[3])
    return found


def man_options(text):
    """The same of a manual page: .It Fl o , Fl -output Ar DIR."""
    found = {}
    for letter, name, argument in re.findall(r"^\.It (?:Fl (\w) , )?Fl (-\S+)(?: Ar (.*))?$", text, re.M):
        found["-" + name] = ("-" + letter if letter else None, argument or None)
    return found


class Help(unittest.TestCase):
    def test_each_option_is_in_the_manual_and_the_other_way_round(self):
        for name in COMMANDS:
            with self.subTest(command=name):
                from_help = help_options(run(COMMAND, name, "--help"))
                self.assertGreater(len(from_help), 0)
                self.assertEqual(from_help, man_options((MAN / f"uvscope-{name}.1").read_text()))

    def test_the_list_of_commands_names_them_all(self):
        overview = run(COMMAND, "--help")
        page = (MAN / "uvscope.1").read_text()
        for name in COMMANDS:
            self.assertRegex(overview, rf"(?m)^\s+{name}\s")
            self.assertIn(f".Xr uvscope-{name} 1", page)

    def test_version_is_the_projects(self):
        version = re.search(r"project\(uvscope VERSION ([\d.]+)", text_of("CMakeLists.txt"))[1]
        self.assertIn(version, run(COMMAND, "--version"))
        self.assertRegex(text_of("CHANGELOG.md"), rf"(?m)^## .*{re.escape(version)}")


class ManPages(unittest.TestCase):
    def test_groff_has_nothing_to_complain_about(self):
        pages = sorted(MAN.glob("*.1"))
        self.assertEqual(len(pages), len(COMMANDS) + 1)
        for page in [*pages, *MAN.glob("*.7")]:
            done = subprocess.run(["groff", "-mdoc", "-ww", "-Kutf8", "-Tutf8", "-z", page], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)

    def test_the_plugins_parameters_and_spans_are_those_of_its_tables(self):
        page = (MAN / "babeltrace2-plugin-uvscope.7").read_text()
        documented = {word for line in re.findall(r"^\.It Cm (.*)$", page, re.M) for word in line.split(" , ")}
        sources_ = "".join(text_of(f"src/plugin/{name}.c") for name in ("sink_report", "filter_spans"))
        tables = set(re.findall(r'\{"([a-z-]+)", UVS__PARAMETER_', sources_))
        spans = set(re.findall(r'\[UVS__SPAN_\w+\] = \{"(\w+)"', text_of("src/plugin/span_messages.c")))
        self.assertGreater(len(spans), 8)
        self.assertEqual(documented, tables | spans)


class Events(unittest.TestCase):
    page = text_of("docs/EVENTS.md")
    form = {"I": "{1}", "S": "string", "Q": "sequence of {1}"}
    size = {"uint8_t": 1, "uint16_t": 2, "uint32_t": 4, "int32_t": 4, "uint64_t": 8}

    def events(self):
        """{name: (detail, [(field, type), …], bytes)} from the header."""
        lines = "".join(f"#define {name}(...) {name}(__VA_ARGS__);\n" for name in "ISQ")
        lines += "#define X(name, detail) EVENT(name, detail); UVS_EVENT_##name(I, S, Q, name)\nUVS_EVENT_MAP(X)\n"
        found = {}
        for word, arguments in re.findall(r"(\w+)\(([^)]*)\);", expand(lines)):
            arguments = [argument.strip() for argument in arguments.split(",")]
            if word == "EVENT":
                detail, fields, size = arguments[1].lower(), [], 6
                found[arguments[0]] = [detail, fields, size]
                last = found[arguments[0]]
                continue
            type_ = self.form[word].format(*arguments)
            last[1].append((arguments[-1], type_))
            last[2] += self.size[arguments[1]] if word == "I" else 1 if word == "Q" else 0
        return found

    def test_fields(self):
        events = self.events()
        self.assertGreater(len(events), 10)
        documented = re.findall(r"^### (\w+)$", section(self.page, "The events"), re.M)
        self.assertEqual(documented, list(events))
        for name, (detail, fields, size) in events.items():
            with self.subTest(event=name):
                body = section(self.page, name)
                self.assertEqual(table(body, "detail", "bytes"), [[detail, str(size)]])
                self.assertEqual([(row[0], row[1]) for row in table(body, "field", "type", "meaning")], fields)
                self.assertTrue(all(row[2] for row in table(body, "field", "type", "meaning")))

    def test_kinds(self):
        lines = "#define X(NAME, number, name, class) KIND number name class;\nUVS_KIND_MAP(X)\n#undef X\n" \
                "#define X(NAME, number, name) FS number name;\nUVS_FS_MAP(X)\n"
        kinds = []
        for word, number, name, class_ in re.findall(r'(KIND|FS) (\d+) "([\w.]+)"(?: (\w+))?;', expand(lines)):
            kinds.append([str(int(number) + 64), name, "POOL"] if word == "FS" else [number, name, class_])
        self.assertGreater(len(kinds), 50)
        self.assertEqual(table(section(self.page, "Kinds"), "number", "name", "class"), kinds)
        classes = [row[0] for row in table(section(self.page, "Kinds"), "class", "`delay_ns`")]
        self.assertEqual(set(classes), {kind[2] for kind in kinds})

    def test_reasons_and_hooks(self):
        for title, macro in (("Reasons", "UVS_DROPPED_MAP"), ("Hooks", "UVS_HOOKS_MAP"), ("Collections", "UVS_GC_MAP"),
                             ("Measures", "UVS_MEASURE_MAP"), ("Moments", "UVS_OPEN_MAP"),
                             ("Types of handles", "UVS_HANDLE_MAP")):
            rows = re.findall(r'ROW (\d+) "(\w+)"', expand(f"#define X(NAME, number, name, ...) ROW number name;\n{macro}(X)\n"))
            self.assertGreater(len(rows), 1)
            self.assertEqual([tuple(row[:2]) for row in table(section(self.page, title), "number", "name")], rows)

    def test_schema(self):
        schema = expand("UVS_SCHEMA").strip()
        self.assertIn(f"The schema is {schema};", self.page)


class Includes(unittest.TestCase):
    # From where -> what of ours it may include, beside its own directory.
    allowed = {"probes": [], "analysis": ["probes/uvs_abi.h"], "src": ["analysis/", "probes/uvs_abi.h", "probes/patch.h"]}

    def test_only_what_the_architecture_allows(self):
        seen = 0
        for home, others in self.allowed.items():
            for path in sources(home):
                for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.M):
                    target = (path.parent / name).resolve()
                    if not target.exists():
                        target = SOURCE / name
                    if not target.exists():
                        continue
                    seen += 1
                    relative = target.relative_to(SOURCE).as_posix()
                    fine = relative.startswith(home + "/") or any(relative.startswith(other) for other in others)
                    self.assertTrue(fine, f"{path.relative_to(SOURCE)} includes {relative}")
        self.assertGreater(seen, 20)

    def test_no_quoted_include_that_does_not_exist(self):
        for path in sources(*self.allowed):
            for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.M):
                self.assertTrue((path.parent / name).exists() or (SOURCE / name).exists(), f"{path}: {name}")


class Analyses(unittest.TestCase):
    page = text_of("docs/ANALYSES.md")

    def facts(self, kind):
        rows = [line.split("\t") for line in run(BUILD / "tests/docs/list_facts").splitlines()]
        return [row[1:] for row in rows if row[0] == kind]

    def test_every_finding_has_a_log_that_triggers_it(self):
        reports = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((SOURCE / "tests/golden").glob("*.json"))]
        found = {finding["id"] for report in reports for finding in report.get("findings", [])}
        self.assertEqual({row[0] for row in self.facts("finding")} - found, set())

    def test_every_finding_has_its_section(self):
        findings = self.facts("finding")
        self.assertGreater(len(findings), 5)
        body = section(self.page, "Findings")
        self.assertEqual(re.findall(r"^### ([a-z-]+)$", body, re.M), [row[0] for row in findings])
        for name, severity, predicate in findings:
            text = " ".join(section(self.page, name).split())
            self.assertTrue(text.startswith(f"**{severity}**: {predicate}. "), f"{name}: {severity}: {predicate}")

    def test_every_metric_is_listed(self):
        body = section(self.page, "Metrics")
        suffixes = re.findall(r"`\.(\w+)`", body.split(":\n")[0])
        documented = {f"{name}.{suffix}": of for name, of in table(body, "distribution", "of") for suffix in suffixes}
        documented |= {row[0]: row[2] for row in table(body, "metric", "unit", "meaning")}
        metrics = dict(self.facts("metric"))
        self.assertGreater(len(metrics), 30)
        self.assertEqual(set(metrics), set(documented))
        for name, meaning in metrics.items():
            self.assertTrue(meaning.endswith(documented[name]), f"{name}: {meaning}, or {documented[name]}?")

    def test_the_rules_shown_are_rules(self):
        rules = section(self.page, "Rules").split("Some rules:\n\n")[1].split("\n\n")[0].splitlines()
        self.assertGreater(len(rules), 5)
        for rule in [line.strip() for line in rules]:
            done = subprocess.run([COMMAND, "check", "--rule", rule, BUILD / "no-such-trace"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 4, f"{rule}: {done.stderr}")

    def test_every_block_class_is_defined(self):
        lines = '#define X(NAME, name) CLASS name;\nUVS_BLOCK_CLASS_MAP(X)\n'
        classes = re.findall(r'CLASS "(\w+)"', expand(lines, header="analysis/report.h"))
        self.assertGreater(len(classes), 3)
        self.assertEqual([row[0] for row in table(self.page, "class", "when")], classes)


class Environment(unittest.TestCase):
    def test_each_variable_is_documented(self):
        variables = set(re.findall(r'\b(UVSCOPE_[A-Z_]+)\b', expand("#define X(VARIABLE, text) VARIABLE;\nUVS_ENV_MAP(X)\n")))
        self.assertGreater(len(variables), 2)
        for path in sources("src", "analysis", "probes"):
            variables |= set(re.findall(r'"(UVSCOPE_[A-Z_]+)"', path.read_text()))
        pages = "".join(page.read_text() for page in MAN.glob("*.1"))
        documented = set(re.findall(r"^\.It Ev (UVSCOPE_[A-Z_]+)", pages, re.M))
        self.assertEqual(documented, variables)


class ExitCodes(unittest.TestCase):
    def test_every_code_is_in_the_readme_and_the_manual(self):
        lines = "#define X(NAME, code, meaning) ROW code;\nUVS_EXIT_MAP(X)\n"
        codes = re.findall(r"ROW (\d+);", expand(lines, header="analysis/error.h"))
        self.assertGreater(len(codes), 3)
        readme = [row[0] for row in table(section(text_of("README.md"), "Exit codes"), "code", "meaning")]
        self.assertEqual(readme, codes)
        page = (MAN / "uvscope.1").read_text()
        manual = page[page.index(".Sh EXIT STATUS"):]
        self.assertEqual(re.findall(r"^\.It (\d+)$", manual[:manual.index(".El")], re.M), codes)

    def test_records_own_codes(self):
        page = (MAN / "uvscope-record.1").read_text()
        codes = re.findall(r"^\.It (\d+)$", page[page.index(".Sh EXIT STATUS"):], re.M)
        self.assertEqual(codes, ["125", "126", "127"])


def symbols(path, *options):
    """[(type letter, name without version)] as nm says."""
    rows = []
    for line in run("nm", *options, path).splitlines():
        words = line.split()
        if len(words) >= 2 and len(words[-2]) == 1:
            rows.append((words[-2], words[-1].split("@")[0]))
    return rows


class Runtime(unittest.TestCase):
    library = BUILD / "lib/libuvscope.so"

    def test_exports_its_hooks_and_nothing_else(self):
        maps = re.findall(r"#define (UVS_HOOK_\w+_MAP)", text_of("probes/hooks.h"))
        lines = "#define X(function, ...) HOOK function;\n" + "\n".join(f"{name}(X)" for name in maps)
        hooks = set(re.findall(r"HOOK (\w+);", expand(lines, header="probes/hooks.h")))
        exported = {name for letter, name in symbols(self.library, "-D", "--defined-only")}
        self.assertGreater(len(hooks), 20)
        self.assertEqual(exported, hooks)

    def test_calls_nothing_that_prints_or_ends_the_process(self):
        seen, guilty = 0, set()
        # The hooks are built once for each copy of libuv that can be traced: one of them will do.
        built = [BUILD / "probes/CMakeFiles" / f"{name}.dir" for name in ("uvscope_runtime", "uvscope_copy_0")]
        for path in (path for directory in built for path in directory.rglob("*.o")):
            function = None
            for line in run("objdump", "-dr", path).splitlines():
                label = re.match(r"[0-9a-f]+ <(.+)>:$", line)
                call = re.search(r"R_\S+\s+([A-Za-z_]\w*)", line)
                function = label[1] if label else function
                seen += 1 if call else 0
                # LTTng's header brings functions of its own into each file.
                if call and call[1] in FORBIDDEN_IN_HOST and not function.startswith("lttng_ust_"):
                    guilty.add(f"{path.name}: {function} calls {call[1]}")
        self.assertGreater(seen, 1000)
        self.assertEqual(guilty, set())

    def test_needs_no_lttng_library(self):
        needed = run("readelf", "-d", self.library)
        self.assertIn("NEEDED", needed)
        self.assertNotIn("lttng", "\n".join(line for line in needed.splitlines() if "NEEDED" in line))


class Library(unittest.TestCase):
    def test_never_prints_and_never_exits(self):
        undefined = {name for letter, name in symbols(BUILD / "analysis/libuvs_analysis.a", "--undefined-only")}
        self.assertIn("free", undefined)
        self.assertEqual(undefined & FORBIDDEN_IN_LIBRARY, set())


class Support(unittest.TestCase):
    def test_each_row_names_a_test_that_exists(self):
        page = text_of("docs/SUPPORT.md")
        headings = [("program", "libuv"), ("a program that", "is traced")]
        tables = [table(part, *names) for part in page.split("\n## ") for names in headings]
        rows = [row for rows in tables for row in rows]
        self.assertGreater(len(rows), 28)
        for row in rows:
            path, name = row[-1].strip("`").split("`: ")
            quoted = [f'@test "{name}"', f"def test_{name.replace(' ', '_')}(", f"class {name}("]
            self.assertTrue(any(mark in text_of(path) for mark in quoted), f"{row[0]}: {path} has no test {name}")


class Faults(unittest.TestCase):
    def test_the_table_has_a_row_for_each_test(self):
        rows = [row[0] for row in table(text_of("docs/reliability.md"), "what happens", "what becomes of the recording")]
        tests = re.findall(r'^@test "(.*)" \{$', text_of("tests/e2e/faults.bats"), re.M)
        self.assertGreater(len(tests), 30)
        self.assertEqual(rows, tests)


class Links(unittest.TestCase):
    def test_each_relative_link_leads_somewhere(self):
        seen = 0
        for page in [*SOURCE.glob("*.md"), *(SOURCE / "docs").glob("*.md")]:
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
                seen += 1
                self.assertTrue((page.parent / link).exists(), f"{page.name}: {link}")
        self.assertGreater(seen, 5)

    def test_each_source_file_that_is_named_exists(self):
        seen = 0
        for page in [*SOURCE.glob("*.md"), *(SOURCE / "docs").glob("*.md")]:
            for name in re.findall(r"`((?:probes|analysis|src|tests|docs)/[\w./-]*)`", page.read_text()):
                seen += 1
                self.assertTrue((SOURCE / name).exists(), f"{page.name}: {name}")
        self.assertGreater(seen, 10)


if __name__ == "__main__":
    unittest.main()
