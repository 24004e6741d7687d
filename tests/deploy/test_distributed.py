"""Work on many files: the same with one worker or several, after a worker was lost, and with bad files among them."""

import os
import shutil
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from calotools.deploy.batch_system import job_script
from calotools.deploy.distributed import workers
from calotools.errors import BadFileWarning, ConfigError, InputFileError, WorkerError
from calotools.ntuple import bad_files, each_file, read_candidates
from calotools.recipe import BatchConfig, ManyFilesConfig

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    """Two processes on this machine, behind an address."""
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as one:
        yield one


@pytest.fixture
def execute(cluster):
    with workers(ManyFilesConfig(scheduler=cluster.scheduler_address)) as one:
        yield one


@pytest.fixture
def files(tmp_path, draw_candidates, write_ntuple):
    paths = [write_ntuple(tmp_path / f"{k}.root", draw_candidates(20 + k, seed=k, first=100 * k)) for k in range(6)]
    (tmp_path / "4.root").write_bytes((tmp_path / "4.root").read_bytes()[:3000])
    return paths


def energies(path):
    return np.asarray(read_candidates(path, fields=["e"])["e"]).tobytes()


class NowhereToBeFound:
    """Work that a worker cannot even load, as when calotools is not installed there: it closes."""

    def __reduce__(self):
        return load_only_in, (os.getpid(),)


def load_only_in(process):
    if os.getpid() != process:
        raise ImportError("no calotools here")
    return NowhereToBeFound()


