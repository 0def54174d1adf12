"""The provider's metadata. Keep imports light: Airflow loads this at every start."""

from __future__ import annotations

from typing import Any

from airflow_provider_isales.client.profiles import SigningProfile

INTEGRATION = "Huawei CC-iSales"

#: The default connection of hooks and operators.
DEFAULT_CONN_ID = "isales_default"

#: The extra fields of a connection, for its form and for checking its extra.
CONNECTION_FIELDS: dict[str, dict[str, Any]] = {
    "vdn_id": {
        "label": "VDN ID",
        "description": "The virtual call centre, 1 to 9999, for operators that do not name one.",
        "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 9999},
    },
    "verify": {
        "label": "Verify",
        "description": "'true', the path of a CA bundle on every worker, or 'false' to trust any server.",
        "schema": {"type": ["string", "null"], "default": "true"},
    },
    "timeout": {
        "label": "Timeout",
        "description": "Seconds that one request may take, from connecting to the last byte of its response.",
        "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 600, "default": 10},
    },
    "signing_profile": {
        "label": "Signing Profile",
        "description": "'current' as in the vendor's current reference, 'legacy' as in its older demo.",
        "schema": {"type": ["string", "null"], "enum": [*map(str, SigningProfile)], "default": "current"},
    },
    "proxies": {
        "label": "Proxies",
        "description": 'JSON such as {"https": "http://proxy.example.com:3128"}; the environment\'s when empty.',
        "schema": {"type": ["string", "null"]},
    },
    "verify_strict": {
        "label": "Verify Strict",
        "description": "'false' to accept certificates that only Python 3.13 and later refuse (RFC 5280).",
        "schema": {"type": ["string", "null"], "default": "true"},
    },
    "client_cert": {
        "label": "Client Certificate",
        "description": "The path, on every worker, of a PEM file with certificate and key, if the server asks for one.",
        "schema": {"type": ["string", "null"]},
    },
    "timezone": {
        "label": "Time Zone",
        "description": "The platform's, such as Asia/Shanghai, for campaign times. Default: that of the calendar.",
        "schema": {"type": ["string", "null"]},
    },
}


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, as Airflow's ``provider_info.schema.json`` describes it."""
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
        # Airflow reads this only where it loads all providers; the entry point registers the plugin everywhere.
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
