"""The named states of a run, and what the panel offers in each: no Qt, no thread.

::

    IDLE ──start──▶ STARTING ──event──▶ RUNNING ──pause──▶ PAUSING ──paused──▶ PAUSED
                       │                 │  ▲                 │                  │
                       │                 │  └──────resume─────┴──────────────────┘
                       └──────stop───────┴───────▶ STOPPING ──stopped──▶ STOPPED
    RUNNING ──completed──▶ COMPLETED        any of them ──failed──▶ FAILED

From STOPPED, COMPLETED and FAILED a run can be started again or continued.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RunState(StrEnum):
    """State of a run."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    COMPLETED = "completed"
    FAILED = "failed"


class RunEvent(StrEnum):
    """What can happen to a run: a button was pressed, or the stream reported."""

    START = "start"
    EVENT = "event"
    PAUSE = "pause"
    PAUSED = "paused"
    RESUME = "resume"
    STOP = "stop"
    STOPPED = "stopped"
    COMPLETED = "completed"
    FAILED = "failed"


ACTIVE = frozenset(
    {
        RunState.STARTING,
        RunState.RUNNING,
        RunState.PAUSING,
        RunState.PAUSED,
        RunState.STOPPING,
    }
)
"""States in which a thread works or waits."""

_ENDS = {
    RunEvent.STOPPED: RunState.STOPPED,
    RunEvent.COMPLETED: RunState.COMPLETED,
    RunEvent.FAILED: RunState.FAILED,
}

_MOVES: dict[tuple[RunState, RunEvent], RunState] = {
    (RunState.STARTING, RunEvent.EVENT): RunState.RUNNING,
    (RunState.STARTING, RunEvent.PAUSE): RunState.PAUSING,
    (RunState.RUNNING, RunEvent.PAUSE): RunState.PAUSING,
    (RunState.PAUSING, RunEvent.PAUSED): RunState.PAUSED,
    (RunState.PAUSING, RunEvent.RESUME): RunState.RUNNING,
    (RunState.PAUSED, RunEvent.RESUME): RunState.RUNNING,
}


def advance(state: RunState, event: RunEvent) -> RunState:
    """Return the state after `event`; what does not apply changes nothing.

    Late reports of the thread (an event after Stop was pressed) are thus harmless.
    """
    if event is RunEvent.START:
        return state if state in ACTIVE else RunState.STARTING
    if state not in ACTIVE:
        return state
    if event is RunEvent.STOP:
        return RunState.STOPPING
    if event in _ENDS:
        return _ENDS[event]
    return _MOVES.get((state, event), state)


@dataclass(frozen=True)
class Controls:
    """What the row of buttons shows.

    Attributes
    ----------
    start, middle, stop, discard : whether the buttons can be pressed
    middle_text : the middle button is Pause, Resume or Continue
    middle_does : what it asks for
    hint : one sentence for the status line, empty to leave what it says
    """

    start: bool
    middle: bool
    stop: bool
    middle_text: str
    middle_does: RunEvent
    hint: str
    discard: bool = False


START_TIP = "Train a new run with the inputs and settings of steps 1 and 2"
CHOOSE = "Choose the two inputs in step 1, Data."
"""What a fusion misses at the very beginning."""
GENERATE = "step 4, Generate"

_HINTS = {
    RunState.STARTING: "Checking the inputs and preparing the networks …",
    RunState.PAUSING: "Pausing after this step …",
    RunState.PAUSED: "Paused. Resume goes on from here.",
    RunState.STOPPING: "Stopping: saving the weights …",
}


def controls(
    state: RunState,
    inputs_ready: bool,
    can_continue: bool,
    has_run: bool = False,
    missing: str = "",
    first: str = CHOOSE,
    next_step: str = GENERATE,
) -> Controls:
    """Return what the buttons of a training offer.

    Parameters
    ----------
    state : where the training stands
    inputs_ready : the inputs are chosen and fit
    can_continue : there is a run with a checkpoint
    has_run : there is a run on disk, with a checkpoint or not
    missing : what keeps a training from starting; empty when not known
    first : what is missing at the very beginning
    next_step : where results are made from the run
    """
    active = state in ACTIVE
    hint = _HINTS.get(state, "")
    if state is RunState.IDLE:
        if can_continue:
            hint = f"Continue trains this run further. Next: {next_step}."
        elif inputs_ready:
            hint = "Ready to start."
        else:
            hint = first if missing in ("", first) else "Not ready to start: see step 1, Data."
    if active:
        resume = state in (RunState.PAUSED, RunState.PAUSING)
        return Controls(
            start=False,
            middle=state is not RunState.STOPPING,
            stop=state is not RunState.STOPPING,
            middle_text="Resume" if resume else "Pause",
            middle_does=RunEvent.RESUME if resume else RunEvent.PAUSE,
            hint=hint,
            discard=has_run and state not in (RunState.STARTING, RunState.STOPPING),
        )
    return Controls(
        start=inputs_ready,
        middle=can_continue,
        stop=False,
        middle_text="Continue" if can_continue else "Pause",
        middle_does=RunEvent.START if can_continue else RunEvent.PAUSE,
        hint=hint,
        discard=has_run,
    )


def start_tip(state: RunState, missing: str = "") -> str:
    """Return what hovering Start tells: what it does, or why it cannot be pressed.

    Parameters
    ----------
    missing : what keeps a training from starting; empty for nothing
    """
    if state in ACTIVE:
        return "A training goes on. One at a time: Stop and keep it first"
    return f"Not yet. {missing}" if missing else START_TIP
