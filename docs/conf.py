"""Sphinx: MyST Markdown, furo; no page is generated here but what `make pages` has written."""

project = "Swaddle"
author = "The Swaddle contributors"
copyright = author  # noqa: A001  Sphinx's name for it
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
myst_fence_as_directive: list[str] = []
exclude_patterns = ["_build"]
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure"]
html_theme = "furo"
html_title = "Swaddle"
html_copy_source = False
html_show_sphinx = False
