import inspect
import pickle

import pytest

from napari_superres import errors
from napari_superres.errors import (
    EngineError,
    InputError,
    PhaseError,
    SuperResError,
    is_out_of_memory,
)

ALL = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, SuperResError)
]


def test_the_message_is_one_line_of_three_parts():
    error = PhaseError("Two phases were found.", "Three are needed.", "Add one.")
    assert str(error) == "Two phases were found. Three are needed. Add one."


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to …"), True),
        (MemoryError(), True),
        (RuntimeError("Expected all tensors on one device; the allocator of cuda:1 …"), False),
        (RuntimeError("malloc(): corrupted top size"), False),
        (KeyError("out of memory"), False),
    ],
)
def test_missing_memory_is_known_by_what_an_error_says(error, expected):
    assert is_out_of_memory(error) is expected


def test_empty_parts_leave_no_gap():
    assert str(PhaseError("Found.", "", "Act.")) == "Found. Act."


@pytest.mark.parametrize("kind", ALL)
def test_the_exit_status_tells_input_from_failure(kind):
    assert kind("x").exit_status == (2 if issubclass(kind, InputError) else 1)


@pytest.mark.parametrize("kind", ALL)
def test_the_tree_at_the_top_of_the_file_names_every_error(kind):
    assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("kind", ALL)
def test_errors_cross_process_borders_whole(kind):
    error = pickle.loads(pickle.dumps(kind("found", "needed", "action")))
    assert type(error) is kind
    assert (error.found, error.needed, error.action) == ("found", "needed", "action")


def test_failures_are_no_runtime_errors_that_a_generator_worker_would_swallow():
    assert not issubclass(EngineError, RuntimeError)
