"""No deployment has pandas; the test environment has it for statsmodels and pandera.

Where DuckDB finds it, it loads it at the first parameter of the first statement: a third of a second in every process
that a test starts. tests/conftest.py puts this folder before the installed packages of those processes.
"""

raise ModuleNotFoundError("No module named 'pandas'", name="pandas")
