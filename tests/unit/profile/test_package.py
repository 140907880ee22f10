"""The package's own names: each is there, and costs nothing until it is used."""

import subprocess
import sys

import pytest

import grantproof.profile


@pytest.mark.parametrize("name", grantproof.profile.__all__)
def test_every_name_leads_somewhere(name: str) -> None:
    assert getattr(grantproof.profile, name).__name__ == name


def test_other_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        grantproof.profile.Nothing  # noqa: B018 - looking it up is the test


def test_importing_the_package_imports_no_pydantic() -> None:
    code = "import sys, grantproof.profile; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
