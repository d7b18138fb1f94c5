"""Distances of `scipy.spatial`, with derivatives."""

from . import distance

__all__ = ["distance"]