def test_workers_that_all_go_away_are_not_waited_for(monkeypatch, files):
    monkeypatch.setattr("calotools.deploy.distributed._PATIENCE", 0.5)
    monkeypatch.setattr("calotools.deploy.distributed._LOOK", 0.2)
    with (
        distributed.LocalCluster(1, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as one,
        workers(ManyFilesConfig(scheduler=one.scheduler_address)) as execute,
        pytest.raises(WorkerError, match=r"every worker went away, and none came back in 0\.5 s.*calotools 0"),
    ):
        list(execute(NowhereToBeFound(), files[:2]))


def test_one_job_needs_no_dask():
    with workers(ManyFilesConfig()) as execute:
        assert execute is None


def test_workers_give_the_same_bits_in_the_same_order(execute, files):
    good = [file for file in files if "4.root" not in file]
    here, there = (list(each_file(energies, good, execute=one)) for one in (None, execute))
    assert here == there
    assert len({one.value for one in here}) == 5


def test_a_bad_file_is_named_or_skipped(execute, files):
    with pytest.raises(InputFileError, match=r"4\.root' is truncated.*--skip-bad-files goes on with the other 5"):
        list(each_file(energies, files, execute=execute))
    with pytest.warns(BadFileWarning, match=r"skipped: file '.*4\.root' is truncated"):
        results = list(each_file(energies, files, execute=execute, skip_bad_files=True))
    assert [one.file for one in results] == files
    (bad,) = bad_files(results)
    assert bad["file"] == files[4]
    assert bad["reason"].startswith("InputFileError: file")
    assert [one.value is None for one in results] == [False] * 4 + [True, False]


def test_all_files_bad_is_an_error(execute, files, tmp_path):
    absent = tmp_path / "absent.root"
    with (
        pytest.warns(BadFileWarning),
        pytest.raises(InputFileError, match=r"all 2 files are bad; the first: .*4\.root"),
    ):
        list(each_file(energies, [files[4], absent], execute=execute, skip_bad_files=True))


def test_the_sample_s_trouble_is_never_skipped(execute, files):
    def wrong(path):
        raise ConfigError(f"no such cut in {path}")

    with pytest.raises(ConfigError, match=r"no such cut in .*0\.root"):
        list(each_file(wrong, files, execute=execute, skip_bad_files=True))


def test_a_lost_worker_loses_nothing(execute, files, tmp_path):
    good = [file for file in files if "4.root" not in file]

    def work(path, *, deadly, marker):
        if path == deadly and not os.path.exists(marker):  # noqa: PTH110 - runs elsewhere
            open(marker, "w").close()  # noqa: PTH123
            os.kill(os.getpid(), signal.SIGKILL)
        return energies(path)

    work = partial(work, deadly=good[2], marker=str(tmp_path / "was_here"))
    assert list(each_file(work, good, execute=execute)) == list(each_file(energies, good))
    assert (tmp_path / "was_here").exists()


def test_a_file_that_kills_every_worker_is_a_bad_file(files, monkeypatch):
    monkeypatch.setattr("calotools.deploy.distributed._LOST_WORKERS", 0)

    def work(path, *, deadly):
        if path == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return 1

    with (
        workers(ManyFilesConfig(jobs=2)) as execute,
        pytest.warns(BadFileWarning, match=r"1\.root': one worker after the other died on it"),
    ):
        results = list(each_file(partial(work, deadly=files[1]), files, execute=execute, skip_bad_files=True))
    assert [one.value for one in results] == [1, None, 1, 1, 1, 1]


def test_progress_counts_files(execute, files):
    seen = []
    list(each_file(len, files, execute=execute, progress=lambda *one: seen.append(one)))
    assert seen == [(n, 6) for n in range(1, 7)]


def test_a_scheduler_that_is_not_there(monkeypatch):
    monkeypatch.setattr("calotools.deploy.distributed._CONNECT", 0.5)
    with (
        pytest.raises(ConfigError, match=r"scheduler 'tcp://127\.0\.0\.1:1' does not answer"),
        workers(ManyFilesConfig(scheduler="tcp://127.0.0.1:1")),
    ):
        pass


def test_workers_of_another_version(execute, files, monkeypatch):
    monkeypatch.setattr("calotools.deploy.distributed.version", "99")
    with pytest.raises(ConfigError, match=r"a worker has calotools .*, this is 99; install the same"):
        list(each_file(energies, files, execute=execute))


def test_a_scheduler_and_a_batch_system_are_one_too_many():
    with (
        pytest.raises(ConfigError, match=r"scheduler = 'tcp://x:1' and batch\.system = 'slurm': choose one"),
        workers(ManyFilesConfig(scheduler="tcp://x:1", batch=BatchConfig(system="slurm"))),
    ):
        pass


def test_the_script_of_a_slurm_job():
    pytest.importorskip("dask_jobqueue")
    config = BatchConfig(system="slurm", queue="short", account="atlas", cores=2, memory="3GB", walltime="01:00:00")
    lines = job_script(config.model_copy(update={"setup": ("source setup.sh",), "directives": ("--qos=high",)})).split(
        "\n"
    )
    for line in ("-p short", "-A atlas", "--cpus-per-task=2", "--mem=3G", "-t 01:00:00", "--qos=high"):
        assert f"#SBATCH {line}" in lines, line
    assert lines.index("source setup.sh") < next(k for k, one in enumerate(lines) if "dask_worker" in one)


def test_the_script_of_an_htcondor_job():
    pytest.importorskip("dask_jobqueue")
    config = BatchConfig(
        system="htcondor", disk="2GB", setup=("source setup.sh",), directives=('+JobFlavour = "long"',)
    )
    text = job_script(config)
    assert '+JobFlavour = "long"' in text.split("\n")
    assert "source setup.sh; " in text
    assert "MY.DaskWorkerDisk = 2000000000" in text
    with pytest.raises(ConfigError, match=r"batch\.queue = 'short': HTCondor has none"):
        job_script(config.model_copy(update={"queue": "short"}))
    with pytest.raises(ConfigError, match=r"'--qos=x' is no line|'priority' is no line of a submit file"):
        job_script(config.model_copy(update={"directives": ("priority",)}))


def test_a_machine_that_cannot_submit():
    if shutil.which("sbatch"):
        pytest.skip("this machine has sbatch")
    with (
        pytest.raises(ConfigError, match="has no 'sbatch'; run on one that submits jobs"),
        workers(ManyFilesConfig(batch=BatchConfig(system="slurm"))),
    ):
        pass


def test_jobs_of_a_batch_system_do_the_work(files, tmp_path, monkeypatch):
    """Through an `sbatch` that starts the job's script on this machine, at once."""
    pytest.importorskip("dask_jobqueue")
    for name, text in {
        "sbatch": 'cd "${0%/*}"; cp "$1" job; setsid sh job > log 2>&1 & echo $! > pid; echo "Submitted batch job $!"',
        "scancel": 'touch "${0%/*}/cancelled"; kill -- -"$1"',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # the job has to find this file's functions
    good = [file for file in files if "4.root" not in file]
    with workers(
        ManyFilesConfig(batch=BatchConfig(system="slurm", setup=(f"touch {tmp_path}/setup_ran",), memory="1GB"))
    ) as execute:
        assert list(each_file(energies, good, execute=execute)) == list(each_file(energies, good))
    assert (tmp_path / "setup_ran").exists()
    assert (tmp_path / "cancelled").exists()
