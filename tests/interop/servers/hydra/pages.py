"""The login and consent application, which Hydra leaves to its users: pages in front, calls to the admin API behind."""

import html
import os
import secrets
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

HEADERS = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
REMEMBERED_S = 3600


class LoginAndConsent:
    """The pages, and what they tell Hydra.

    A challenge names one request of one browser; Hydra checks, by its own cookie, that the browser that comes back is
    the one that it sent.
    """

    def __init__(self, admin: httpx.AsyncClient) -> None:
        self._admin = admin
        self._passwords = {
            "alice": os.environ["GRANTPROOF_HYDRA_ALICE_PASSWORD"],
            "bob": os.environ["GRANTPROOF_HYDRA_BOB_PASSWORD"],
        }
        self.app = Starlette(
            routes=[
                Route("/login", self.show_login),
                Route("/login", self.log_in, methods=["POST"]),
                Route("/consent", self.show_consent),
                Route("/consent", self.decide, methods=["POST"]),
                Route("/error", self.show_error),
            ],
            exception_handlers={httpx.HTTPStatusError: self.explain},
        )

    async def show_login(self, request: Request) -> Response:
        """Shows the form, unless Hydra remembers who the user is."""
        challenge = request.query_params.get("login_challenge", "")
        asked = await self._get("login", challenge)
        if asked["skip"]:
            return await self._finish("login", "accept", challenge, {"subject": asked["subject"]})
        return _login_page(challenge)

    async def log_in(self, request: Request) -> Response:
        """Accepts the login if the password is right."""
        form = await _form(request)
        challenge, username = form.get("challenge", ""), form.get("username", "")
        expected = self._passwords.get(username, "")
        if not expected or not secrets.compare_digest(form.get("password", "").encode(), expected.encode()):
            return _login_page(challenge)
        accepted = {"subject": username, "remember": True, "remember_for": REMEMBERED_S}
        return await self._finish("login", "accept", challenge, accepted)

    async def show_consent(self, request: Request) -> Response:
        """Asks for consent, unless Hydra remembers it."""
        challenge = request.query_params.get("consent_challenge", "")
        asked = await self._get("consent", challenge)
        if asked["skip"]:
            return await self._finish("consent", "accept", challenge, _all_of(asked))
        scopes = " ".join(asked["requested_scope"] or ()) or "nothing in particular"
        body = f"""<p>{html.escape(asked["client"]["client_id"])} asks for: {html.escape(scopes)}</p>
<form id="consent" method="post" action="/consent">
  <input name="challenge" type="hidden" value="{html.escape(challenge)}">
  <button name="choice" value="allow" type="submit">Allow</button>
  <button name="choice" value="deny" type="submit">Deny</button>
</form>"""
        return _page("Consent", body)

    async def decide(self, request: Request) -> Response:
        """Tells Hydra what the user has chosen."""
        form = await _form(request)
        challenge = form.get("challenge", "")
        if form.get("choice") == "allow":
            return await self._finish("consent", "accept", challenge, _all_of(await self._get("consent", challenge)))
        denied = {"error": "access_denied", "error_description": "The user has denied access."}
        return await self._finish("consent", "reject", challenge, denied)

    async def show_error(self, request: Request) -> Response:
        """Shows what Hydra cannot tell the client."""
        words = [request.query_params.get(name, "") for name in ("error", "error_description")]
        return _page("Error", "".join(f"<p>{html.escape(each)}</p>" for each in words), 400)

    async def explain(self, _request: Request, _problem: Exception) -> Response:
        """Answers where Hydra does not know the challenge, or has seen it before."""
        return _page("Error", "<p>This request is not known, or was answered before.</p>", 400)

    async def _get(self, kind: str, challenge: str) -> dict[str, Any]:
        answer = await self._admin.get(f"/admin/oauth2/auth/requests/{kind}", params={f"{kind}_challenge": challenge})
        found: dict[str, Any] = answer.raise_for_status().json()
        if "redirect_to" in found:
            raise httpx.HTTPStatusError("handled before", request=answer.request, response=answer)
        return found

    async def _finish(self, kind: str, verdict: str, challenge: str, body: dict[str, Any]) -> Response:
        url = f"/admin/oauth2/auth/requests/{kind}/{verdict}"
        answer = await self._admin.put(url, params={f"{kind}_challenge": challenge}, json=body)
        return RedirectResponse(answer.raise_for_status().json()["redirect_to"], 303, {"Cache-Control": "no-store"})


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))


def _all_of(asked: dict[str, Any]) -> dict[str, Any]:
    """All that was asked for, once: consent is not remembered."""
    return {
        "grant_scope": asked["requested_scope"],
        "grant_access_token_audience": asked["requested_access_token_audience"],
    }


def _login_page(challenge: str) -> Response:
    body = f"""<form id="login" method="post" action="/login">
  <input name="challenge" type="hidden" value="{html.escape(challenge)}">
  <input name="username"> <input name="password" type="password"> <button type="submit">Sign in</button>
</form>"""
    return _page("Sign in", body)


def _page(title: str, body: str, status: int = 200) -> Response:
    page = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head><body>{body}</body></html>
"""
    return HTMLResponse(page, status, HEADERS)
