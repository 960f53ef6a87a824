"""torch's counter of floating point operations, without torch's compiler, whose import takes longer than counting."""

from inspect import unwrap

from torch.utils.flop_counter import FlopCounterMode, _FlopCounterMode


class _Mode(_FlopCounterMode):
    # torch keeps `torch.compile` away from what looks at operations, for which it imports it: 1.3 s of processor time.
    __torch_dispatch__ = unwrap(_FlopCounterMode.__torch_dispatch__)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


class Counter(FlopCounterMode):
    """`FlopCounterMode` that shows nothing, for what is not compiled."""

    def __init__(self) -> None:
        super().__init__(display=False)

    def __enter__(self) -> "Counter":
        self.flop_counts.clear()
        self.mod_tracker.__enter__()
        self.mode = _Mode(self)
        self.mode.__enter__()
        return self
