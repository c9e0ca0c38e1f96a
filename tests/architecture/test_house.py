"""What the house promises about its own files: sizes, names, docstring-only packages, nothing dangerous, clean locks."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "swaddle"
MODULES = sorted(SOURCE.rglob("*.py"))
LOCKS = ["run", "test", "docs", "audit"]


def named(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=named)
def test_a_package_is_a_docstring_and_nothing_else(path):
    """An import there would load code into the gateway that no linter sees."""
    body = ast.parse(path.read_text("utf-8")).body
    assert len(body) == 1, "more than a docstring"
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)
    assert isinstance(body[0].value.value, str)


def test_every_folder_of_code_is_a_package():
    folders = {path.parent for path in MODULES if path.parent != SOURCE}
    assert [named(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_no_file_is_longer_than_a_room():
    long = {named(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}


def test_names_say_what_is_inside():
    empty_words = re.compile(r"^(utils?|helpers?|common|misc|manager|managers|stuff|tools?|v\d+\b.*\.py|.*_v\d+)$")
    paths = [path for path in SOURCE.rglob("*") if path.suffix == ".py" or path.is_dir()]
    assert [named(path) for path in paths if path.name != "__pycache__" and empty_words.match(path.stem)] == []


def test_the_glossary_words_are_used_for_what_they_mean():
    """The wire, the manifest and the files say submitter; nothing is a sender's client id, a tenant or a customer."""
    banned = re.compile(r"\b(tenant_id|customer|client_id|hospital_id|upload_id|patient_id)\b")
    # Other people's column headers are other people's words.
    ours = [path for path in MODULES if path.name != "columns_words.py"]
    found = {named(path): sorted(set(banned.findall(path.read_text("utf-8")))) for path in ours}
    assert {name: words for name, words in found.items() if words} == {}


DANGEROUS = {
    "pickle", "marshal", "shelve", "yaml", "dill",
}  # fmt: skip


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_nothing_deserializes_code_runs_text_or_a_shell_or_skips_verification(path):
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert not DANGEROUS & {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.module.split(".")[0] not in DANGEROUS
        if isinstance(node, ast.Call):
            function = node.func
            assert not (isinstance(function, ast.Name) and function.id in {"eval", "exec", "compile", "__import__"})
            assert not (
                isinstance(function, ast.Attribute)
                and isinstance(function.value, ast.Name)
                and (function.value.id, function.attr)
                in {("os", "system"), ("os", "popen"), ("subprocess", "getoutput")}
            )
            for keyword in node.keywords:
                assert not (keyword.arg == "shell" and getattr(keyword.value, "value", None) is not False)
                assert not (keyword.arg == "verify" and getattr(keyword.value, "value", None) is False)


def test_lines_on_windows_and_linux_are_the_same():
    assert [named(path) for path in MODULES if b"\r\n" in path.read_bytes()] == []


class TestLocks:
    """A lock names packages, versions and digests, and nothing of the machine that made it."""

    @pytest.mark.parametrize("lock", LOCKS)
    def test_no_address_and_no_path(self, lock):
        text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
        assert not re.search(r"https?:|file:|^\s*--?(i|f|index|extra|find|trusted)|@ ", text, re.MULTILINE)
        assert not re.search(r"(^|\s)/(home|root|work|tmp|usr|var)\b", text)

    @pytest.mark.parametrize("lock", LOCKS)
    def test_every_package_has_a_version_and_a_digest(self, lock):
        entries = self.entries(lock)
        assert entries
        for name, entry in entries.items():
            assert re.match(r"[a-z0-9-]+==[^ ]+", entry), name
            assert "--hash=sha256:" in entry, name

    @pytest.mark.parametrize(
        ("lock", "groups"),
        [("run", ["backend"]), ("test", ["backend", "test"]), ("docs", ["backend", "docs"])],
    )
    def test_a_lock_covers_what_pyproject_asks_for(self, lock, groups):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
        wanted = list(project["project"]["dependencies"])
        for extra in project["project"]["optional-dependencies"].values():
            wanted += extra
        for group in groups:
            wanted += project["dependency-groups"][group]
        names = {re.match(r"[A-Za-z0-9_.-]+", each).group().lower().replace("_", "-") for each in wanted}
        assert names - {"swaddle"} - set(self.entries(lock)) == set()

    def test_the_locks_agree(self):
        versions = [self.versions(lock) for lock in LOCKS if lock != "audit"]  # programs beside Swaddle, never with it
        for one in versions:
            for other in versions:
                assert {n: v for n, v in one.items() if n in other and other[n] != v} == {}

    @staticmethod
    def entries(lock):
        text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
        found = {}
        for entry in re.split(r"\n(?=[a-z0-9])", text):
            if match := re.match(r"([a-z0-9-]+)==", entry):
                found[match.group(1)] = found.get(match.group(1), "") + entry
        return found

    def versions(self, lock):
        return {name: set(re.findall(rf"{name}==([^ ]+)", entry)) for name, entry in self.entries(lock).items()}


def test_every_dependency_has_its_reason_beside_it():
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    start, end = lines.index("dependencies = ["), lines.index("[dependency-groups]")
    entries = [line for line in lines[start:end] if re.match(r'\s+"[a-z]', line)]
    assert [line for line in entries if "#" not in line and "swaddle[" not in line] == []


def test_nothing_committed_names_this_machine_or_an_index():
    """Paths above the checkout and addresses of package indexes do not belong in the repository."""
    above = str(ROOT.parent) + "/"
    index = re.compile(r"--(extra-)?index-url[ =]|--find-links[ =]")
    found = []
    folders = ["src", "tests", "docs", "requirements", "tools", "bench", ".ci"]
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in [*files, ROOT / "README.md", ROOT / "Makefile", ROOT / "pyproject.toml"]:
        if path == Path(__file__) or path.suffix in {".pyc", ".bin", ".png"} or "_build" in path.parts:
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        is_lock = path.parent.name == "requirements"
        if (len(above) > 2 and above in text) or index.search(text) or (is_lock and "://" in text):
            found.append(named(path))
    assert found == []
