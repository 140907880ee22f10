"""A client as it is registered at the target."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator

from grantproof.profile.addresses import VALUE
from grantproof.profile.near import near_miss
from grantproof.profile.part import FileBeside, Objection, Part, RedirectUri, Words, masked, refuse
from grantproof.profile.values import array_or_empty, is_table

AuthMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "client_secret_jwt", "none"]
Grant = Literal[
    "client_credentials",
    "implicit",
    "authorization_code",
    "password",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
]
SigningAlg = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"
]
SECRET_METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
RESPONSE_WORDS = ("token", "id_token", "code", "none")
_SYMMETRIC = ("HS256", "HS384", "HS512")


def _default_methods(data: dict[str, Any]) -> tuple[AuthMethod, ...]:
    if data.get("public"):
        return ("none",)
    secret: tuple[AuthMethod, ...] = ("client_secret_basic",) if data.get("secret") is not None else ()
    key: tuple[AuthMethod, ...] = ("private_key_jwt",) if data.get("private_key") is not None else ()
    return (*secret, *key)


def _default_response_types(data: dict[str, Any]) -> tuple[str, ...]:
    return ("token",) if "implicit" in data.get("grants", ()) else ()


class Client(Part):
    """A client as it is registered at the target; what it may do is what it is asked to prove."""

    name: str = Field(default="", description="The client's table key.")
    id: str = Field(min_length=1, description="The client_id.")
    public: bool = Field(default=False, description="A public client has no credentials.")
    secret: str | None = Field(default=None, repr=False, description="The client_secret; take it from a variable.")
    private_key: FileBeside | None = Field(
        default=None, description="A PEM file beside the profile, for private_key_jwt."
    )
    auth_methods: Annotated[tuple[AuthMethod, ...], Field(strict=False)] = Field(
        default_factory=_default_methods,
        min_length=1,
        description="The ways this client may authenticate. "
        "Default: client_secret_basic with a secret, private_key_jwt with a private key, none if public.",
    )
    signing_alg: SigningAlg | None = Field(
        default=None,
        description="What signs client assertions. Default: RS256 with a private key, HS256 with a secret.",
    )
    kid: str | None = Field(default=None, description="The key's id at the target, if it has one.")
    grants: Annotated[tuple[Grant, ...], Field(strict=False)] = Field(
        default=(), description="The grants this client is registered for."
    )
    scopes: Words = Field(default=(), description="The scopes this client may ask for.")
    response_types: Words = Field(
        default_factory=_default_response_types,
        description='What an implicit client asks for. Default: ["token"]; e.g. ["id_token token"].',
    )
    redirect_uris: Annotated[tuple[RedirectUri, ...], Field(strict=False)] = Field(
        default=(), description="The redirect URIs this client is registered with."
    )
    parameters: dict[str, str | list[str]] = Field(
        default_factory=dict, description="What this server needs beside the standard: audience, resource, ..."
    )
    client_name: str = Field(default="", description="What the consent page calls it, where the server was told.")
    disposable: bool = Field(default=False, description="May be locked out by intrusive checks.")

    @model_validator(mode="wrap")
    @classmethod
    def _whole(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        objections = list(client_objections(data)) if is_table(data) else []
        try:
            client = handler(data)
        except ValidationError as error:
            refuse("client", objections, error)
            raise
        refuse("client", objections)
        return client

    def shown(self, name: str, value: object) -> object:
        """What the repr shows of a field."""
        return masked(self.parameters) if name == "parameters" else value

    @property
    def confidential(self) -> bool:
        """Whether it can authenticate."""
        return not self.public

    def may(self, grant: str) -> bool:
        """Whether it is registered for a grant."""
        return grant in self.grants

    def signs_with(self, method: str) -> str:
        """The JWS algorithm of its client assertions under an authentication method."""
        symmetric = method == "client_secret_jwt"
        if self.signing_alg is not None and (self.signing_alg in _SYMMETRIC) is symmetric:
            return self.signing_alg
        return "HS256" if symmetric else "RS256"


def client_objections(data: Mapping[str, Any]) -> Iterator[Objection]:
    """What contradicts itself in a client's table. Values of wrong types are left to the schema."""
    methods = [each for each in array_or_empty(data.get("auth_methods")) if isinstance(each, str)]
    yield from _credential_objections(data, methods)
    for place, method in enumerate(methods):
        if method in SECRET_METHODS and data.get("secret") is None and data.get("public") is not True:
            yield Objection(("auth_methods", place), f"{method} needs a secret")
        if method == "private_key_jwt" and data.get("private_key") is None and data.get("public") is not True:
            yield Objection(("auth_methods", place), "private_key_jwt needs private_key, a PEM file beside the profile")
    yield from _algorithm_objections(data, methods)
    if "implicit" in array_or_empty(data.get("grants")) and not data.get("redirect_uris"):
        where = ("redirect_uris",) if "redirect_uris" in data else ("grants",)
        yield Objection(where, "a client with the implicit grant needs redirect_uris")
    for place, value in enumerate(array_or_empty(data.get("response_types"))):
        unknown = [word for word in value.split(" ") if word not in RESPONSE_WORDS] if isinstance(value, str) else []
        if unknown:
            hint = near_miss(unknown[0], RESPONSE_WORDS)
            yield Objection(("response_types", place), f"{VALUE} is no response type", hint)


def _credential_objections(data: Mapping[str, Any], methods: list[str]) -> Iterator[Objection]:
    if data.get("public") is True:
        for key in ("secret", "private_key"):
            if data.get(key) is not None:
                yield Objection((key,), f"a public client has no {key}", "drop it, or drop public = true")
        for place, method in enumerate(methods):
            if method != "none":
                yield Objection(("auth_methods", place), 'a public client authenticates with "none" only')
        if "client_credentials" in (grants := array_or_empty(data.get("grants"))):
            where = ("grants", list(grants).index("client_credentials"))
            yield Objection(where, "a public client cannot have the client_credentials grant")
        return
    if data.get("secret") is None and data.get("private_key") is None and data.get("public", False) is False:
        yield Objection((), "needs a secret, or a private_key, or public = true")
    if "none" in methods:
        yield Objection(("auth_methods", methods.index("none")), '"none" is for public clients', "public = true")


def _algorithm_objections(data: Mapping[str, Any], methods: list[str]) -> Iterator[Objection]:
    algorithm = data.get("signing_alg")
    if not isinstance(algorithm, str) or not methods:
        return
    wanted = "client_secret_jwt" if algorithm in _SYMMETRIC else "private_key_jwt"
    other = "private_key_jwt" if algorithm in _SYMMETRIC else "client_secret_jwt"
    if other in methods and wanted not in methods:
        yield Objection(("signing_alg",), f"{algorithm} does not go with {other}")
