"""The tabletop world: robots, objects, cameras, tasks with their experts, and the Gymnasium environment.

Importing this package registers `vla_course/Tabletop-v0`.
"""

import gymnasium

gymnasium.register("vla_course/Tabletop-v0", entry_point="vla_course.sim.env:TabletopEnv")
