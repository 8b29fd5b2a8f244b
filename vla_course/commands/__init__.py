"""The commands of the command line. Heavy libraries are imported inside them, so that `--help` answers at once."""

from vla_course.commands.course import check, doctor, grade, notebooks, release, samples
from vla_course.commands.data import bags, collect, convert, inspect, replay, teleop, verify
from vla_course.commands.policies import ablate, demo, evaluate, train, watch

COMMANDS = {
    command.__name__: command
    for command in (
        *(demo, doctor, collect, teleop, bags, verify, inspect, replay, convert, train, evaluate, ablate, watch),
        *(check, grade, release, samples, notebooks),
    )
}
