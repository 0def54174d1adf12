"""What this package tells Airflow about itself. Imports next to nothing: Airflow asks for it at every start."""

from __future__ import annotations

from typing import Any

from airflow_provider_isales.client.profiles import SigningProfile

INTEGRATION = "Huawei CC-iSales"

#: The connection of hooks and operators that name none.
DEFAULT_CONN_ID = "isales_default"

#: The extra fields of a connection, for the form and for the check of a connection's extra.
CONNECTION_FIELDS: dict[str, dict[str, Any]] = {
    "vdn_id": {
        "label": "VDN ID",
        "description": "The virtual call centre, 1 to 9999, for operators that do not name one.",
        "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 9999},
    },
    "verify": {
        "label": "Verify",
        "description": "'true', or the path of a CA bundle on every worker, or 'false' to trust any server.",
        "schema": {"type": ["string", "null"], "default": "true"},
    },
    "timeout": {
        "label": "Timeout",
        "description": "Seconds that one request may take, from connecting to the last byte of its answer.",
        "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 600, "default": 10},
    },
    "signing_profile": {
        "label": "Signing Profile",
        "description": "'current' as in the vendor's present reference, 'legacy' as in its older demo.",
        "schema": {"type": ["string", "null"], "enum": [*map(str, SigningProfile)], "default": "current"},
    },
    "proxies": {
        "label": "Proxies",
        "description": 'JSON such as {"https": "http://proxy.example.com:3128"}; the environment\'s when empty.',
        "schema": {"type": ["string", "null"]},
    },
    "verify_strict": {
        "label": "Verify Strict",
        "description": "'false' to accept certificates whose form Python 3.13 and later refuse (RFC 5280).",
        "schema": {"type": ["string", "null"], "default": "true"},
    },
    "client_cert": {
        "label": "Client Certificate",
        "description": "The path, on every worker, of a PEM file with a certificate and its key, if the server asks.",
        "schema": {"type": ["string", "null"]},
    },
    "timezone": {
        "label": "Time Zone",
        "description": "The platform's, such as Asia/Shanghai: when campaigns begin. Without it, the calendar's.",
        "schema": {"type": ["string", "null"]},
    },
}


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata; Airflow's ``provider_info.schema.json`` says what it means."""
    return {
        "package-name": "airflow-provider-isales",
        "name": INTEGRATION,
        "description": "Stop and restart outbound calling on Huawei's CC-iSales contact centre.",
        "integrations": [
            {"integration-name": INTEGRATION, "logo": "/docs/integration-logos/isales.svg", "tags": ["service"]}
        ],
        "hooks": [{"integration-name": INTEGRATION, "python-modules": ["airflow_provider_isales.hooks.isales"]}],
        "operators": [
            {
                "integration-name": INTEGRATION,
                "python-modules": [
                    "airflow_provider_isales.operators.call_batch",
                    "airflow_provider_isales.operators.campaign",
                ],
            }
        ],
        # From Airflow 3.2 on: `airflow isales`.
        "cli": ["airflow_provider_isales.cli.definition.get_isales_cli_commands"],
        # Airflow reads this only where it discovers providers at once; the entry point makes the plugin known always.
        "plugins": [{"name": "isales", "plugin-class": "airflow_provider_isales.plugin.ISalesPlugin"}],
        "connection-types": [
            {
                "connection-type": "isales",
                "hook-class-name": "airflow_provider_isales.hooks.isales.ISalesHook",
                "hook-name": "CC-iSales",
                "conn-fields": CONNECTION_FIELDS,
                "ui-field-behaviour": {
                    "hidden-fields": ["schema"],
                    "relabeling": {"login": "Access Key", "password": "Secret Key"},
                    "placeholders": {
                        "host": "name or address, without https://",
                        "port": "443",
                        "login": "the AK from the platform's operator",
                        "password": "the SK from the platform's operator",
                    },
                },
            }
        ],
    }
