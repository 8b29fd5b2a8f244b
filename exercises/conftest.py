"""Lets `pytest --nbval exercises/weekNN_topic.ipynb` judge as `vla-course check` does.

A check cell shall print what the solution printed, which its metadata holds; every other cell is run, not compared.
"""

import os

from vla_course.grading.nbval_judge import Judge


def pytest_configure(config):
    """Judge what nbval runs."""
    os.environ.setdefault("VLA_COURSE_SCALE", "ci")  # the scale at which the solution ran
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    config.pluginmanager.register(Judge(), "vla_course_judge")
