# The whole chain, one rule for each step: read it from top to bottom, or copy a line and use your own files.
# A finished output is kept; `make clean-demo` starts over.
BIN ?= .venv/bin
CALO := $(BIN)/calotools
R := examples/recipes
export OMP_NUM_THREADS := 1

demo/report.html: demo/evaluate_identification demo/evaluate_electron_energy demo/evaluate_photon_energy \
                  demo/peak_zee demo/peak_hyy demo/tagprobe
	$(CALO) report demo -o $@ --title "calotools demo" --overwrite
	@echo "open demo/report.html"

# --- ntuples: training samples, pairs, and pseudo-data that play the experiment
demo/electrons.root: ; $(CALO) simulate electrons -n 24000 --seed 11 -o $@
demo/photons.root:   ; $(CALO) simulate photons -n 20000 --seed 12 -o $@
demo/fakes.root:     ; $(CALO) simulate fakes -n 16000 --seed 13 -o $@
demo/zee.root:       ; $(CALO) simulate zee -n 8000 --seed 14 -o $@
demo/hyy.root:       ; $(CALO) simulate hyy -n 4000 --seed 15 -o $@
demo/data.root:      ; $(CALO) simulate zee -n 8000 --seed 16 --pseudo-data -o $@

# --- networks
demo/identification: demo/electrons.root demo/fakes.root
	$(CALO) train $(R)/identification.toml -o $@
demo/electron_energy: demo/electrons.root
	$(CALO) train $(R)/electron_energy.toml -o $@
demo/photon_energy: demo/photons.root
	$(CALO) train $(R)/photon_energy.toml -o $@

# --- scores and energies, as friend trees of the ntuples
demo/identification.scores.root: demo/identification
	$(CALO) predict $< demo/electrons.root demo/fakes.root -o $@
demo/electron_energy.scores.root: demo/electron_energy
	$(CALO) predict $< demo/electrons.root -o $@
demo/photon_energy.scores.root: demo/photon_energy
	$(CALO) predict $< demo/photons.root -o $@
demo/zee.scores.root: demo/electron_energy demo/zee.root
	$(CALO) predict $^ -o $@
demo/hyy.scores.root: demo/photon_energy demo/hyy.root
	$(CALO) predict $^ -o $@

# --- numbers with uncertainties, and figures
demo/evaluate_identification: demo/identification.scores.root
	$(CALO) evaluate demo/electrons.root demo/fakes.root --scores $< -o $@
demo/evaluate_electron_energy: demo/electron_energy.scores.root
	$(CALO) evaluate demo/electrons.root --scores $< -o $@
demo/evaluate_photon_energy: demo/photon_energy.scores.root
	$(CALO) evaluate demo/photons.root --scores $< -o $@
demo/peak_zee: demo/zee.scores.root
	$(CALO) peaks demo/zee.root --scores $< -o $@
demo/peak_hyy: demo/hyy.scores.root
	$(CALO) peaks demo/hyy.root --scores $< -o $@
demo/tagprobe: demo/data.root demo/zee.root
	$(CALO) tagprobe demo/data.root --simulation demo/zee.root -o $@
