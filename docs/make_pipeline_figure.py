"""Make docs/figures/pipeline.png, the figure of the chain: `python docs/make_pipeline_figure.py`."""

from pathlib import Path

from calotools.plots import draw_pipeline, save_file

save_file(draw_pipeline(), Path(__file__).parent / "figures" / "pipeline.png", overwrite=True)
