"""Checkpoints: a stopped run goes on to the same bits, or says in one line why it cannot."""

import json
import os
import subprocess
from dataclasses import fields, replace

import h5py
import numpy as np
import pytest
from described import changed, dense

import fspinn
from fspinn import datasets
from fspinn.backends.numba import engine as numba_backend
from fspinn.base import hdf5 as sealed
from fspinn.base.errors import ConfigError, ModelFileError
from fspinn.learning import checkpoint
from fspinn.learning.checkpoint import CheckpointWriter, State
from fspinn.learning.curve import Curve
from fspinn.learning.training import learn, train
from fspinn.model.activity import Activity
from fspinn.network.rules import Stdp

SMALL = dense(neurons=12, duration_ms=50.0)
RUN = {"neurons": 3, "seed": 0, "weight_norm": 0.1 + 0.2, "dataset name": "digits"}


def state(presentations=250):
    random = np.random.default_rng(presentations)
    return State(
        presentations,
        random.random((8, 3), dtype=np.float32),
        random.random(3, dtype=np.float32),
        (Activity(samples=presentations, output_spikes=2**40),),
        Curve(
            np.array([[100, np.nan, 7.25], [200, 1 / 3, 0.1]]),
            np.array([50, 50, 2**40, 3]),
            random.random((3, 10)),
            random.random(10),
        ),
    )


def assert_same(one, other):
    assert (one.presentations, one.activity) == (other.presentations, other.activity)
    for mine, theirs in ((one.weights, other.weights), (one.theta, other.theta)):
        assert mine.dtype == theirs.dtype == np.float32
        np.testing.assert_array_equal(mine, theirs)
    for field in fields(Curve):
        mine, theirs = getattr(one.curve, field.name), getattr(other.curve, field.name)
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


def refusal(error, action, *arguments, **named):
    with pytest.raises(error) as caught:
        action(*arguments, **named)
    assert "\n" not in str(caught.value)
    assert "; " in str(caught.value), "the mend stands after a semicolon"
    return str(caught.value)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.h5.checkpoint"


@pytest.fixture(scope="module")
def digits():
    data = datasets.load("digits", validation=100)
    return replace(data, train=data.train.first(600))


# --- the file ---------------------------------------------------------------------------------------


def test_a_state_comes_back_as_it_went(path):
    checkpoint.save(path, RUN, state())
    assert_same(checkpoint.load(path, RUN), state())


def test_a_checkpoint_of_another_run_is_refused_with_all_that_differs(path):
    checkpoint.save(path, RUN, state())
    said = refusal(ConfigError, checkpoint.load, path, {**RUN, "seed": 1, "dataset name": "mnist"})
    assert said == (
        f"{path}: is of another run (seed 0 there, 1 here; dataset name digits there, mnist here); "
        "repeat the command it is from, or remove it to start from the beginning"
    )
    with pytest.raises(ConfigError, match=r"\(colour None there, red here\)"):
        checkpoint.load(path, {**RUN, "colour": "red"})


@pytest.mark.parametrize("part", [0.0, 0.2, 0.5, 0.9, 0.9999])
def test_a_damaged_checkpoint_is_refused(path, part):
    checkpoint.save(path, RUN, state())
    content = bytearray(path.read_bytes())
    content[int(part * len(content))] ^= 4
    path.write_bytes(content)
    said = refusal(ModelFileError, checkpoint.load, path, RUN)
    assert said.startswith(f"{path}: is ")
    assert "is damaged (checksum differs); remove it to start from the beginning" in said or part == 0


def test_a_model_is_no_checkpoint(path):
    path.write_bytes(b"fspinn-model " + bytes(2000))
    assert "is a model of fspinn, not a checkpoint; name a file" in refusal(
        ModelFileError, checkpoint.load, path, RUN
    )


def test_a_newer_checkpoint_asks_for_an_update(path, monkeypatch):
    monkeypatch.setattr(checkpoint, "FORMAT_VERSION", 2)
    checkpoint.save(path, RUN, state())
    monkeypatch.setattr(checkpoint, "FORMAT_VERSION", 1)
    assert "has format version 2, this fspinn reads 1; update" in refusal(
        ModelFileError, checkpoint.load, path, RUN
    )


