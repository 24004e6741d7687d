"""Memory that is used again is never used twice at a time."""

import ast
import ctypes
import gc
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from calotools.containers import memory, new_array

N = 300_000


def view_of(array):
    return array[1000:].reshape(-1, 10)[:, :3]


def tensor_of(array):
    return torch.from_numpy(array)[5:]


def buffer_of(array):
    return memoryview(array)[7:]


@pytest.mark.parametrize("keep", [view_of, tensor_of, buffer_of])
def test_memory_is_free_when_the_last_view_is_gone(keep):
    first = new_array(N, np.float32)
    place, kept = first.ctypes.data, keep(first)
    del first
    gc.collect()
    others = [new_array(N, np.float32) for _ in range(20)]
    assert all(not np.shares_memory(other, np.asarray(kept)) for other in others)
    del kept
    gc.collect()
    again = [new_array((N // 3, 3), np.float32) for _ in range(20)]
    assert place in [one.ctypes.data for one in again]


def test_arrays_are_as_asked_for():
    for shape, dtype in [(0, np.int64), (7, np.uint8), ((100, 5, 56, 11), np.float32), (2**17 + 1, np.bool_)]:
        array = new_array(shape, dtype)
        assert type(array) is np.ndarray
        assert array.shape == ((shape,) if isinstance(shape, int) else shape)
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable


def test_threads_do_not_share():
    wrong = []

    def work(number):
        for size in np.random.default_rng(number).integers(50_000, 200_000, 200):
            array = new_array(int(size), np.int64)
            array[:] = number
            if (array != number).any():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_heap_is_looked_through_after_growth_alone(monkeypatch):
    size, trims = [2**30], []
    monkeypatch.setattr(memory, "_resident", lambda: size[0])
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(malloc_trim=lambda _: trims.append(size[0]) or 1))
    heap, given_back = memory._Heap(), []
    for growth in (0, 0, 2**26 - 1, 1, 1, -(2**28), 2**28):
        size[0] += growth
        given_back.append(heap.trim())
    assert given_back == [True, False, False, True, False, False, False]
    assert trims == [2**30, 2**30 + 2**26]


HOLES = """
from calotools.containers import memory
heap = memory._Heap()
heap.trim()  # what imports left behind
again = heap.trim()
before = memory._resident()
# small enough for the heap, kept between others that go; 200 MB
large = [[bytearray(100_000), bytearray(600)] for _ in range(2000)]
kept = [small for _, small in large]
full = memory._resident() - before
del large
heap.trim()  # False where glibc has given it back by itself
print(again, full, memory._resident() - before, heap.trim(), len(kept))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc is told")
def test_holes_between_what_stays_are_given_back():
    # in a process of its own: here other tests' threads take and give memory meanwhile
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)
    again, full, rest, grown, kept = map(ast.literal_eval, done.stdout.split())
    assert (again, grown, kept) == (False, False, 2000)
    assert full > 150e6
    assert rest < 40e6
