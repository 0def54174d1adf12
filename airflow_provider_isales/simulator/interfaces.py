"""The interfaces of CC-iSales, written out from the reference: the client's own table is tested against this one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interface:
    """
    One interface.

    :param method: its HTTP method
    :param path: its path; a name in braces stands for one part
    :param has_body: whether its parameters are a JSON object in the body; otherwise they are in the query
    """

    method: str
    path: str
    has_body: bool = True


_VDN = "/rest/isales/v1/openapi/campaigns/{vdn_id}"
_BATCHES = _VDN + "/callbatch/{campaign_id}"
_CAMPAIGN = _VDN + "/{campaign_id}"

#: The interfaces by the names that faults, counts and ``on_request`` use.
INTERFACES = {
    "pause": Interface("POST", _BATCHES + "/pause"),
    "resume": Interface("POST", _BATCHES + "/resume"),
    "create": Interface("POST", _BATCHES + "/create"),
    "update": Interface("POST", _BATCHES + "/update"),
    "delete": Interface("POST", _BATCHES + "/delete"),
    "list": Interface("GET", _BATCHES + "/list"),
    "list_campaigns": Interface("GET", _VDN, has_body=False),
    "get_campaign": Interface("GET", _CAMPAIGN, has_body=False),
    "pause_campaign": Interface("PUT", _CAMPAIGN + "/pause", has_body=False),
    "resume_campaign": Interface("PUT", _CAMPAIGN + "/resume", has_body=False),
    "list_special_dates": Interface("GET", _VDN + "/holiday/{campaign_id}", has_body=False),
}