def test_an_older_checkpoint_says_what_to_do(path, monkeypatch):
    monkeypatch.setattr(checkpoint, "FORMAT_VERSION", 1)
    checkpoint.save(path, RUN, state())
    monkeypatch.setattr(checkpoint, "FORMAT_VERSION", 2)
    said = "has format version 1 of an older fspinn, this one reads 2; remove it to start from the beginning"
    assert refusal(ModelFileError, checkpoint.load, path, RUN) == f"{path}: {said}"


def test_a_checkpoint_that_makes_no_sense_is_refused(path):
    arrays = {"weights": np.zeros(1), "theta": np.zeros(1)}
    for settings in ({}, {"run": None, "presentations": 1, "activity": {}}, {"run": {}, "presentations": 1}):
        settings = {"format_version": checkpoint.FORMAT_VERSION, **settings}
        sealed.write(path, "checkpoint", settings, arrays, compressed=False)
        said = refusal(ModelFileError, checkpoint.load, path, RUN)
        assert said.startswith(f"{path}: cannot be read (")
        assert said.endswith("); remove it to start from the beginning")


def test_removing_takes_along_what_killed_processes_left(path):
    checkpoint.save(path, RUN, state())
    (path.parent / ".net.h5.ab12cd.checkpoint").touch()
    (path.parent / ".other.h5.ab12cd.checkpoint").touch()
    (path.parent / "net.h5").touch()
    checkpoint.remove(path)
    checkpoint.remove(path)
    assert sorted(os.listdir(path.parent)) == [".other.h5.ab12cd.checkpoint", "net.h5"]


# --- when it is written -----------------------------------------------------------------------------


def positions(path, monkeypatch, writer, shown):
    """Return at which presentations a writer wrote, of those it was told of."""
    written = []
    monkeypatch.setattr(checkpoint, "save", lambda path, run, state: written.append(state.presentations))
    writer.start(RUN)
    for presentations in shown:
        writer.keep(state(presentations))
    return written


def test_every_so_many_presentations(path, monkeypatch):
    writer = CheckpointWriter(path, every=300)
    assert positions(path, monkeypatch, writer, range(100, 1001, 100)) == [300, 600, 900]
    writer.save()
    writer.save()
    assert positions(path, monkeypatch, writer, []) == []


def test_every_thirty_seconds_if_nothing_else_is_said(path, monkeypatch):
    clock = iter([0.0, 10.0, 29.0, 31.0, 31.0, 60.0, 62.0, 62.0])
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: next(clock))
    assert positions(path, monkeypatch, CheckpointWriter(path), [1, 2, 3, 4, 5]) == [3, 5]


def test_before_the_first_batch_there_is_nothing_to_write(path):
    writer = CheckpointWriter(path)
    writer.save()
    assert writer.start(RUN) is None
    writer.save()
    assert not path.exists()


# --- a run ------------------------------------------------------------------------------------------


def bits(model):
    return (
        model.layer.weights.values.tobytes(),
        model.layer.theta.values.tobytes(),
        model.readout.table.tobytes(),
        model.activity,
    )


def stop_after(monkeypatch, batches, error=KeyboardInterrupt):
    """Let learning fail when it has changed the weights of so many batches, before it can say so."""
    original, calls = numba_backend.learn, []

    def failing(plan, spikes, *more):
        answer = original(plan, spikes, *more)
        calls.extend([1] if len(spikes) else [])
        if len(calls) > batches:
            raise error
        return answer

    monkeypatch.setattr(numba_backend, "learn", failing)


@pytest.fixture(scope="module")
def uninterrupted(digits):
    return train(SMALL, digits, learner=Stdp(passes=3), seed=5)


