"""Who is asked which network a number belongs to: tables of ported numbers, an HTTP service, a chain.

Each is a `NetworkResolver` of `whiteroute.routing`, which says what an answer is worth. What the
numbering plans of the world say about a number is here, too, for people who ask.
"""

from .asking import AskingResolver, Inquiry, InquiryError
from .chain import ResolverChain
from .http import HttpInquiry
from .number_facts import NumberFacts, describe_number
from .tables import MnpDatabase, MnpTable, MnpTableError, load_mnp_table, open_mnp_database

__all__ = [
    "AskingResolver",
    "HttpInquiry",
    "Inquiry",
    "InquiryError",
    "MnpDatabase",
    "MnpTable",
    "MnpTableError",
    "NumberFacts",
    "ResolverChain",
    "load_mnp_table",
    "describe_number",
    "open_mnp_database",
]
