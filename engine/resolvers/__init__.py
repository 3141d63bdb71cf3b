"""Who is asked which network a number belongs to: tables of ported numbers, an HTTP service, a chain.

Each is a `NetworkResolver` of `whiteroute.routing`, which says what an answer is worth.
"""

from .asking import AskingResolver, Inquiry, InquiryError
from .chain import ResolverChain
from .http import HttpInquiry
from .tables import MnpDatabase, MnpTable, MnpTableError, load_mnp_table, open_mnp_database

__all__ = [
    "AskingResolver",
    "HttpInquiry",
    "Inquiry",
    "InquiryError",
    "MnpDatabase",
    "MnpTable",
    "MnpTableError",
    "ResolverChain",
    "load_mnp_table",
    "open_mnp_database",
]
