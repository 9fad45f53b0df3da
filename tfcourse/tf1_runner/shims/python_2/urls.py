"""`urllib2`: the parts of `urllib` that ask and that fail."""

from urllib.error import HTTPError, URLError  # noqa: F401
from urllib.parse import quote, unquote, urlencode  # noqa: F401
from urllib.request import *  # noqa: F403
from urllib.request import HTTPHandler, Request, urlopen  # noqa: F401