@pytest.mark.parametrize("batches", [1, 3, 7])
def test_a_run_that_ctrl_c_stopped_goes_on_to_the_same_bits(
    path, digits, uninterrupted, monkeypatch, batches
):
    with monkeypatch.context() as patched:
        stop_after(patched, batches)
        with pytest.raises(KeyboardInterrupt):
            train(SMALL, digits, learner=Stdp(passes=3), seed=5, checkpoint=path)
    # Passes of 600 images are batches of 250, 250 and 100.
    assert checkpoint.load(path, settings_of(path)).presentations == [250, 500, 600][batches % 3 - 1] + (
        600 * ((batches - 1) // 3)
    )
    resumed = train(SMALL, digits, learner=Stdp(passes=3), seed=5, checkpoint=path, resume=True)
    assert bits(resumed.model) == bits(uninterrupted.model)
    assert resumed.model.record == uninterrupted.model.record


def settings_of(path):
    with h5py.File(path) as file:
        return json.loads(file.attrs["settings"])["run"]


@pytest.mark.parametrize("every", [1, 250, 1000, None])
def test_the_bits_do_not_depend_on_checkpoints(path, digits, uninterrupted, every):
    trained = train(SMALL, digits, learner=Stdp(passes=3), seed=5, checkpoint=path, checkpoint_every=every)
    assert bits(trained.model) == bits(uninterrupted.model)
    assert os.listdir(path.parent) == [path.name]


def test_a_run_that_had_learned_everything_learns_no_more(path, digits, uninterrupted, monkeypatch):
    train(SMALL, digits, learner=Stdp(passes=3), seed=5, checkpoint=path)
    stop_after(monkeypatch, 0, AssertionError("learned again"))
    again = train(SMALL, digits, learner=Stdp(passes=3), seed=5, checkpoint=path, resume=True)
    assert bits(again.model) == bits(uninterrupted.model)
    assert again.samples_per_s == 0


def test_ctrl_c_while_the_readout_is_fitted_loses_nothing(path, digits, monkeypatch):
    def stop(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("fspinn.learning.training.fit_readouts", stop)
    with pytest.raises(KeyboardInterrupt):
        train(SMALL, digits, learner=Stdp(passes=1), checkpoint=path)
    assert checkpoint.load(path, settings_of(path)).presentations == 600


def test_without_a_checkpoint_ctrl_c_just_stops(digits, monkeypatch):
    stop_after(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        train(SMALL, digits, learner=Stdp(passes=1))


def test_resuming_where_nothing_is_starts_from_the_beginning(path, digits, uninterrupted):
    fresh = train(SMALL, digits, learner=Stdp(passes=3), seed=5, checkpoint=path, resume=True)
    assert bits(fresh.model) == bits(uninterrupted.model)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 6}, "seed 5 there, 6 here;"),
        ({"learner": Stdp(passes=4)}, "passes 3 there, 4 here;"),
        ({"network": changed(SMALL, neurons=13)}, "neurons 12 there, 13 here;"),
    ],
)
def test_other_settings_are_refused_and_the_checkpoint_stays(path, digits, change, words):
    settings = {"network": SMALL, "learner": Stdp(passes=3), "seed": 5}
    train(data=digits, **settings, checkpoint=path)
    before = path.read_bytes()
    assert words in refusal(
        ConfigError, train, data=digits, **{**settings, **change}, checkpoint=path, resume=True
    ).replace(")", ";")
    assert path.read_bytes() == before


def test_other_data_are_refused(path, digits):
    train(SMALL, digits, learner=Stdp(passes=1), checkpoint=path)
    fewer = replace(digits, train=digits.train.first(500))
    other = replace(digits, checksum="0" * 64)
    assert "(dataset train 600 there, 500 here)" in refusal(
        ConfigError, train, SMALL, fewer, learner=Stdp(passes=1), checkpoint=path, resume=True
    )
    assert f"(dataset checksum {digits.checksum[:16]} there, 0000000000000000 here)" in refusal(
        ConfigError, train, SMALL, other, learner=Stdp(passes=1), checkpoint=path, resume=True
    )


def test_other_compiled_kernels_are_refused(path, digits, monkeypatch):
    train(SMALL, digits, learner=Stdp(passes=1), checkpoint=path)
    monkeypatch.setattr(fspinn.base.jit, "kernel_digest", lambda: "others")
    assert "there, others here)" in refusal(
        ConfigError, train, SMALL, digits, learner=Stdp(passes=1), checkpoint=path, resume=True
    )


def test_a_stopped_run_is_not_overwritten(path, digits):
    train(SMALL, digits, learner=Stdp(passes=1), checkpoint=path)
    before = path.read_bytes()
    assert refusal(ConfigError, train, SMALL, digits, learner=Stdp(passes=1), checkpoint=path) == (
        f"{path}: holds a run that was stopped; continue it with resume (--resume), or remove the file to "
        "start from the beginning"
    )
    assert path.read_bytes() == before


def test_a_network_that_never_spiked_leaves_nothing_to_resume(path, digits):
    with pytest.raises(ConfigError, match=r"^threshold: no neuron ever spiked in 600 presentations"):
        train(
            changed(SMALL, threshold=1e6), digits, learner=Stdp(passes=1), checkpoint=path, checkpoint_every=1
        )
    assert os.listdir(path.parent) == []


