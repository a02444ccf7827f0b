"""The frames of the few pages there are: plain HTML, no script, nothing kept by a browser (R45, R70)."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Final

from fastapi.responses import HTMLResponse

_STYLE: Final = """
body{font:1.1875rem/1.5 Arial,sans-serif;color:#0b0c0c;background:#fff;margin:0}
header{background:#1d70b8;color:#fff;padding:.75rem 1.25rem;font-weight:bold}
main,footer{max-width:40rem;margin:0 auto;padding:1.875rem 1.25rem}
h1{font-size:2.25rem;line-height:1.15;margin:0 0 1.25rem;overflow-wrap:anywhere}
h2{font-size:1.5rem;margin:1.875rem 0 .625rem}
dt{font-weight:bold}dd{margin:0}
.reference{font-size:2rem;font-weight:bold;letter-spacing:.125rem}
li{margin-bottom:.625rem}
button{font:inherit;font-weight:bold;color:#fff;background:#00703c;border:0;padding:.5rem .75rem}
button{box-shadow:0 2px 0 #002d18}
button:focus,a:focus{outline:3px solid #fd0;background:#fd0;color:#0b0c0c}
footer{padding-top:0;color:#505a5f}footer p{border-top:1px solid #b1b4b6;padding-top:1rem}
"""
#: Of a page that is handed to somebody: nobody's colours, and on paper all that is on the screen (R70).
_UNBRANDED: Final = """
body{font:1.1875rem/1.5 Arial,sans-serif;color:#000;background:#fff;margin:0}
main{max-width:40rem;margin:0 auto;padding:1.25rem;overflow-wrap:anywhere}
h1{font-size:2rem;line-height:1.2;margin:0 0 1rem}
h2{font-size:1.5rem;line-height:1.25;margin:2rem 0 .5rem}
h3{font-size:1.25rem;line-height:1.3;margin:1.5rem 0 .5rem}
p{margin:0 0 .75rem}ul{margin:0 0 .75rem;padding-left:1.5rem}
.reference{font-size:1.75rem;font-weight:bold;letter-spacing:.1rem}
@media print{@page{margin:20mm}body{font-size:14pt}main{max-width:none;padding:0}h2,h3{break-after:avoid}}
"""


def _headers(style: str) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {
        "cache-control": "no-store",
        "content-security-policy": (
            f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; form-action 'self'"
        ),
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex",
    }


_HEADERS: Final = _headers(_STYLE)
_UNBRANDED_HEADERS: Final = _headers(_UNBRANDED)


def page(title: str, body: str, reference: str = "", status: int = 200) -> HTMLResponse:
    """Return a page of trusted HTML, named by its title and the speakable reference where there is one."""
    named = f"{title}: {escape(reference)}" if reference else title
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{named} - Trusted Person Hub</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><header>Trusted Person Hub</header><main><h1>{title}</h1>{body}</main>"
        "<footer><p>To keep people's stories private, this page names nobody.</p></footer></body></html>"
    )
    return HTMLResponse(html, status, _HEADERS)


def unbranded(title: str, body: str) -> HTMLResponse:
    """Return a page of trusted HTML that says whose it is nowhere, to be read out or printed (R70)."""
    html = (
        f'<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_UNBRANDED}</style></head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    return HTMLResponse(html, headers=_UNBRANDED_HEADERS)
