"""The report: what befell the segments in a day, as one file or as JSON. Pure but for ``command`` and ``gathering``."""
