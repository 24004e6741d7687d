# The whole chain, one rule for each step: read it from top to bottom, or copy a line and use your own files.
# A finished output is kept; `make clean-demo` starts over.
BIN ?= .venv/bin
CALO := $(BIN)/calotools
R := examples/recipes
export OMP_NUM_THREADS := 1

TRAINED := identification electron_energy photon_energy
MEASURED := $(TRAINED:%=evaluate_%) electron_peak photon_peak tagprobe
demo/report.html: $(TRAINED:%=demo/%/model.calo) $(MEASURED:%=demo/%/numbers.json)
	$(CALO) report demo -o $@ --title "calotools demo" --overwrite
	@echo "The report is $(abspath $@)"

# --- ntuples: training samples, pairs, and pseudo-data that play the experiment
demo/electrons.root: ; $(CALO) simulate electrons -n 40000 --radiation --seed 11 -o $@ --overwrite
demo/photons.root:   ; $(CALO) simulate photons -n 40000 --seed 12 -o $@ --overwrite
demo/fakes.root:     ; $(CALO) simulate fakes -n 20000 --seed 13 -o $@ --overwrite
demo/zee.root:       ; $(CALO) simulate zee -n 8000 --seed 14 -o $@ --overwrite
demo/hyy.root:       ; $(CALO) simulate hyy -n 4000 --seed 15 -o $@ --overwrite
demo/data.root:      ; $(CALO) simulate zee -n 8000 --seed 16 --pseudo-data -o $@ --overwrite

# --- networks
demo/identification/model.calo: demo/electrons.root demo/fakes.root $(R)/identification_compact.toml
	$(CALO) train $(R)/identification_compact.toml -o $(@D) --overwrite
demo/electron_energy/model.calo: demo/electrons.root $(R)/electron_energy.toml
	$(CALO) train $(R)/electron_energy.toml -o $(@D) --overwrite
demo/photon_energy/model.calo: demo/photons.root $(R)/photon_energy.toml
	$(CALO) train $(R)/photon_energy.toml -o $(@D) --overwrite

# --- scores and energies, as friend trees of the ntuples
demo/identification.scores.root: demo/identification/model.calo
	$(CALO) predict $< demo/electrons.root demo/fakes.root -o $@ --overwrite
demo/electron_energy.scores.root: demo/electron_energy/model.calo
	$(CALO) predict $< demo/electrons.root -o $@ --overwrite
demo/photon_energy.scores.root: demo/photon_energy/model.calo
	$(CALO) predict $< demo/photons.root -o $@ --overwrite
demo/zee.scores.root: demo/electron_energy/model.calo demo/zee.root
	$(CALO) predict $^ -o $@ --overwrite
demo/hyy.scores.root: demo/photon_energy/model.calo demo/hyy.root
	$(CALO) predict $^ -o $@ --overwrite

# --- numbers with uncertainties, and figures
demo/evaluate_identification/numbers.json: demo/identification.scores.root
	$(CALO) evaluate demo/electrons.root demo/fakes.root --scores $< -o $(@D) --selection "et > 15" "et < 100" "abs(eta) < 2.47" --overwrite
demo/evaluate_electron_energy/numbers.json: demo/electron_energy.scores.root
	$(CALO) evaluate demo/electrons.root --scores $< -o $(@D) --overwrite
demo/evaluate_photon_energy/numbers.json: demo/photon_energy.scores.root
	$(CALO) evaluate demo/photons.root --scores $< -o $(@D) --overwrite
demo/electron_peak/numbers.json: demo/zee.scores.root
	$(CALO) peaks demo/zee.root --scores $< -o $(@D) --overwrite
demo/photon_peak/numbers.json: demo/hyy.scores.root
	$(CALO) peaks demo/hyy.root --scores $< -o $(@D) --overwrite
demo/tagprobe/numbers.json: demo/data.root demo/zee.root
	$(CALO) tagprobe demo/data.root --simulation demo/zee.root -o $(@D) --overwrite
