"""The provider in Airflow's UI, in a real browser: connection form and test, log and XCom of a run, timetable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from browser import SIZE, browser
from playwright.sync_api import Locator, Page, ViewportSize, expect
from throwaway_airflow import READ_DAGS_ONCE, REPOSITORY, ThrowawayAirflow

from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.simulator import Campaign, Simulator

WIDE = 2240  # so that a long line of a log is whole in the picture
SECRET_KEY = "a-key-that-nobody-shall-see"
CAMPAIGN, ABSENT_CAMPAIGN = 1001, 4711
# Not the batch of the example's own schedule, which runs when the DAG is unpaused.
BATCH = f"{CAMPAIGN:015}{2:015}"
# As in example_dags/shifts_weekly.py.
SHIFTS = ShiftCalendar(
    timezone="Asia/Shanghai",
    week={"mon-fri": ["09:00-12:00", "13:30-18:00"], "sat": ["09:00-12:00"]},
    closed=["2026-10-01"],
    special={"2026-10-10": ["09:00-18:00"]},
)


@dataclass(frozen=True)
class FormValues:
    """The values to type into the connection form."""

    host: str
    port: int
    secret_key: str
    ca_file: str


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET_KEY) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def campaign(simulator: Simulator) -> Campaign:
    return simulator.add_campaign(CAMPAIGN, batches=3)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, campaign: Campaign) -> Iterator[ThrowawayAirflow]:
    home = tmp_path_factory.mktemp("airflow") / "home"
    with ThrowawayAirflow(home, REPOSITORY / "example_dags", READ_DAGS_ONCE) as airflow:
        yield airflow


@pytest.fixture(scope="module")
def page(airflow: ThrowawayAirflow) -> Iterator[Page]:
    with browser(airflow.url) as page:
        yield page


@pytest.fixture(scope="module")
def typed(simulator: Simulator) -> FormValues:
    return FormValues("127.0.0.1", simulator.port, SECRET_KEY, str(simulator.ca_file))


@pytest.fixture(scope="module")
def form(page: Page) -> Locator:
    """The form for a connection that is not saved."""
    return open_form(page, "isales_shown")


@pytest.fixture(scope="module")
def connection(page: Page, typed: FormValues) -> Page:
    """The page of connections, with ``isales_default`` in it, which the form made."""
    form = open_form(page, "isales_default")
    fill(form, typed)
    save(page, form)
    return page


def open_form(page: Page, conn_id: str) -> Locator:
    page.goto("/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.locator("[name=connection_id]").fill(conn_id)
    form.get_by_role("combobox").first.click()
    page.get_by_role("option", name="CC-iSales").click()
    expect(form.get_by_label("Access Key")).to_be_visible()
    return form


def fill(form: Locator, values: FormValues) -> None:
    form.get_by_label("Host").fill(values.host)
    form.get_by_label("Port").fill(str(values.port))
    form.get_by_label("Access Key").fill("simulator")
    form.get_by_label("Secret Key").fill(values.secret_key)
    section(form, "Extra Fields")
    extra(form, "vdn_id").fill("25")
    extra(form, "verify").fill(values.ca_file)


def section(form: Locator, name: str) -> None:
    form.get_by_role("button", name=name, exact=True).click()


def extra(form: Locator, name: str) -> Locator:
    return form.locator(f"[name=element_{name}]")


def save(page: Page, form: Locator) -> None:
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()


def row(page: Page, conn_id: str) -> Locator:
    return page.get_by_role("row").filter(has_text=conn_id)


def press_test(page: Page, conn_id: str) -> tuple[bool, str]:
    """Press the button of a connection's row; return what Airflow says came of it."""
    with page.expect_response("**/connections/test") as answer:
        row(page, conn_id).get_by_role("button", name="Test Connection").click()
    result = answer.value.json()
    return result["status"], result["message"]


def trigger(page: Page, airflow: ThrowawayAirflow, campaign_id: int, end: str) -> str:
    """Trigger the example with the form, wait for the end of its run, open the page of its task; return its path."""
    page.goto("/dags/isales_pause_one_batch")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog")
    extra(form, "campaign_id").fill(str(campaign_id))
    extra(form, "batch_id").fill(BATCH)
    form.get_by_role("button", name="Trigger").click()
    page.wait_for_url("**/runs/manual__*")
    path: str = page.url.removeprefix(airflow.url) + "/tasks/pause"
    airflow.wait_for_run("dags/isales_pause_one_batch/dagRuns/" + page.url.rpartition("/")[2])
    page.goto(path)
    expect(page.get_by_text(end, exact=True).first).to_be_visible()
    return path


