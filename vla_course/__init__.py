"""Build a Vision-Language-Action policy from its parts and measure it in real physics.

Importing the package loads neither torch nor pybullet; each subpackage loads what it needs.
"""

__version__ = "0.1.0"
