"""deploy/venv.sh: which Python it takes, and when the document server gets one of its own. Pythons are stand-ins."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "venv.sh"
# Runs what venv.sh asks of a Python: this one with another version number; what it installs is written down.
STAND_IN = """#!{sh}
case "$1 ${{2:-}}" in
    "-V "*) echo "Python {version}.0" ;;
    "-c "*) exec {python} -S -E -c "import sys; sys.version_info = ({numbers}, 0, 'final', 0)
$2" ;;
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-m pip") [ "$3" = --version ] || echo "$0 {version} $*" >>"$NOTES" ;;
    "-m deploy.extension") ;;
    *) exit 9 ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A folder with the script's locks, and a PATH on which nothing else is."""

    root: Path

    def has(self, *names: str, version: str | None = None) -> None:
        """Install interpreters: `python3.14` is Python 3.14, `python3` is that of `version`."""
        for name in names:
            said = version or name.removeprefix("python")
            program = self.root / "path" / name
            program.write_text(
                STAND_IN.format(
                    sh=shutil.which("sh"), python=sys.executable, version=said, numbers=said.replace(".", ", ")
                )
            )
            program.chmod(0o755)

    def setup(self, lock: str = "requirements.lock", **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        known = {"PATH": str(self.root / "path"), "NOTES": str(self.root / "notes"), **environ}
        return subprocess.run(
            ["sh", str(SCRIPT), lock],
            cwd=self.root,
            env=known,
            executable=shutil.which("sh"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def installed(self) -> list[tuple[str, str, str]]:
        """Return what was installed: the environment, its Python's version, the lock."""
        if not (self.root / "notes").exists():
            return []
        lines = [line.split() for line in (self.root / "notes").read_text().splitlines()]
        return [(line[0].removesuffix("/bin/python"), line[1], line[-1]) for line in lines]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "path").mkdir()
    for tool in ("grep", "cmp", "cp", "rm", "mkdir"):
        (tmp_path / "path" / tool).symlink_to(shutil.which(tool) or os.devnull)
    for lock in ("requirements.lock", "requirements-dev.lock", "requirements-documents.lock"):
        (tmp_path / lock).write_text(f"{lock}==1\n")
    return Machine(tmp_path)


BASE, DOCUMENTS = "requirements.lock", "requirements-documents.lock"


@pytest.mark.parametrize(
    ("plain", "others", "taken"),
    [
        ("3.12", [], "3.12"),
        ("3.14", ["python3.13", "python3.11"], "3.13"),  # it runs everything, without a second environment
        ("3.14", [], "3.14"),
        ("3.15", [], "3.15"),
        ("3.10", ["python3.15"], "3.15"),
        (None, ["python3.14"], "3.14"),
    ],
)
def test_a_python_that_runs_everything_is_taken_else_a_newer_one(
    machine: Machine, plain: str | None, others: list[str], taken: str
) -> None:
    machine.has(*others)
    if plain is not None:
        machine.has("python3", version=plain)
    done = machine.setup()
    assert done.returncode == 0, done.stderr
    assert machine.installed() == [(".venv", taken, BASE)]
    machine.setup()
    assert len(machine.installed()) == 1  # and nothing the second time


def test_the_document_server_gets_a_python_of_its_own_beside_a_newer_one(machine: Machine) -> None:
    machine.has("python3.14")
    assert machine.setup(PYTHON="python3.14").returncode == 0
    assert machine.installed() == [(".venv", "3.14", BASE)]
    machine.has("python3.12")  # installed later: the next call sees it
    done = machine.setup()
    assert machine.installed()[1:] == [(".venv/documents", "3.12", DOCUMENTS)], done.stderr
    machine.setup()
    assert len(machine.installed()) == 2


@pytest.mark.parametrize("by", ["environment", "file"])
def test_where_documents_are_elsewhere_none_is_made(machine: Machine, by: str) -> None:
    machine.has("python3.14", "python3.13")
    environ = {"MONGO_URL": "mongodb://documents"} if by == "environment" else {}
    if by == "file":
        (machine.root / ".env").write_text("MONGO_URL=mongodb://documents\n")
    assert machine.setup(PYTHON="python3.14", **environ).returncode == 0
    assert machine.installed() == [(".venv", "3.14", BASE)]


def test_another_folder_is_made_where_it_is_named(machine: Machine) -> None:
    machine.has("python3.13", "python3.15")
    assert machine.setup(PYTHON="python3.15", VENV="newest").returncode == 0
    assert machine.installed() == [("newest", "3.15", BASE), ("newest/documents", "3.13", DOCUMENTS)]


@pytest.mark.parametrize(("has", "given"), [([], {}), (["python3.13", "python3.10"], {"PYTHON": "python3.10"})])
def test_without_a_python_that_fits_it_says_so(machine: Machine, has: list[str], given: dict[str, str]) -> None:
    machine.has(*has)
    done = machine.setup(**given)
    assert done.returncode != 0
    assert "3.11 or newer" in done.stderr
    assert machine.installed() == []


def test_the_documents_lock_has_the_versions_of_the_other() -> None:
    versions = [
        {line.split(" ")[0] for line in (SCRIPT.parents[1] / lock).read_text().splitlines() if "==" in line[:60]}
        for lock in (DOCUMENTS, BASE)
    ]
    assert any(one.startswith("secantusdb==") for one in versions[0])
    assert versions[0] <= versions[1]
