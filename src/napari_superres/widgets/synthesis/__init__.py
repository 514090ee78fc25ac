"""The panel Synthesise images."""
