"""Pipecat: one LLM turn of a pipeline with tracing."""

import asyncio

from pipecat.frames.frames import EndFrame, LLMContextFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.utils.tracing.setup import setup_tracing
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry import trace

setup_tracing("pipecat", exporter=OTLPSpanExporter())


async def main():
    llm = OpenAILLMService(api_key="sk-fake", settings=OpenAILLMService.Settings(model="gpt-4o-mini"))
    task = PipelineTask(
        Pipeline([llm]),
        params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
        enable_tracing=True,
        enable_turn_tracking=True,
        conversation_id="chat-1",
        additional_span_attributes={"langfuse.session.id": "chat-1", "langfuse.user.id": "user-ada"},
    )
    context = LLMContext([{"role": "user", "content": "Tell me a joke"}])
    await task.queue_frames([LLMContextFrame(context), EndFrame()])
    await PipelineRunner(handle_sigint=False).run(task)


asyncio.run(main())
trace.get_tracer_provider().force_flush()
