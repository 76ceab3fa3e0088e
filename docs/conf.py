"""Sphinx's settings for both languages; the pages come from ``docs/_build/source``, where tools/handbook puts them together."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from kazami import __version__  # noqa: E402

project = "kazami 風見"
author = "the authors of kazami"
copyright = "the authors of kazami, Apache-2.0"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "tools.handbook.mathml"]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
suppress_warnings = ["myst.header"]  # pages that start below their heading are joined from several files
highlight_language = "text"
default_role = "code"

# The docstrings of this project have sections of their own.
napoleon_custom_sections = [("Limits", "notes_style"), ("Class attributes", "params_style"), "Reading the answer"]
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

html_theme = "furo"
html_title = f"kazami 風見 {__version__}"
LEARN = ROOT / "src" / "kazami" / "app" / "static" / "embed"  # built by hatch_build.py: the live chapters of the app
html_static_path = ["_static", *([str(LEARN)] if LEARN.is_dir() else [])]
templates_path = ["_templates"]
html_css_files = ["kazami.css"]
html_js_files = ["words.js"]
html_copy_source = False
html_show_sphinx = False
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5c7a", "color-brand-content": "#0b5c7a"},
    "dark_css_variables": {"color-brand-primary": "#7cc4e0", "color-brand-content": "#7cc4e0"},
    "top_of_page_buttons": [],
}
