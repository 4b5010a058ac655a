"""The part of a page's head that other sites read: its one address, and what to show beside a link to it."""

from fastapi import Request
from markupsafe import Markup

from app.web.urls import base_url

_TAGS = Markup(
    '<link rel="canonical" href="{site}{path}">\n'
    '<meta property="og:site_name" content="Label errors">\n'
    '<meta property="og:type" content="website">\n'
    '<meta property="og:title" content="{title}">\n'
    '<meta property="og:description" content="{description}">\n'
    '<meta property="og:url" content="{site}{path}{query}">\n'
    '<meta property="og:image" content="{site}{picture}">\n'
    '<meta property="og:image:width" content="1200">\n'
    '<meta property="og:image:height" content="630">\n'
    '<meta name="twitter:card" content="summary_large_image">\n'
)


def share_tags(request: Request, path: str, title: str, description: str, picture: str, query: str = "") -> Markup:
    """The tags of the page at ``path``.

    Search engines take every filter of a gallery for the same page: ``canonical`` has no query. A link that somebody
    shares leads to what they saw: sites that resolve it by ``og:url`` get ``query`` as well.
    """
    return _TAGS.format(
        site=base_url(request),
        path=path,
        title=title,
        description=description,
        picture=picture,
        query=f"?{query}" if query else "",
    )
