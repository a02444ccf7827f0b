"""The instance's configuration: typed, checked, and read by bootstrap alone; secrets are named, never written here."""

from hub.config.clocks import ClockTable, LevelName, WindowTable
from hub.config.hub_toml import BrokerSettings, HubSettings, Listen, Mail, SignIn, Store
from hub.config.load import Configuration, load
from hub.config.partnership_toml import (
    ClientTable,
    ForgettingTable,
    NumberTable,
    OperatorTable,
    PartnershipTable,
    PartnerTable,
    SafeguardingTable,
)
from hub.config.service_toml import (
    AgreementTable,
    AllowedPlugin,
    AllowTable,
    BasisTable,
    CallbackTable,
    ConnectionTable,
    ServiceTable,
)
from hub.config.table import Code, ConfigurationError, SecretRef

__all__ = [
    "AgreementTable",
    "AllowTable",
    "AllowedPlugin",
    "BasisTable",
    "BrokerSettings",
    "CallbackTable",
    "ClientTable",
    "ClockTable",
    "Code",
    "Configuration",
    "ConfigurationError",
    "ConnectionTable",
    "ForgettingTable",
    "HubSettings",
    "LevelName",
    "Listen",
    "Mail",
    "NumberTable",
    "OperatorTable",
    "PartnerTable",
    "PartnershipTable",
    "SafeguardingTable",
    "SecretRef",
    "ServiceTable",
    "SignIn",
    "Store",
    "WindowTable",
    "load",
]
