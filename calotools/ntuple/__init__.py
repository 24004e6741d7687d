"""Ntuples: ROOT files in, candidates out, and back again.

The only room that opens a ROOT file or knows a branch name. A *flavour* (TOML) maps branches to the canonical fields of
`flavours/native.toml`; whatever the flavour, candidates come out with the same names in GeV, rad, mm and ns, with NaN
where a value is missing.

Start with `read_candidates` (all in memory) or `iterate_candidates` (chunk by chunk).
"""

from calotools.ntuple.checks import ABSURD_ENERGY, check_cells
from calotools.ntuple.each import FileResult, bad_files, each_file
from calotools.ntuple.flavour import Flavour, load_flavour, shipped_flavours
from calotools.ntuple.friend import FriendWriter, check_one_model, check_rows, read_friend, write_friend
from calotools.ntuple.histograms import write_histograms
from calotools.ntuple.inspect import FileReport, TreeReport, inspect_files
from calotools.ntuple.lookup import Lookup, lookup_friend
from calotools.ntuple.metadata import read_metadata
from calotools.ntuple.momenta import momenta_of
from calotools.ntuple.paths import expand_files
from calotools.ntuple.ranges import Range, RangeReader, count_entries, list_ranges
from calotools.ntuple.reader import Chunk, index_of, iterate_candidates, read_candidates
from calotools.ntuple.remote import fingerprint
from calotools.ntuple.sample import ResolvedSample, Sample, join_friend, read_resolved, read_sample, resolve_sample
from calotools.ntuple.schema import CanonicalField, canonical_fields
from calotools.ntuple.table import Lists, Table, join_tables, table_of
from calotools.ntuple.trees import sample_branches, sample_fields, sample_trees, tree_entries
from calotools.ntuple.writer import NtupleWriter

__all__ = [
    "ABSURD_ENERGY",
    "CanonicalField",
    "Chunk",
    "FileReport",
    "FileResult",
    "Flavour",
    "FriendWriter",
    "Lists",
    "Lookup",
    "NtupleWriter",
    "Range",
    "RangeReader",
    "ResolvedSample",
    "Sample",
    "Table",
    "TreeReport",
    "bad_files",
    "canonical_fields",
    "check_cells",
    "check_one_model",
    "check_rows",
    "count_entries",
    "each_file",
    "expand_files",
    "fingerprint",
    "index_of",
    "inspect_files",
    "iterate_candidates",
    "join_friend",
    "join_tables",
    "list_ranges",
    "load_flavour",
    "lookup_friend",
    "momenta_of",
    "read_candidates",
    "read_friend",
    "read_metadata",
    "read_resolved",
    "read_sample",
    "resolve_sample",
    "sample_branches",
    "sample_fields",
    "sample_trees",
    "shipped_flavours",
    "table_of",
    "tree_entries",
    "write_friend",
    "write_histograms",
]