@pytest.mark.parametrize("named", [{"resume": True}, {"checkpoint_every": 5}])
def test_resuming_needs_a_file(digits, named):
    assert (
        refusal(ConfigError, train, SMALL, digits, **named)
        == "checkpoint: resume and checkpoint_every need the file; name it"
    )


def test_the_distance_of_checkpoints_is_a_whole_number(path, digits):
    with pytest.raises(ConfigError, match=r"^checkpoint_every: must be from 1 to \d+, but got 0$"):
        train(SMALL, digits, checkpoint=path, checkpoint_every=0)


# --- nowhere to write -------------------------------------------------------------------------------


def test_a_folder_that_is_not_there_is_refused_before_anything_is_learned(tmp_path, digits, monkeypatch):
    stop_after(monkeypatch, 0, AssertionError("learned"))
    path = tmp_path / "none" / "net.checkpoint"
    assert refusal(ModelFileError, train, SMALL, digits, checkpoint=path) == (
        f"{path}: cannot be written (no such folder, or no right to write there); choose a folder with space "
        "and rights"
    )


def test_a_pipe_in_the_place_of_the_checkpoint_is_refused(path, digits, monkeypatch):
    stop_after(monkeypatch, 0, AssertionError("learned"))
    os.mkfifo(path)
    assert refusal(ModelFileError, train, SMALL, digits, checkpoint=path, resume=True) == (
        f"{path}: cannot be written (A pipe, not a regular file); name another file"
    )


def test_a_link_to_a_checkpoint_stays_when_the_checkpoint_goes(path, digits, uninterrupted):
    target = path.parent / "far.checkpoint"
    path.symlink_to(target)
    train(SMALL, digits, learner=Stdp(passes=3), seed=5, checkpoint=path)
    assert path.is_symlink()
    assert target.is_file()
    resumed = train(SMALL, digits, learner=Stdp(passes=3), seed=5, checkpoint=path, resume=True)
    assert bits(resumed.model) == bits(uninterrupted.model)
    checkpoint.remove(path)
    assert os.listdir(path.parent) == [path.name]


def test_a_folder_without_rights_is_refused_before_anything_is_learned(path, digits, monkeypatch):
    stop_after(monkeypatch, 0, AssertionError("learned"))
    monkeypatch.setattr(os, "access", lambda folder, mode: mode != os.W_OK)
    assert "no right to write there" in refusal(ModelFileError, train, SMALL, digits, checkpoint=path)


def test_a_disk_that_fills_up_keeps_the_last_checkpoint(path, digits, uninterrupted, monkeypatch):
    original, replaced = os.replace, []

    def fill_up(source, target):
        replaced.append(target)
        if len(replaced) > 2:
            raise OSError(28, "No space left on device")
        original(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", fill_up)
        assert refusal(
            ModelFileError,
            learn,
            SMALL,
            digits,
            learner=Stdp(passes=3),
            seed=5,
            writer=CheckpointWriter(path, every=1),
        ) == (f"{path}: cannot be written (No space left on device); choose a folder with space and rights")
    assert os.listdir(path.parent) == [path.name]
    assert checkpoint.load(path, settings_of(path)).presentations == 500
    resumed = train(SMALL, digits, learner=Stdp(passes=3), seed=5, checkpoint=path, resume=True)
    assert bits(resumed.model) == bits(uninterrupted.model)


@pytest.fixture
def small_disk(tmp_path):
    """Return a real disk of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", folder]
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode != 0:
        pytest.skip("making a small disk is not permitted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_really_full_keeps_the_last_checkpoint(small_disk, digits, uninterrupted):
    path = small_disk / "net.checkpoint"
    train(SMALL, digits, learner=Stdp(passes=3), seed=5, checkpoint=path)
    before = path.read_bytes()
    rest = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(bytes(rest.f_bavail * rest.f_bsize - 4096))
    with pytest.raises(
        ModelFileError, match=r"net\.checkpoint: cannot be written \(No space left on device\)"
    ):
        checkpoint.save(path, settings_of(path), state())
    assert sorted(os.listdir(small_disk)) == ["ballast", "net.checkpoint"]
    assert path.read_bytes() == before
