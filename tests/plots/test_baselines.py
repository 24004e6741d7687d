"""One small reference image per draw function: `pytest --mpl` compares, tolerance 2 grey levels (the default).

To renew after an intended change: `pytest tests/plots/test_baselines.py --mpl-generate-path=tests/plots/baseline`, and
look at every image before committing it.
"""

import numpy as np
import pytest

from calotools import plots
from calotools.containers import Confusion, ImageGrid, Images, ImageSpec, Layer, RejectionRatio, Reliability
from calotools.plots.style import settings

ETA = {"eta": np.array([0.0, 0.6, 0.8, 1.15, 1.37, 1.52, 1.81, 2.01, 2.47])}
baseline = pytest.mark.mpl_image_compare(style=settings(), savefig_kwargs={"dpi": 60, "metadata": {"Software": None}})


@baseline
def test_roc(make_roc):
    rocs = [make_roc(4.2, "ElectronCNN 2018"), make_roc(5.1, "cuts & cells")]
    x = np.linspace(0.5, 1, 51)
    ratio = np.exp(0.9 * (1 - x))
    ratios = [RejectionRatio(x, ratio, ratio**0.9, ratio**1.1)]
    return plots.draw_roc(rocs, ratios=ratios, working_points=[0.8, 0.93], note=r"15 < $E_\mathrm{T}$ < 150 GeV")


@baseline
def test_roc_cuts(make_roc, make_efficiency):
    cuts = {}
    for name, signal in {"pass_loose": 0.93, "pass_medium": 0.88, "pass_tight": 0.8}.items():
        kept = make_efficiency([signal * np.exp(-4 * (1 - signal))], edges={"all": np.array([0.0, 1.0])})
        ratio = np.array([np.exp(1.1 * (1 - signal))])
        cuts[name] = kept, RejectionRatio(np.array([signal]), ratio, ratio - 0.02, ratio + 0.03)
    return plots.draw_roc([make_roc(5.1, "electron_compact")], working_points=[0.8, 0.88, 0.93], cuts=cuts)


@baseline
def test_scores():
    rng = np.random.default_rng(5)
    scores = {"signal": rng.beta(6, 1, 4000), "background": rng.beta(1, 5, 3000)}
    return plots.draw_scores(scores, name="Network score")


@baseline
def test_residuals():
    rng = np.random.default_rng(5)
    ratios = {"layer sum": rng.normal(0.995, 0.035, 5000), "network": rng.standard_t(4, 5000) * 0.02 + 1}
    return plots.draw_residuals(ratios, window=(0.85, 1.15), note="Electrons, test part")


@baseline
def test_reweighting():
    rng = np.random.default_rng(6)
    target, source = rng.gamma(3, 10, 4000), rng.gamma(2, 12, 6000)
    weight = np.sqrt(source / 20) * np.exp(-source / 60)
    replicas = np.array([weight * rng.poisson(1, 6000) for _ in range(10)])
    samples = {
        "target": (target, np.ones(4000)),
        "source": (source, np.ones(6000)),
        "source, reweighted": (source, weight),
    }
    replicas = {"source, reweighted": replicas}
    return plots.draw_reweighting(samples, edges=np.linspace(0, 100, 26), axis="et", replicas=replicas)


@baseline
def test_reliability():
    edges, mean = np.linspace(0, 1, 11), np.linspace(0.03, 0.97, 10)
    value = np.array([0.01, 0.1, 0.2, 0.3, 0.44, 0.55, 0.68, 0.78, np.nan, 0.99])
    n = np.array([4000.0, 300, 100, 60, 50, 50, 60, 90, 0, 5000])
    curves = []
    for name, shift in (("network", 0.06), ("temperature 1.4", 0.0)):
        moved = value + shift * np.sin(3 * mean)
        curves.append(
            Reliability(edges, mean, moved, moved - 0.6 / np.sqrt(n + 1), moved + 0.04, n, 0.03 + shift, name)
        )
    return plots.draw_reliability(curves)


@baseline
def test_confusion():
    value = np.array([[0.912, 0.05, 0.038], [0.12, 0.8, 0.08], [np.nan, np.nan, np.nan]])
    return plots.draw_confusion(
        Confusion(
            ("signal", "conversion", "light_hadron"), value, value - 0.0123, value + 0.02, np.array([5120, 830, 0])
        )
    )


@baseline
def test_efficiency(make_efficiency):
    one = make_efficiency([0.93, 0.92, 0.9, 0.84, np.nan, 0.85, 0.88, 0.86], edges=ETA)
    valid = np.array([True, True, False, True, False, True, True, False])
    other = make_efficiency([0.9, 0.9, 0.87, 0.8, np.nan, 0.8, np.nan, 0.8], edges=ETA, name="cuts", valid=valid)
    truth = np.array([0.925, 0.925, 0.9, 0.85, 0.7, 0.85, 0.87, 0.86])
    return plots.draw_efficiency([one, other], truth=truth)


