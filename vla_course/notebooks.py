"""Keeping lessons and solutions in order: launch badges, the set-up cell, and stored outputs.

The address of the repository stands in pyproject.toml and nowhere else: a fork changes it there and runs
`vla-course notebooks`, then `vla-course release`.
"""

import base64
import io
import os
import tempfile
import tomllib
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

from vla_course.errors import CourseError

BADGES, SETUP = "badges", "setup"  # ids of the two generated cells


def lessons(checkout: Path) -> list[Path]:
    """Every lesson, in order.

    Raises:
        CourseError: `checkout` holds none.
    """
    found = sorted((checkout / "notebooks").glob("week*.ipynb"))
    if not found:
        raise CourseError(f"{checkout}: holds no notebooks/week*.ipynb; run this in the checkout of the course")
    return found


def solutions(checkout: Path) -> list[Path]:
    """Every solution of an exercise, in order; none in what a class receives."""
    return sorted((checkout / "solutions").glob("week*.ipynb"))


def repository(checkout: Path) -> str:
    """The repository's address, from pyproject.toml."""
    return tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["urls"]["Repository"]


def badges_cell(address: str, notebook: str) -> str:
    """The markdown of the launch badges of a notebook, such as "notebooks/week00_first_policy.ipynb"."""
    project = address.removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{project}/blob/main/{notebook}"
    binder = f"https://mybinder.org/v2/gh/{project}/HEAD?labpath={notebook}"
    return (
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab}) "
        f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})"
    )


def setup_cell(address: str) -> str:
    """The one line that installs the course where it is not installed yet, as on Colab."""
    return (
        'import importlib.util, sys; _ = importlib.util.find_spec("vla_course") or (get_ipython().system('
        f'"git clone -q {address} /content/course && pip install -q -e /content/course"), '
        'sys.path.insert(0, "/content/course"))'
    )


def with_generated_cells(checkout: Path, path: Path) -> nbformat.NotebookNode:
    """A lesson or solution whose generated cells are as this module writes them.

    The badges of a solution open its exercise.
    """
    notebook = nbformat.read(path, as_version=4)
    address = repository(checkout)
    shown = f"{'exercises' if path.parent.name == 'solutions' else 'notebooks'}/{path.name}"
    cells = {cell.id: cell for cell in notebook.cells}
    for name, source in ((BADGES, badges_cell(address, shown)), (SETUP, setup_cell(address))):
        if name not in cells:
            raise CourseError(f"{path.name}: has no cell with id {name!r}; add an empty one where it belongs")
        cells[name].source = source
    return notebook


def worth_storing(output: nbformat.NotebookNode) -> bool:
    """Not a progress bar, which is dead once the kernel is gone, nor a warning, which names this machine's paths."""
    bar = "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    return not bar and output.get("name") != "stderr"


def smaller(picture: str) -> str:
    """A PNG in base64 with a palette of 256 colors, a fourth of the size: the eye sees no difference."""
    stored = io.BytesIO()
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    image.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2).save(stored, "png", optimize=True)
    return base64.b64encode(stored.getvalue()).decode()


def check_notebooks(checkout: Path) -> None:
    """That the generated cells of lessons and solutions are current, and outputs stored and without an error.

    Raises:
        CourseError: naming the first notebook where they are not.
    """
    for path in lessons(checkout) + solutions(checkout):
        notebook = nbformat.read(path, as_version=4)
        if with_generated_cells(checkout, path) != notebook:
            raise CourseError(f'{path.name}: badges or set-up cell are out of date; run "vla-course notebooks"')
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        if not any(cell.outputs for cell in code):
            raise CourseError(f'{path.name}: stores no outputs; run "vla-course notebooks"')
        if any(output.output_type == "error" for cell in code for output in cell.outputs):
            raise CourseError(f'{path.name}: stores an error; mend the cell and run "vla-course notebooks"')


def run_notebook(checkout: Path, path: Path) -> None:
    """Run a lesson from its own folder, or a solution at scale "ci" from an empty one; store it with its outputs.

    Raises:
        CourseError: a cell failed; the message names the notebook and ends with the error.
    """
    notebook = with_generated_cells(checkout, path)
    with tempfile.TemporaryDirectory(prefix="vla_course_") as empty:
        solution = path.parent.name == "solutions"
        folder = empty if solution else str(path.parent)
        environment = {**os.environ, "VLA_COURSE_SCALE": "ci"} if solution else dict(os.environ)
        options = {"timeout": None, "record_timing": False, "coalesce_streams": True}
        client = NotebookClient(notebook, resources={"metadata": {"path": folder}}, **options)
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            raise CourseError(f"{path.name}: {error.ename}: {error.evalue}; mend the cell and run again") from error
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if worth_storing(output)]
            for data in (output.get("data", {}) for output in cell.outputs):
                if "image/png" in data:
                    data["image/png"] = smaller(data["image/png"])
    own = {key: value for key, value in notebook.metadata.items() if key == "vla_course"}
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        **own,
    }
    nbformat.write(notebook, path)


def run_notebooks(checkout: Path, only: str = "") -> None:
    """Run lessons and solutions, and store what they show.

    Args:
        checkout: of the course.
        only: how the names of those to run start, such as "week03"; "" runs all.

    Raises:
        CourseError: a cell failed, or no name starts so.
    """
    chosen = [path for path in lessons(checkout) + solutions(checkout) if path.name.startswith(only)]
    if not chosen:
        raise CourseError(f"--only {only!r}: no lesson or solution starts so; give a beginning such as week03")
    for path in chosen:
        print(f"{path.name} ...", flush=True)
        run_notebook(checkout, path)
