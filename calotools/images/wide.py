"""Sixteen (or four) neighbouring numbers at once: what rows of pixels compile to one or two machine instructions.

Nothing checks that these places exist: the caller does.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["NARROW", "WIDE", "add_narrow", "copy_wide", "different_wide", "fill_wide", "lowest_bit", "prefetch"]

WIDE, NARROW = 16, 4


def _place(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, array).data, [at])


def _everywhere(builder: Any, value: Any, n: int) -> Any:
    nothing = ir.Constant(ir.VectorType(value.type, n), ir.Undefined)
    one = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(ir.IntType(32), n), [0] * n))


@intrinsic
def copy_wide(typingctx: Any, to: Any, at: Any, source: Any, start: Any) -> Any:  # noqa: ARG001
    """``to[at : at + 16] = source[start : start + 16]``; arrays of one type that do not overlap there."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target = _place(context, builder, signature.args[0], arguments[0], arguments[1])
        origin = _place(context, builder, signature.args[2], arguments[2], arguments[3])
        n_bytes = context.get_constant(types.intp, WIDE * signature.args[0].dtype.bitwidth // 8)
        cgutils.raw_memcpy(builder, target, origin, n_bytes, 1)
        return context.get_dummy_value()

    return types.void(to, types.intp, source, types.intp), generate


@intrinsic
def fill_wide(typingctx: Any, to: Any, at: Any, value: Any) -> Any:  # noqa: ARG001
    """``to[at : at + 16] = value``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(arguments[2].type, WIDE)
        place = _place(context, builder, signature.args[0], arguments[0], arguments[1])
        n_bytes = signature.args[0].dtype.bitwidth // 8
        everywhere = _everywhere(builder, arguments[2], WIDE)
        builder.store(everywhere, builder.bitcast(place, vector.as_pointer()), align=n_bytes)
        return context.get_dummy_value()

    return types.void(to, types.intp, to.dtype), generate


@intrinsic
def add_narrow(typingctx: Any, to: Any, at: Any, value: Any, n: Any) -> Any:  # noqa: ARG001
    """``to[at : at + min(n, 4)] += value``; the others of four places get -0.0 added, which leaves them as they are."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        n_bytes = signature.args[0].dtype.bitwidth // 8
        place = _place(context, builder, signature.args[0], arguments[0], arguments[1])
        place = builder.bitcast(place, ir.VectorType(arguments[2].type, NARROW).as_pointer())
        lanes = ir.Constant(ir.VectorType(arguments[3].type, NARROW), list(range(NARROW)))
        wanted = builder.icmp_signed("<", lanes, _everywhere(builder, arguments[3], NARROW))
        nothing = _everywhere(builder, ir.Constant(arguments[2].type, -0.0), NARROW)
        added = builder.select(wanted, _everywhere(builder, arguments[2], NARROW), nothing)
        builder.store(builder.fadd(builder.load(place, align=n_bytes), added), place, align=n_bytes)
        return context.get_dummy_value()

    return types.void(to, types.intp, to.dtype, types.intp), generate


@intrinsic
def different_wide(typingctx: Any, array: Any, one: Any, other: Any) -> Any:  # noqa: ARG001
    """Bits k of 16 at which ``array[one + k] != array[other + k]``; of whole numbers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        n_bits = signature.args[0].dtype.bitwidth
        vector = ir.VectorType(ir.IntType(n_bits), WIDE)
        found = []
        for at in arguments[1:]:
            place = _place(context, builder, signature.args[0], arguments[0], at)
            found.append(builder.load(builder.bitcast(place, vector.as_pointer()), align=n_bits // 8))
        bits = builder.bitcast(builder.icmp_signed("!=", *found), ir.IntType(WIDE))
        return builder.zext(bits, ir.IntType(64))

    return types.int64(array, types.intp, types.intp), generate


@intrinsic
def lowest_bit(typingctx: Any, bits: Any) -> Any:  # noqa: ARG001
    """Number of the lowest bit that is set; `bits` is not 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


@intrinsic
def prefetch(typingctx: Any, array: Any, at: Any) -> Any:  # noqa: ARG001
    """Ask for the memory around ``array[at]``, which is read soon; the first axis of a contiguous array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = context.make_array(signature.args[0])(context, builder, arguments[0])
        step = builder.extract_value(found.strides, 0)
        start = builder.bitcast(found.data, ir.IntType(8).as_pointer())
        place = builder.gep(start, [builder.mul(arguments[1], step)])
        call = builder.module.declare_intrinsic(
            "llvm.prefetch", [place.type], ir.FunctionType(ir.VoidType(), [place.type, *[ir.IntType(32)] * 3])
        )
        reading, often, data = (ir.Constant(ir.IntType(32), number) for number in (0, 3, 1))
        builder.call(call, [place, reading, often, data])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate
