"""OTLP exports in protobuf, also those with text that is no UTF-8, which other languages let pass (C++, PHP)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_FILES: Final = (common_pb2, resource_pb2, trace_pb2, trace_service_pb2)
"""Each after those that it imports."""
_MARK: Final = "_as_bytes"


def export_of(content: bytes) -> ExportTraceServiceRequest:
    """The export that was serialised, U+FFFD for what is no UTF-8; raises DecodeError for what is no export."""
    try:
        return ExportTraceServiceRequest.FromString(content)
    except DecodeError:
        loose = _loose_export()()
        loose.ParseFromString(content)
        _mend(loose)
        return ExportTraceServiceRequest.FromString(loose.SerializeToString())


@lru_cache(maxsize=1)
def _loose_export() -> type[Message]:
    """An export as it is defined, but for texts, which are bytes."""
    pool = DescriptorPool()
    for module in _FILES:
        file = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            _loosen(message)
        pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(ExportTraceServiceRequest.DESCRIPTOR.full_name))


def _loosen(message: DescriptorProto) -> None:
    for field in message.field:
        if field.type == FieldDescriptorProto.TYPE_STRING:
            field.type = FieldDescriptorProto.TYPE_BYTES
            field.name += _MARK
    for inner in message.nested_type:
        _loosen(inner)


def _mend(message: Message) -> None:
    """Replace what is no UTF-8 in all texts of a loose message."""
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in (value,) if isinstance(value, Message) else value:
                _mend(inner)
        elif field.name.endswith(_MARK):
            if isinstance(value, bytes):
                setattr(message, field.name, _mended(value))
            else:
                value[:] = [_mended(text) for text in value]


def _mended(text: bytes) -> bytes:
    return text.decode(errors="replace").encode()
