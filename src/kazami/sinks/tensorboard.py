"""TensorBoard: an event file with the numbers as scalars and the findings as texts."""

import os
import socket
import time
from typing import Any, ClassVar

from ..records.finding import Finding
from ._base import PREFIX, AbstractSink, in_words


class TensorBoard(AbstractSink):
    """Writes an event file with the package tensorboard alone; torch and TensorFlow are not touched.

    The setting is the folder; without one it is ``tensorboard`` in the run directory, or ``runs/kazami-tensorboard`` where there is none. Every step is on
    disk when the next comes.
    """

    name: ClassVar = "tensorboard"
    package: ClassVar = "tensorboard"
    extra: ClassVar = "tensorboard"
    _writer: Any = None
    _file: Any = None

    def log(self, step: int, values: dict[str, float]) -> None:
        """Write the numbers of one step as scalars."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._write(step, Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]))

    def finding(self, step: int, finding: Finding) -> None:
        """Write a finding as text."""
        self._text(step, f"{PREFIX}findings/{finding.name}", f"**{finding.severity} {finding.id}** {in_words(finding)}")

    def artifact(self, path: str) -> None:
        """Write where the report is: TensorBoard keeps no files."""
        self._text(0, f"{PREFIX}report", f"`{path}`")

    def close(self) -> None:
        """Close the event file."""
        if self._file is not None:
            self._file.close()

    def _text(self, step: int, tag: str, text: str) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

        shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
        tensor = TensorProto(dtype="DT_STRING", string_val=[text.encode()], tensor_shape=shape)
        metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
        self._write(step, Summary(value=[Summary.Value(tag=f"{tag}/text_summary", metadata=metadata, tensor=tensor)]))

    def _write(self, step: int, summary: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        if self._writer is None:
            self._open(Event)
        self._writer.write(Event(wall_time=time.time(), step=step, summary=summary).SerializeToString())

    def _open(self, event: Any) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        folder = self.setting or (os.path.join(self.run, "tensorboard") if os.path.isdir(self.run) else os.path.join("runs", "kazami-tensorboard"))
        os.makedirs(folder, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}.kazami"
        self._file = open(os.path.join(folder, name), "xb", buffering=0)  # noqa: SIM115  # closed by close; unbuffered, so that a fork has nothing to flush
        self._writer = RecordWriter(self._file)
        self._writer.write(event(wall_time=time.time(), file_version="brain.Event:2").SerializeToString())