@baseline
def test_rejection(make_efficiency):
    one = make_efficiency([0.01, 0.012, 0.016, 0.03, np.nan, 0.03, 0.02, 0.0], edges=ETA, size=0.004)
    other = make_efficiency([0.03, 0.03, 0.04, 0.05, np.nan, 0.05, 0.05, 0.05], edges=ETA, name="cuts", size=0.006)
    return plots.draw_rejection([one, other], note=r"at $\varepsilon_\mathrm{s}$ = 88 %")


@baseline
def test_resolution(make_resolution):
    return plots.draw_resolution([make_resolution(), make_resolution(0.8, "network", compared=True)])


@baseline
def test_peak(make_peak):
    return plots.draw_peak(make_peak(name="simulation"), xlabel="$m_{ee}$ [GeV]", note=r"$Z \rightarrow ee$")


@baseline
def test_peak_not_valid(make_peak):
    return plots.draw_peak(make_peak(valid=False, message="parameter alpha_low at its limit 0.1; call limit reached"))


@baseline
def test_peak_comparison(make_peak):
    before, after = make_peak(3.0, "layer sum"), make_peak(2.4, "network", seed=4)
    return plots.draw_peak_comparison(before, after, ratio=(0.81, 0.013), xlabel="$m_{ee}$ [GeV]")


@baseline
def test_tagprobe(make_tagprobe):
    return plots.draw_tagprobe(make_tagprobe(), label="calotools pseudo-data")


@baseline
def test_tagprobe_not_valid(make_tagprobe):
    return plots.draw_tagprobe(make_tagprobe(valid=False, message="the covariance is not positive definite"))


@baseline
def test_efficiency_map(make_factors):
    factors = make_factors()
    return plots.draw_efficiency_map([factors.data, factors.simulation])


@baseline
def test_scale_factors(make_factors):
    return plots.draw_scale_factors(make_factors(), label="calotools pseudo-data", note="stat. and syst.")


@baseline
def test_history():
    epoch = np.arange(12.0)
    columns = {
        "epoch": epoch,
        "seconds": epoch + 3,
        "train_loss": 0.6 * np.exp(-epoch / 3) + 0.12,
        "val_loss": 0.55 * np.exp(-epoch / 3) + 0.15 + 0.003 * np.maximum(epoch - 7, 0),
        "val_auc": 0.975 - 0.1 * np.exp(-epoch / 2),
        "lr": 1e-3 * np.sin(np.pi * (epoch + 0.5) / 13),
    }
    return plots.draw_history(columns)


@baseline
def test_images():
    grids = {"em": ImageGrid(56, 11, 0.003125, 0.02454), "had": ImageGrid(7, 11, 0.025, 0.02454)}
    names = ("presampler", "strips", "middle", "back")
    spec = ImageSpec(grids, (*(Layer(name, (0,)) for name in names), Layer("had1", (8,), "had")))
    eta, phi = np.arange(56) - 27.5, np.arange(11) - 5.0
    shower = np.exp(-np.abs(eta)[:, None] / 6 - np.abs(phi) / 1.2)
    em = (np.array([0.5, 1.0, 8.0, 0.2])[:, None, None] * shower)[None].repeat(3, 0).astype(np.float32)
    mask = np.ones(em.shape, bool)
    mask[:, 3, :10] = False
    had = np.linspace(0.002, 0.01, 77, dtype=np.float32).reshape(1, 1, 7, 11).repeat(3, 0)
    images = Images(
        {"energy_em": em, "energy_had": had}, {"em": mask, "had": had > 0}, {}, np.zeros((3, 2)), np.zeros(3)
    )
    return plots.draw_images(images, spec, note="three electrons")


@baseline
def test_candidate(toy_candidate):
    return plots.draw_candidate(toy_candidate)


@baseline
def test_pipeline():
    return plots.draw_pipeline()


@baseline
def test_pulls():
    rng = np.random.default_rng(5)
    return plots.draw_pulls({"network": rng.standard_t(5, 5000), "too sure": rng.normal(0.2, 1.6, 5000)})


@baseline
def test_coverage(make_resolution):
    one = make_resolution()
    for metric in ("iqr", "bias"):
        del one.metrics[metric]
    value = np.array([0.68, 0.7, 0.66, 0.6, np.nan, 0.62, 0.69, 0.71])
    one.metrics["coverage68"], one.errors["coverage68"] = value, value * 0.02
    return plots.draw_resolution([one], metric="coverage68", panel=None)


@baseline
def test_importance():
    values = {"learning rate": 0.62, "maps": 0.21, "dropout": 0.1, "weight decay": -0.01, "never": np.nan}
    return plots.draw_importance(values, errors=dict.fromkeys(values, 0.03), axis="Loss of resolution [%]")


@baseline
def test_categories():
    rng = np.random.default_rng(9)
    widths = {"σ < 1.2 GeV": 1.0, "1.2–1.6 GeV": 1.4, "σ > 1.6 GeV": 2.2}
    spectra = {name: (rng.normal(125, width, 4000), rng.uniform(0.5, 1.5, 4000)) for name, width in widths.items()}
    return plots.draw_categories(spectra, window=(115.0, 135.0), xlabel=r"$m_{\gamma\gamma}$ [GeV]")
