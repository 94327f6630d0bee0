"""How Sphinx builds the pages: `sphinx-build -W -n --keep-going -b html docs docs/_build`."""

import sys
from pathlib import Path

import fspinn

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "fspinn"
author = "the authors of fspinn"
project_copyright = author
release = version = fspinn.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "described"]
exclude_patterns = ["_build", "_ext", "reference/order.md", "reference/integers.md"]  # these are included
html_theme = "furo"
html_title = f"fspinn {release}"
html_copy_source = False
default_role = "code"
highlight_language = "none"
smartquotes = False  # --option is no dash

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# Links from page to page and to headings are checked by every build: -W makes a broken one an error.
# Addresses on the internet are tried by `sphinx-build -b linkcheck docs docs/_build/links` alone.
linkcheck_timeout = 20
linkcheck_retries = 2