@pytest.fixture(scope="module")
def unpaused(airflow: ThrowawayAirflow, connection: Page) -> None:
    """The example DAGs that the tests run, after what they make up for."""
    for dag_id in ("isales_pause_one_batch", "isales_shifts_weekly_pause"):
        airflow.unpause_dag(dag_id)


@pytest.fixture(scope="module")
def succeeded(unpaused: None, page: Page, airflow: ThrowawayAirflow) -> str:
    return trigger(page, airflow, CAMPAIGN, "Success")


@pytest.fixture(scope="module")
def failed(unpaused: None, page: Page, airflow: ThrowawayAirflow) -> str:
    return trigger(page, airflow, ABSENT_CAMPAIGN, "Failed")


@pytest.fixture
def dag_page(unpaused: None, page: Page) -> Page:
    page.goto("/dags/isales_shifts_weekly_pause")
    return page


class TestTheConnectionForm:
    @pytest.mark.parametrize("label", ["Host", "Port", "Access Key", "Secret Key"])
    def test_the_connection_form_has_the_field(self, form: Locator, label: str) -> None:
        expect(form.get_by_label(label)).to_be_visible()

    def test_the_connection_form_has_no_schema(self, form: Locator) -> None:
        expect(form.get_by_label("Schema")).to_have_count(0)

    @pytest.mark.parametrize(
        ("label", "placeholder"),
        [
            ("Host", "name or address, without https://"),
            ("Port", "443"),
            ("Access Key", "the AK from the platform's operator"),
            ("Secret Key", "the SK from the platform's operator"),
        ],
    )
    def test_the_connection_form_says_what_to_type(self, form: Locator, label: str, placeholder: str) -> None:
        expect(form.get_by_label(label)).to_have_attribute("placeholder", placeholder)

    def test_the_connection_form_hides_the_typed_secret_key(self, form: Locator) -> None:
        expect(form.get_by_label("Secret Key")).to_have_attribute("type", "password")

    def test_the_connection_form_looks_as_in_the_docs(
        self, page: Page, form: Locator, typed: FormValues, pictures: Path
    ) -> None:
        fill(form, replace(typed, host="isales.example.com", port=28080, ca_file="/etc/ssl/isales-ca.pem"))
        section(form, "Standard Fields")
        expect(form.get_by_label("Host")).to_be_visible()
        page.screenshot(path=pictures / "connection-form.png", animations="disabled")

    @pytest.mark.parametrize("name", ["vdn_id", "timeout"])
    def test_the_connection_form_accepts_only_digits_for_a_number(self, form: Locator, name: str) -> None:
        expect(extra(form, name)).to_have_role("spinbutton")

    @pytest.mark.parametrize(
        ("name", "default"), [("verify", "/etc/ssl/isales-ca.pem"), ("timeout", "10"), ("signing_profile", "current")]
    )
    def test_the_connection_form_shows_the_values(self, form: Locator, name: str, default: str) -> None:
        expect(extra(form, name)).to_have_value(default)

    def test_the_connection_form_offers_the_two_signing_profiles(
        self, page: Page, form: Locator, pictures: Path
    ) -> None:
        section(form, "Extra Fields")
        page.screenshot(path=pictures / "connection-extra.png", animations="disabled")
        form.get_by_role("combobox").nth(1).click()
        assert page.get_by_role("option").all_inner_texts() == ["current", "legacy"]


