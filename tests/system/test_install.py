"""Installing the provider into an existing Airflow only adds what is missing."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from installed_airflow import PACKAGE, VirtualEnvironment, wheel_of
from throwaway_airflow import REPOSITORY

Packages = dict[str, str]
COMPAT = "apache-airflow-providers-common-compat"
OLDER_COMPAT = "1.7.0"  # of the day of Airflow 2.11.0; the provider needs a newer one


@dataclass(frozen=True)
class Seen:
    """The packages that were installed, one after the other."""

    before: Packages
    installed: Packages
    removed: Packages
    with_older_compat: Packages
    installed_beside_it: Packages


@pytest.fixture(scope="module", params=["lowest", "3.3"])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    directory = tmp_path_factory.mktemp("install")
    wheel = wheel_of(REPOSITORY, directory / "wheel")
    environment = VirtualEnvironment(directory / "environment", request.param)
    before = environment.installed()
    environment.install(wheel)
    installed = environment.installed()
    environment.uninstall(PACKAGE)
    removed = environment.installed()
    environment.install("--no-deps", f"{COMPAT}=={OLDER_COMPAT}")
    with_older_compat = environment.installed()
    environment.install(wheel)
    return Seen(before, installed, removed, with_older_compat, environment.installed())


def changed(before: Packages, after: Packages) -> set[str]:
    return {name for name in before | after if before.get(name) != after.get(name)}


def test_installing_adds_the_provider_and_changes_nothing_else(seen: Seen) -> None:
    assert changed(seen.before, seen.installed) == {PACKAGE}


def test_removing_the_provider_restores_the_environment(seen: Seen) -> None:
    assert seen.removed == seen.before


def test_installing_only_upgrades_a_common_compat_that_is_too_old(seen: Seen) -> None:
    assert changed(seen.with_older_compat, seen.installed_beside_it) == {PACKAGE, COMPAT}
