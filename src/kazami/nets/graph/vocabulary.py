"""The words of a graph: one name for an operation however it was called, the sign drawn for it, and what kind of operation it is."""

from typing import Any


def words_of(text: str) -> frozenset[str]:
    """Return the words of a line as a set.

    >>> sorted(words_of("mul add"))
    ['add', 'mul']
    """
    return frozenset(text.split())


_SYNONYMS: dict[str, str] = {
    word: name
    for name, words in {
        "add": "iadd radd",
        "sub": "isub subtract rsub",
        "mul": "imul rmul multiply",
        "div": "truediv itruediv rtruediv true_divide divide rdiv",
        "matmul": "mm bmm imatmul rmatmul mv dot",
        "pow": "ipow rpow float_power",
        "neg": "negative",
        "and": "iand rand logical_and bitwise_and",
        "or": "ior ror logical_or bitwise_or",
        "not": "invert logical_not bitwise_not",
        "gt": "greater",
        "lt": "less",
        "ge": "greater_equal",
        "le": "less_equal",
        "ne": "not_equal",
        "cat": "concat concatenate",
        "softmax": "_softmax special_softmax _safe_softmax",
        "log_softmax": "_log_softmax special_log_softmax",
        "sigmoid": "special_expit",
        "layer_norm": "native_layer_norm",
        "batch_norm": "native_batch_norm _native_batch_norm_legit cudnn_batch_norm _native_batch_norm_legit_no_training _batch_norm_with_update",
        "group_norm": "native_group_norm",
        "dropout": "native_dropout feature_dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout",
        "scaled_dot_product_attention": (
            "_scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_flash_attention _scaled_dot_product_efficient_attention "
            "_scaled_dot_product_attention_math _scaled_dot_product_cudnn_attention"
        ),
        "view": "_unsafe_view",
        "expand": "broadcast_to",
        "transpose": "swapaxes swapdims swapaxis",
        "permute": "movedim moveaxis",
        "copy": "copy_",
        "cast": "to _to_copy type type_as float double half bfloat16 int long bool",
        "setitem": "index_put _index_put_impl",
        "rnn": "rnn_tanh rnn_relu",
        "decision": "__bool__ item _local_scalar_dense is_nonzero tolist __float__ __int__ __index__ numpy __array__ __complex__",
        "leaky_relu": "rrelu",
    }.items()
    for word in words.split()
}

SOURCES = ("input", "parameter", "buffer", "constant")  # what no operation made
PRODUCTS = words_of(
    "linear matmul addmm baddbmm addmv einsum tensordot bilinear conv1d conv2d conv3d conv_transpose1d conv_transpose2d "
    "conv_transpose3d convolution embedding embedding_bag inner chain_matmul"
)
RECURRENT = words_of("lstm gru rnn lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell quantized_lstm")
NORMS = words_of("batch_norm layer_norm group_norm instance_norm rms_norm _fused_rms_norm local_response_norm normalize")
ACTIVATIONS = words_of(
    "relu relu6 leaky_relu prelu elu selu celu gelu silu mish sigmoid tanh hardtanh hardsigmoid hardswish softplus softsign softshrink "
    "hardshrink tanhshrink logsigmoid log_sigmoid threshold glu softmax log_softmax softmin erf sin heaviside"
)
# Operations that take no size as an argument: a graph of these alone may be run on a larger batch.
SIZELESS = (
    ACTIVATIONS
    | frozenset(SOURCES)
    | words_of(
        "linear matmul addmm conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d embedding add sub mul div neg pow exp "
        "log sqrt cat stack flatten dropout transpose permute t mean sum abs maximum minimum clamp layer_norm batch_norm group_norm "
        "instance_norm rms_norm max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d "
        "contiguous clone detach"
    )
)
SHAPERS = words_of("view reshape transpose permute t T mT H flatten unflatten squeeze unsqueeze expand expand_as view_as ravel adjoint numpy_T")
NOTHING = words_of(
    "contiguous alias lift_fresh lift_fresh_copy lift clone positive requires_grad as_subclass _reshape_alias view_as_self is_pinned "
    "data set_ _assert_tensor_metadata _assert_async _assert_scalar sym_constrain_range_for_size sym_constrain_range sym_size"
)
# What fills a tensor with values that come from no data: its result is a constant, whatever it took its size from.
FILLED = {
    "0": "zeros new_zeros zeros_like",
    "empty": "new_empty empty empty_like empty_strided new_empty_strided empty_permuted",
    "1": "ones new_ones ones_like",
    "constant": "full new_full full_like tensor scalar_tensor eye linspace logspace new_tensor as_tensor",
    "0, 1, 2 …": "arange range",
}
CONSTANT_OF = {word: label for label, filled in FILLED.items() for word in filled.split()}
JOINS = words_of("cat stack add sub mul div where maximum minimum lerp addcmul addcdiv hstack vstack dstack column_stack logaddexp")
ATTENTION = words_of("scaled_dot_product_attention multi_head_attention_forward flex_attention")
# Constants that say which part of the data is read, not what is done with them: the steps of an unrolled loop differ in nothing else.
PICKS = words_of("select slice getitem narrow index_select unbind chunk split split_with_sizes tensor_split")
BEHIND_PRODUCT = {"linear": 2, "conv1d": 2, "conv2d": 2, "conv3d": 2, "conv_transpose1d": 2, "conv_transpose2d": 2, "conv_transpose3d": 2, "convolution": 2}

