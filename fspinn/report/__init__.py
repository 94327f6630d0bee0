"""What does a person see after a search? One HTML page that needs no network: ``report.html``.

`charts` places the trials, `comparison` sets the costs of the winner beside those of other networks, `page`
puts it together with the templates ``document.html`` and ``page.html``; `live` serves the same page about a
search that is under way.
"""

from fspinn.report.page import write_report

__all__ = ["write_report"]
