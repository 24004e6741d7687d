"""Put a finished validation into the documentation: simulation.md, its numbers, and its figures made small.

    calotools validate-simulation -o DIR --geant4 geant4_showers.root \
        --flavour examples/flavours/geant4_showers.toml --stack tests/simulate/flat.toml
    python docs/make_simulation_page.py DIR
"""

import json
import sys
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).parent
FIGURES = DOCS / "figures" / "simulation"
WIDTH = 800  # pixels of a figure of one plot; wider ones keep more


def main(folder: Path) -> None:
    """Copy the page, its numbers, and the figures that it names."""
    text = (folder / "simulation.md").read_text(encoding="utf-8")
    text = text.replace("](figures/", "](figures/simulation/").replace(
        "](numbers.json", "](figures/simulation/numbers.json"
    )
    FIGURES.mkdir(parents=True, exist_ok=True)
    for old in FIGURES.glob("*.png"):
        old.unlink()
    for path in sorted((folder / "figures").glob("*.png")):
        image = Image.open(path).convert("RGB")
        width = max(WIDTH, image.width // 2)
        image = image.resize((width, image.height * width // image.width), Image.Resampling.LANCZOS)
        image.quantize(64).save(FIGURES / path.name, optimize=True)
    numbers = json.loads((folder / "numbers.json").read_text(encoding="utf-8"))
    for key in {"output", "geant4"} & numbers["recipe"].keys():  # names alone: where the files lay is of no use
        numbers["recipe"][key] = Path(numbers["recipe"][key]).name
    saved = json.dumps(numbers, indent=1, ensure_ascii=False)
    (FIGURES / "numbers.json").write_text(saved + "\n", encoding="utf-8")
    (DOCS / "simulation.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