SIGNS = {
    "add": "+",
    "sub": "−",
    "mul": "×",
    "div": "÷",
    "matmul": "·",
    "linear": "·",
    "neg": "−",
    "pow": "^",
    "cat": "concat",
    "scaled_dot_product_attention": "softmax(Q·Kᵀ/√d)·V",
    "multi_head_attention_forward": "attention",
    "gt": ">",
    "lt": "<",
    "ge": "≥",
    "le": "≤",
    "eq": "=",
    "ne": "≠",
}
_IN_PLACE = words_of("setitem iadd isub imul itruediv ipow iand ior imatmul ifloordiv imod")
CONVOLUTIONS = words_of("conv1d conv2d conv3d convolution")
TRANSPOSED_CONVOLUTIONS = words_of("conv_transpose1d conv_transpose2d conv_transpose3d")


def plain_name(called: Any) -> str:
    """Return the one name of an operation, whatever it was called as.

    Args:
        called: An operator of ``torch.ops``, a function, a method, or the name of one.

    Example:
        >>> import operator, torch
        >>> plain_name(torch.ops.aten.add_.Tensor), plain_name(operator.truediv), plain_name(torch.Tensor.__matmul__), plain_name("permute")
        ('add', 'div', 'matmul', 'permute')
    """
    schema = getattr(called, "_schema", None)
    raw = schema.name.rpartition("::")[2] if schema is not None else called if isinstance(called, str) else getattr(called, "__name__", type(called).__name__)
    if raw == "__get__":  # a property such as x.T
        raw = getattr(getattr(called, "__self__", None), "__name__", raw)
    if raw in _SYNONYMS:
        return _SYNONYMS[raw]
    bare = raw[2:-2] if raw.startswith("__") and raw.endswith("__") else raw.rstrip("_") or raw
    return _SYNONYMS.get(bare, bare)


def is_reversed(called: Any) -> bool:
    """Return whether a call's operands come in the wrong order (``1 - x`` calls ``x.__rsub__(1)``)."""
    name = called if isinstance(called, str) else getattr(called, "__name__", "")
    return name in ("__rsub__", "rsub", "__rtruediv__", "__rpow__", "__rmatmul__", "__rdiv__")


def is_in_place(called: Any) -> bool:
    """Return whether an operation changes its first operand.

    Example:
        >>> is_in_place("add_"), is_in_place("__setitem__"), is_in_place("__add__"), is_in_place("__iadd__")
        (True, True, False, True)
    """
    schema = getattr(called, "_schema", None)
    raw = schema.name.rpartition("::")[2] if schema is not None else called if isinstance(called, str) else getattr(called, "__name__", "")
    if raw.strip("_") in _IN_PLACE:
        return True
    if raw.startswith("__") and raw.endswith("__"):
        return False
    return raw.endswith("_") and not raw.endswith("__") and raw not in ("requires_grad_", "lift_", "share_memory_", "detach_", "retain_grad_")
