"""Where the tutorial puts things: the toolkit below /o/, its metadata at the root, the login below /accounts/."""

# pyright: basic, reportMissingImports=false
# mypy: disable-error-code="import-not-found"
# Django is installed in the server's own environment, not where types are checked.

from typing import Any

from django.http import JsonResponse
from django.urls import include, path
from oauth2_provider import urls as toolkit
from oauth2_provider.decorators import protected_resource


def show_resource(request: Any) -> Any:
    """A protected resource, which a token with the scope read opens."""
    owner = request.resource_owner
    return JsonResponse({"owner": owner.get_username() if owner else None})


urlpatterns = [
    path("o/", include(toolkit)),
    path("", include((toolkit.metadata_urlpatterns, "metadata"))),
    path("accounts/", include("django.contrib.auth.urls")),
    path("api/resource", protected_resource(scopes=["read"])(show_resource)),
]
