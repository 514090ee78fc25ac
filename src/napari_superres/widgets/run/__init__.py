"""The run that the steps of a panel share: session, engine, history, results."""
