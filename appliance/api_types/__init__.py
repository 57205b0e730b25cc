"""Requests and answers of the public API as structs: web encodes them, clients decode and read them.

Times are ISO 8601 texts in UTC with milliseconds, as they are sent; durations are seconds and costs USD. A field is
`UNSET` where an answer leaves it out. All but ids have defaults, as servers of other versions may lack a field.
"""
