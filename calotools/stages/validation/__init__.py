"""The validation of the detector simulation: what it gives, beside what it should.

One file per part of the page, each from a configuration to a `Section` of checks and figures; `run` collects them.
"""

from calotools.stages.validation.run import validate_simulation
from calotools.stages.validation.section import Section

__all__ = ["Section", "validate_simulation"]
