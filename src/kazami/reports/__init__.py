"""Reports: from records to one self-contained HTML file, a terminal text and a JSON document."""

from .document import document
from .html import render_html
from .outcome import verdict
from .proof_html import render_proof_html
from .proof_text import proof_block
from .terminal_map import live_line, weather_map_text
from .text import verdict_block

__all__ = ["document", "live_line", "proof_block", "render_html", "render_proof_html", "verdict", "verdict_block", "weather_map_text"]
