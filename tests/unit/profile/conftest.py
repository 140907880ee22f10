"""A profile that uses every table."""

import pytest

EVERYTHING = """
#:schema profile.schema.json
timeout_s = 10
[target]
name = "Example"
issuer = "https://as.example"
headers = { X-Staging-Key = "hush-header" }
proxy = "http://me:hush-proxy@proxy.example:3128"
[tls]
[endpoints]
resource = "https://api.example/me"
[clients.service]
id = "service-1"
secret = "${SERVICE_SECRET:?set it}"
auth_methods = ["client_secret_basic", "client_secret_post"]
grants = ["client_credentials"]
scopes = ["read", "write"]
parameters = { audience = "https://api.example", api_key = "hush-parameter", resource = ["a", "b"] }
disposable = false
[clients.spa]
id = "spa-1"
public = true
grants = ["implicit"]
redirect_uris = ["https://app.example/cb", "https://app.example/cb2?x=1", "com.example:/cb"]
[user]
username = "ada"
password = "${PASSWORD}"
[user2]
username = "bob"
password = "hush-bob"
[login]
driver = "forms"
origins = ["https://Login.example/"]
[[login.steps]]
when = "form#login"
fill = { username = "${user.username}", password = "${user.password}", pin = "hush-pin" }
submit = "button[type=submit]"
[[login.steps]]
when = "form.consent"
choice = "allow"
submit = "button[value=allow]"
[[login.steps]]
when = "url~/login.html"
calls = [{ method = "POST", url = "https://as.example/api?sid=hush-query", json = { password = "${user.password}" } }]
goto = "{query.callback_url}"
[claims]
implicit = true
introspection_client = "service"
[politeness]
requests_per_second = 50
login_interval_s = 0
max_requests = 20000
intrusive = false
[load]
allowed = false
thresholds = ["p99 < 250ms", "errors < 0.1%"]
mix = { token_endpoint = 0.9, introspect_and_use = 0.1 }
[[waivers]]
clause = "rfc6749:5.1/pragma"
check = "*client_secret_post*"
reason = "known"
until = 2027-01-31
"""


@pytest.fixture
def everything_text() -> str:
    """The text of a profile that uses every table and nearly every key; its secrets begin with "hush"."""
    return EVERYTHING
