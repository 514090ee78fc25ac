"""Work in threads: streams of events, short jobs, their state and progress."""
