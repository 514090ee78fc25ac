"""The panel in napari: thin widgets over pure functions.

Reading order: session (what the steps share) → run_state → stream_runner (the
thread) → layer_data and phase_rows (layers to volumes) → the steps → dock → app.
Modules without Qt: run_state, layer_data, phase_rows, geometry, history, texts,
form_fields, colours.
"""
