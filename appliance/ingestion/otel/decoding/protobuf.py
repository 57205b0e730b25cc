"""OTLP exports in protobuf, also with invalid UTF-8, which other languages accept (C++, PHP)."""

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
"""The files of the schema, each after those that it imports."""
_MARK: Final = "_as_bytes"


def export_of(content: bytes) -> ExportTraceServiceRequest:
    """The export, with U+FFFD for invalid UTF-8; raises DecodeError for invalid protobuf."""
    try:
        return ExportTraceServiceRequest.FromString(content)
    except DecodeError:
        loose = _loose_export()()
        loose.ParseFromString(content)
        _fix(loose)
        return ExportTraceServiceRequest.FromString(loose.SerializeToString())


@lru_cache(maxsize=1)
def _loose_export() -> type[Message]:
    """The message class of exports with bytes in place of strings."""
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


def _fix(message: Message) -> None:
    """Replace invalid UTF-8 in all strings of a loose message."""
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in (value,) if isinstance(value, Message) else value:
                _fix(inner)
        elif field.name.endswith(_MARK):
            if isinstance(value, bytes):
                setattr(message, field.name, _fixed(value))
            else:
                value[:] = [_fixed(text) for text in value]


def _fixed(text: bytes) -> bytes:
    return text.decode(errors="replace").encode()
