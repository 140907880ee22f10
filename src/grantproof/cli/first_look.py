"""A first look at a server's login page, for the draft of a profile: one authorization request, nothing filled in."""

import secrets
from typing import TYPE_CHECKING

from grantproof.errors import Inconclusive, NotOffered
from grantproof.login.forms import FormsDriver
from grantproof.login.journey import UserAgent, origin_of
from grantproof.login.page import read_page
from grantproof.login.proposal import propose
from grantproof.profile.init import KnownClient
from grantproof.profile.init_login import SeenLogin
from grantproof.wire.form import Form
from grantproof.wire.request import FormRequest

if TYPE_CHECKING:
    from grantproof.idp import Idp
    from grantproof.login.journey import Journey
    from grantproof.login.page import Page

_NOBODY = KnownClient("grantproof-init", "https://client.example/cb")


def look_at_login(target: "Idp", client: KnownClient) -> SeenLogin:
    """What the authorization endpoint shows to a client that is known, or to one that is made up."""
    try:
        endpoint = target.endpoint("authorization")
    except (NotOffered, Inconclusive):
        return SeenLogin()
    asking = client if client.id else _NOBODY
    driver = FormsDriver(target.transport, (), target.profile.origins)
    request = _request(target, endpoint, asking)
    try:
        journey = driver.walk(request.to_request(), UserAgent(), leave_at=[asking.redirect_uri], stop_at_pages=True)
    except (Inconclusive, AssertionError) as problem:
        return SeenLogin(remarks=(f"the login page was not seen: {problem}",))
    return _seen(journey, asking)


def _request(target: "Idp", endpoint: str, client: KnownClient) -> FormRequest:
    types = target.metadata.response_types_supported or ("token",)
    implicit = [each for each in types if "token" in each.split(" ") and "code" not in each.split(" ")]
    response_type = "token" if "token" in implicit or not implicit else min(implicit, key=len)
    pairs = [("response_type", response_type), ("client_id", client.id), ("redirect_uri", client.redirect_uri)]
    pairs.append(("state", secrets.token_urlsafe(12)))
    if "id_token" in response_type:
        pairs += [("scope", "openid"), ("nonce", secrets.token_urlsafe(12))]
    return FormRequest(endpoint, Form(tuple(pairs)), method="GET")


def _seen(journey: "Journey", client: KnownClient) -> SeenLogin:
    redirect = journey.redirect
    if redirect is not None:
        origin = origin_of(redirect.url)
        if redirect.url.startswith(client.redirect_uri):
            return SeenLogin(remarks=("the authorization endpoint sent the browser back at once, without a login",))
        return SeenLogin(remarks=(f"the login page is on another origin: is it yours? login.origins = [{origin!r}]",))
    page = read_page(journey.page) if journey.page is not None else None
    found = propose(page) if page is not None else None
    if page is not None and found is not None:
        remarks = (f"seen at first: {page.describe()}", *found.doubts)
        return SeenLogin(found.when, found.fill, found.submit, not found.doubts, remarks)
    return SeenLogin(remarks=(_missing(page, client),))


def _missing(page: "Page | None", client: KnownClient) -> str:
    """What to say where no login form was seen."""
    if client is _NOBODY:
        return "the login page was not seen: give --client-id and --redirect-uri of a public client"
    if page is None:
        return "the authorization endpoint shows no page"
    if not page.forms and next(page.root.iter("script"), None) is not None:
        return f'the page needs script: driver = "browser" ({page.describe()})'
    return f"no login form was found: {page.describe()}"
