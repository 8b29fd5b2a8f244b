"""Keeping the lessons in order: launch badges, the set-up cell, and stored outputs.

The address of the repository stands in pyproject.toml and nowhere else: a fork changes it there and runs
`vla-course notebooks`.
"""

import tomllib
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

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


def repository(checkout: Path) -> str:
    """The repository's address, from pyproject.toml."""
    return tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["urls"]["Repository"]


def badges_cell(address: str, name: str) -> str:
    """The markdown of the launch badges of notebook `name`."""
    project = address.removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{project}/blob/main/notebooks/{name}"
    binder = f"https://mybinder.org/v2/gh/{project}/HEAD?labpath=notebooks/{name}"
    return (
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab}) "
        f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})"
    )


def setup_cell(address: str) -> str:
    """The one line that installs the course where it is not installed yet, as on Colab."""
    return (
        'import importlib.util, sys; importlib.util.find_spec("vla_course") or (get_ipython().system('
        f'"git clone -q {address} /content/course && pip install -q -e /content/course"), '
        'sys.path.insert(0, "/content/course"));'
    )


def with_generated_cells(checkout: Path, path: Path) -> nbformat.NotebookNode:
    """A lesson whose generated cells are as this module writes them."""
    notebook = nbformat.read(path, as_version=4)
    address = repository(checkout)
    cells = {cell.id: cell for cell in notebook.cells}
    for name, source in ((BADGES, badges_cell(address, path.name)), (SETUP, setup_cell(address))):
        if name not in cells:
            raise CourseError(f"{path.name}: has no cell with id {name!r}; add an empty one where it belongs")
        cells[name].source = source
    return notebook


def worth_storing(output: nbformat.NotebookNode) -> bool:
    """Not a progress bar, which is dead once the kernel is gone, nor a warning, which names this machine's paths."""
    bar = "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    return not bar and output.get("name") != "stderr"


def check_notebooks(checkout: Path) -> None:
    """That every lesson's generated cells are current, and that its outputs are stored and without an error.

    Raises:
        CourseError: naming the first lesson where they are not.
    """
    for path in lessons(checkout):
        notebook = nbformat.read(path, as_version=4)
        if with_generated_cells(checkout, path) != notebook:
            raise CourseError(f'{path.name}: badges or set-up cell are out of date; run "vla-course notebooks"')
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        if not any(cell.outputs for cell in code):
            raise CourseError(f'{path.name}: stores no outputs; run "vla-course notebooks"')
        if any(output.output_type == "error" for cell in code for output in cell.outputs):
            raise CourseError(f'{path.name}: stores an error; mend the cell and run "vla-course notebooks"')


def run_notebooks(checkout: Path) -> None:
    """Run every lesson from its own folder, and store it with its outputs.

    Raises:
        CourseError: a cell failed; the message names the lesson and ends with the error.
    """
    for path in lessons(checkout):
        notebook = with_generated_cells(checkout, path)
        client = NotebookClient(
            notebook, timeout=None, resources={"metadata": {"path": str(path.parent)}}, record_timing=False
        )
        print(f"{path.name} ...", flush=True)
        try:
            client.execute()
        except CellExecutionError as error:
            raise CourseError(f"{path.name}: {error.ename}: {error.evalue}; mend the cell and run again") from error
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [output for output in cell.outputs if worth_storing(output)]
        notebook.metadata = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        nbformat.write(notebook, path)
