"""What every recorded program asks, and the one tool it offers."""

QUESTION = "What is the population of Paris?"
MODEL = "gpt-4o-mini"
TOOL = {
    "type": "function",
    "function": {
        "name": "get_population",
        "description": "Number of inhabitants of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def get_population(city: str) -> int:
    """Number of inhabitants of a city."""
    return 2102650 if city == "Paris" else 0