class TestTheConnection:
    def test_the_saved_connection_has_typed_extra_fields(
        self, connection: Page, airflow: ThrowawayAirflow, typed: FormValues
    ) -> None:
        kept = airflow.api("GET", "connections/isales_default").json()["extra"]
        assert re.sub(r"\s", "", kept) == (
            f'{{"vdn_id":25,"verify":"{typed.ca_file}","timeout":10,"signing_profile":"current","proxies":null,'
            '"verify_strict":"true","client_cert":null,"timezone":null}'
        )

    def test_the_form_of_a_saved_connection_hides_the_secret_key(self, connection: Page) -> None:
        row(connection, "isales_default").get_by_role("button", name="Edit Connection").click()
        expect(connection.get_by_role("dialog").get_by_label("Secret Key")).to_have_value("***")

    def test_the_browser_never_receives_the_secret_key(self, connection: Page) -> None:
        with connection.expect_response("**/api/v2/connections?*") as answer:
            connection.goto("/connections")
        told = answer.value.text()
        assert "isales_default" in told
        assert SECRET_KEY not in told

    def test_a_good_connection_passes_its_test(self, connection: Page, pictures: Path) -> None:
        connection.goto("/connections")
        ok, message = press_test(connection, "isales_default")
        connection.screenshot(
            path=pictures / "connection-test.png", clip={"x": 0, "y": 0, "width": 1200, "height": 320}
        )
        assert ok
        assert message.partition(" (")[0] == "CC-iSales accepted the signature"

    def test_a_wrong_secret_key_fails_the_connection_test_with_advice(
        self, connection: Page, typed: FormValues, pictures: Path
    ) -> None:
        form = open_form(connection, "isales_wrong_key")
        fill(form, replace(typed, secret_key="wrong"))
        save(connection, form)
        press_test(connection, "isales_wrong_key")
        said = connection.get_by_text("HTTP 401: the server did not accept the signature. Check access key and secret")
        expect(said).to_be_visible()
        connection.screenshot(path=pictures / "connection-test-fails.png", animations="disabled")


def picture_of_log(page: Page, last_line: Locator, path: Path) -> None:
    """Take a picture of a task's log down to a line; below may be paths of the machine at hand."""
    box = last_line.bounding_box() or {"y": 0, "height": 0}
    height = box["y"] + box["height"] - 56
    page.screenshot(path=path, animations="disabled", clip={"x": 440, "y": 60, "width": WIDE - 440, "height": height})


@pytest.fixture
def wide_page(page: Page) -> Iterator[Page]:
    page.set_viewport_size(ViewportSize(width=WIDE, height=SIZE["height"]))
    yield page
    page.set_viewport_size(SIZE)


class TestARun:
    def test_a_run_suspends_the_batch(self, succeeded: str, campaign: Campaign) -> None:
        assert campaign.batches[BATCH].status.name == "SUSPENDED"

    def test_the_log_of_a_run_says_what_it_did(self, succeeded: str, wide_page: Page, pictures: Path) -> None:
        wide_page.goto(succeeded)
        line = wide_page.get_by_text(f"Paused call batch {BATCH} of campaign {CAMPAIGN} (VDN 25): [0200000] success")
        expect(line).to_be_visible()
        picture_of_log(wide_page, line, pictures / "run-log.png")

    def test_a_run_returns_the_outcome_as_xcom(self, page: Page, succeeded: str, pictures: Path) -> None:
        page.goto(f"{succeeded}/xcom")
        page.get_by_role("button", name="Expand").click()
        expect(page.get_by_text('"outcome": "paused"')).to_be_visible()
        page.screenshot(
            path=pictures / "run-xcom.png",
            animations="disabled",
            clip={"x": 0, "y": 0, "width": SIZE["width"], "height": 600},
        )

    def test_the_log_of_a_failed_run_says_why_and_what_to_do(
        self, failed: str, wide_page: Page, pictures: Path
    ) -> None:
        wide_page.goto(failed)
        line = wide_page.get_by_text(
            f"Pausing call batch {BATCH} of campaign {ABSENT_CAMPAIGN} (VDN 25) failed: [0200007] the outbound "
            "campaign does not exist. Check campaign_id and vdn_id."
        ).first
        expect(line).to_be_visible()
        picture_of_log(wide_page, line, pictures / "run-failed.png")


class TestTheShiftTimetable:
    def test_the_dags_page_says_in_words_when_it_runs(self, dag_page: Page, pictures: Path) -> None:
        expect(dag_page.get_by_text(f"end of shift, {SHIFTS.summary}")).to_be_visible()
        dag_page.screenshot(path=pictures / "timetable.png", animations="disabled")

    def test_the_dags_page_shows_the_next_shift_end_as_the_next_run(self, dag_page: Page) -> None:
        due = SHIFTS.next_end(datetime.now(UTC))
        assert due
        expect(dag_page.get_by_text(f"{due.astimezone(UTC):%Y-%m-%d %H:%M:%S}")).to_be_visible()
