"""The part of SQL that may be asked for: what is not in this table is refused, whatever it is.

An allow-list of syntax, not of words: each node of the parsed statement must be of a class that stands here, and have
no argument that does not. Thus a clause that is not known here (``INTO``, ``FOR UPDATE``, ``LATERAL``), a set
operation, a statement that writes, and every function that is not listed are refused without being named.
``tests/services/queries/test_hostile_statements.py`` holds the corpus.
"""

from __future__ import annotations

from sqlglot import exp


def _args(*classes: type[exp.Expr], names: str) -> dict[type[exp.Expr], frozenset[str]]:
    return dict.fromkeys(classes, frozenset(names.split()))


_CLAUSES = {
    **_args(exp.Select, names="with_ expressions distinct from_ joins where group having windows order limit offset"),
    **_args(exp.With, names="expressions"),
    **_args(exp.CTE, names="this alias materialized"),
    **_args(exp.Subquery, names="this alias"),
    **_args(exp.From, exp.Where, exp.Having, names="this"),
    **_args(exp.Join, names="this on using side kind"),
    **_args(exp.Group, names="expressions"),
    **_args(exp.Order, names="expressions"),
    **_args(exp.Ordered, names="this desc nulls_first"),
    **_args(exp.Limit, exp.Offset, names="expression"),
    **_args(exp.Distinct, names="expressions on"),
    **_args(exp.Window, names="this partition_by order spec alias over"),
    **_args(exp.WindowSpec, names="kind start start_side end end_side"),
}
_NAMES_AND_VALUES = {
    **_args(exp.Table, names="this alias db"),
    **_args(exp.TableAlias, names="this columns"),
    **_args(exp.Alias, names="this alias"),
    **_args(exp.Column, names="this table db"),
    **_args(exp.Identifier, names="this quoted"),
    **_args(exp.Literal, names="this is_string"),
    **_args(exp.Boolean, exp.Var, exp.Placeholder, names="this"),
    **_args(exp.Star, exp.Null, names=""),
    **_args(exp.Paren, names="this"),
    **_args(exp.Tuple, names="expressions"),
    **_args(exp.Interval, names="this unit"),
}
_OPERATORS = {
    **_args(exp.And, exp.Or, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, names="this expression"),
    **_args(exp.Is, exp.Like, exp.ILike, exp.Escape, names="this expression negate"),
    **_args(exp.NullSafeEQ, exp.NullSafeNEQ, names="this expression"),
    **_args(exp.Add, exp.Sub, exp.Mul, exp.Mod, names="this expression"),
    **_args(exp.Div, exp.DPipe, names="this expression typed safe"),
    **_args(exp.Not, exp.Neg, exp.Exists, exp.All, exp.Any, names="this"),
    **_args(exp.Between, names="this low high"),
    **_args(exp.In, names="this expressions query"),
    **_args(exp.Case, names="this ifs default"),
    **_args(exp.If, names="this true false"),
    **_args(exp.Cast, names="this to"),
    **_args(exp.DataType, names="this expressions"),
    **_args(exp.DataTypeParam, names="this"),
    **_args(exp.Filter, names="this expression"),
}
_FUNCTIONS = {
    **_args(exp.Count, names="this expressions big_int"),
    **_args(exp.Sum, exp.Avg, exp.Abs, exp.Lower, exp.Upper, exp.Length, names="this"),
    **_args(exp.Min, exp.Max, exp.Coalesce, names="this expressions"),
    **_args(exp.Greatest, exp.Least, names="this expressions ignore_nulls"),
    **_args(exp.Nullif, names="this expression"),
    **_args(exp.Round, names="this decimals casts_non_integer_decimals"),
    **_args(exp.Ceil, exp.Floor, names="this decimals"),
    **_args(exp.Trim, names="this expression position"),
    **_args(exp.Left, exp.Right, names="this expression"),
    **_args(exp.Substring, names="this start length"),
    **_args(exp.StrPosition, names="this substr"),
    **_args(exp.Concat, names="expressions safe coalesce"),
    **_args(exp.Extract, names="this expression"),
    **_args(exp.TimestampTrunc, exp.DateTrunc, names="this unit input_type_preserved"),
    **_args(exp.TimeToStr, exp.ToChar, names="this format"),
    **_args(exp.CurrentDate, names=""),
    **_args(exp.CurrentTimestamp, names=""),
    **_args(exp.RowNumber, names=""),
    **_args(exp.Rank, exp.DenseRank, names=""),
    **_args(exp.Lag, exp.Lead, names="this offset default"),
}

ALLOWED: dict[type[exp.Expr], frozenset[str]] = {**_CLAUSES, **_NAMES_AND_VALUES, **_OPERATORS, **_FUNCTIONS}
"""By class of node: the arguments that it may have."""

FUNCTIONS = (
    "count, sum, avg, min, max, round, abs, ceil, floor, coalesce, nullif, greatest, least, lower, upper, trim, "
    "length, left, right, substring, position, concat, extract, date_trunc, to_char, current_date, now, row_number, "
    "rank, dense_rank, lag, lead"
)
"""The same functions as a model knows them."""

TYPES = frozenset(
    {
        *(exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.BOOLEAN),
        *(exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, exp.DType.DECIMAL, exp.DType.DOUBLE, exp.DType.FLOAT),
        *(exp.DType.DATE, exp.DType.TIME, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ, exp.DType.INTERVAL),
    }
)
"""What may be cast to: not ``char``, which fills up with spaces, ten million where one says so. Types that are looked
up in a catalogue (``regclass``) are of no class of :data:`ALLOWED`."""

JOINS = frozenset({"", "INNER", "CROSS", "OUTER"})
SIDES = frozenset({"", "LEFT", "RIGHT", "FULL"})
