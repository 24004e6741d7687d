"""The command line: argv, progress, printing and exit codes; the work is in `calotools.stages`."""

__all__: list[str] = []
