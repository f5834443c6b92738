"""Placeholder import of the simulation settings."""

from glmflow.simulate.settings import SimulationSettings as Simulation

__all__ = ["Simulation"]
