"""What does a person see after a search? One HTML page that needs no network: ``report.html``.

The page shows what is in the folder of a search, ``result.json`` and ``smallest.h5``, and what follows from
it: `charts` places the trials, `comparison` sets the costs of the winner beside those of other networks,
`linear` says what a linear classifier on the pixels reaches, `pictures` draws what the network has learned.
`page` puts it together with the template ``page.html``.
"""

from fspinn.report.page import write_report

__all__ = ["write_report"]
