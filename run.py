#!/usr/bin/env python3
"""Make the environment in .venv and run the example or the tests in it.

    python3 run.py demo [options of "napari-superres demo"]
    python3 run.py test [options of pytest]
    python3 run.py lint

Needs nothing but Python 3.11 or newer with pip; on Windows, write "py run.py ...".
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
SCRIPTS = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
EXTRAS = {"demo": "all", "test": "dev", "lint": "dev"}
# A process for each core; each holds torch and Qt, a gigabyte.
IN_PARALLEL = ("-n", "logical", "--maxprocesses", "8", "--dist", "worksteal")
CPU_TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
DISPLAY_PACKAGES = (
    "xvfb",
    "xauth",
    "libgl1",
    "libgl1-mesa-dri",
    "libegl1",
    "libopengl0",
    "libglib2.0-0",
    "libdbus-1-3",
    "libfontconfig1",
    "libxkbcommon-x11-0",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-image0",
    "libxcb-keysyms1",
    "libxcb-randr0",
    "libxcb-render-util0",
    "libxcb-shape0",
    "libxcb-xinerama0",
    "libxcb-xkb1",
    "fonts-dejavu-core",
)
LINTS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy", "--strict"),
    ("lint-imports",),
)


def main(arguments: list[str]) -> int:
    """Run one of the three commands and return its exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036  this file runs before pip can check
        return fail(f"This is Python {sys.version.split()[0]}; Python 3.11 or newer is needed.")
    if not arguments or arguments[0] not in EXTRAS:
        print(__doc__)
        return 0 if arguments in ([], ["--help"], ["-h"]) else 2
    command, *rest = arguments
    os.chdir(ROOT)
    status = make_environment(EXTRAS[command])
    if status:
        return status
    if command == "demo":
        return run([str(PYTHON), "-m", "napari_superres", "demo", *rest])
    if command == "lint":
        return max(run([str(SCRIPTS / name), *options]) for name, *options in LINTS)
    return run([*virtual_display(), str(PYTHON), "-m", "pytest", "-rs", *IN_PARALLEL, *rest])


def make_environment(extra: str) -> int:
    """Create .venv and install this project with one of its extras, unless that is done."""
    stamp = ENVIRONMENT / f"installed-{extra}"
    wanted = fingerprint()
    if stamp.exists() and stamp.read_text() == wanted and PYTHON.exists():
        return 0
    if not pip_works() and not create_environment():
        return fail(
            "No virtual environment could be made. Install Python's venv and pip "
            "(Debian, Ubuntu: apt install python3-venv) and run this again."
        )
    print(f"Installing into {ENVIRONMENT}: this takes some minutes the first time.", flush=True)
    install = [str(PYTHON), "-m", "pip", "install", "--constraint", "constraints.txt"]
    status = run([*install, *torch_options(), "--editable", f".[{extra}]"])
    if status:
        return fail("The installation failed; pip's message is above.")
    stamp.write_text(wanted)
    return 0


def fingerprint() -> str:
    """Return a hash of what decides the environment's contents."""
    files = (ROOT / "pyproject.toml", ROOT / "constraints.txt")
    content = b"".join(file.read_bytes() for file in files)
    return hashlib.sha256(content + sys.version.encode()).hexdigest()


def create_environment() -> bool:
    """Create .venv, also where Debian's python3-venv is missing."""
    make = [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)]
    if subprocess.run(make, stdout=subprocess.DEVNULL, check=False).returncode == 0:
        return True
    # Without ensurepip a bare environment can still be made, and filled from outside.
    fill = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "pip"]
    steps = ([*make, "--without-pip"], fill)
    return all(subprocess.run(step, check=False).returncode == 0 for step in steps)


def pip_works() -> bool:
    """Say whether .venv is there and whole."""
    version = [str(PYTHON), "-m", "pip", "--version"]
    return PYTHON.exists() and (
        subprocess.run(version, capture_output=True, check=False).returncode == 0
    )


def torch_options() -> list[str]:
    """Return pip options that spare a Linux machine without a GPU gigabytes of CUDA."""
    has_gpu = shutil.which("nvidia-smi") or Path("/proc/driver/nvidia/version").exists()
    if not sys.platform.startswith("linux") or has_gpu:
        return []
    try:
        with urllib.request.urlopen(CPU_TORCH_INDEX + "/torch/", timeout=5):
            return ["--extra-index-url", CPU_TORCH_INDEX]
    except (urllib.error.URLError, OSError):
        print(
            f"{CPU_TORCH_INDEX} cannot be reached: torch comes from pip's own index, "
            "with gigabytes for graphics cards."
        )
        return []


def virtual_display() -> list[str]:
    """Return the command that gives the tests a display, where there is none."""
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not sys.platform.startswith("linux") or has_display:
        return []
    missing = [name for name in DISPLAY_PACKAGES if not is_installed(name)]
    if missing and not install_packages(missing):
        print("The tests of the napari panel need a display. As root, run")
        print("    apt-get install " + " ".join(missing), flush=True)
    if shutil.which("xvfb-run") is None:
        return []
    os.environ.setdefault("LIBGL_ALWAYS_SOFTWARE", "1")
    return ["xvfb-run", "-a", "-s", "-screen 0 1440x900x24"]


def is_installed(package: str) -> bool:
    """Say whether a Debian package is installed; True where there is no dpkg."""
    if shutil.which("dpkg-query") is None:
        return shutil.which("xvfb-run") is not None
    names = [package, package + "t64"]  # newer releases rename what holds 64-bit times
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev}\\n", *names]
    answer = subprocess.run(query, capture_output=True, text=True, check=False)
    return any(line.startswith("ii") for line in answer.stdout.splitlines())


def install_packages(packages: list[str]) -> bool:
    """Install Debian packages where that needs no password."""
    if shutil.which("apt-get") is None:
        return False
    prefix: list[str] = []
    if os.geteuid() != 0:
        sudo = shutil.which("sudo")
        if sudo is None or subprocess.run([sudo, "-n", "true"], check=False).returncode != 0:
            return False
        prefix = [sudo, "-n"]
    prefix += ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    subprocess.run([*prefix, "update"], check=False)
    install = [*prefix, "install", "-y", "--no-install-recommends", *packages]
    return subprocess.run(install, check=False).returncode == 0


def run(command: list[str]) -> int:
    """Run a command to its end; Ctrl-C is left to it."""
    sys.stdout.flush()
    process = subprocess.Popen(command)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        status = process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    return status if status >= 0 else 128 - status


def fail(message: str) -> int:
    """Say what is wrong and return the exit status 1."""
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
