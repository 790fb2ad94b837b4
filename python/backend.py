"""backend.py: how pip builds the package from its sources (PEP 517): by tools/wheel.sh."""
import pathlib
import shutil
import subprocess
import tempfile

import wheel as maker

TREE = pathlib.Path(__file__).resolve().parent.parent


def build_wheel(folder, config_settings=None, metadata_directory=None):
    """Builds the library, and writes the wheel into the folder."""
    with tempfile.TemporaryDirectory() as made:
        subprocess.run(["sh", str(TREE / "tools" / "wheel.sh"), made], check=True)
        found = next(pathlib.Path(made).glob("*.whl"))
        shutil.copy(found, folder)
        return found.name


def prepare_metadata_for_build_wheel(folder, config_settings=None):
    """What pip wants to know before it builds."""
    info = pathlib.Path(folder) / f"tenon-{maker.version()}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(maker.metadata())
    (info / "WHEEL").write_text(maker.WHEEL)
    return info.name


def build_sdist(folder, config_settings=None):
    """Writes the source distribution into the folder."""
    return maker.write_sdist(pathlib.Path(folder)).name
