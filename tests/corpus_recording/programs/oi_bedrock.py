"""OpenInference's instrumentation of Bedrock's Converse API."""

import os

import boto3
from openinference.instrumentation.bedrock import BedrockInstrumentor
from _scenario import QUESTION
from _setup import otlp

BedrockInstrumentor().instrument(tracer_provider=otlp("bedrock"))
client = boto3.client("bedrock-runtime", endpoint_url=os.environ["PROVIDER_URL"])
client.converse(
    modelId="anthropic.claude-3-haiku-20240307-v1:0",
    messages=[{"role": "user", "content": [{"text": QUESTION}]}],
    inferenceConfig={"maxTokens": 100, "temperature": 0.2},
)
