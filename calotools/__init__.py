"""calotools: from calorimeter cells in a ROOT file to electrons and photons."""

from calotools._version import version as __version__

__all__ = ["__version__"]
