"""Official Python SDK 3 to 5: an experiment over a new dataset; prints what it recorded, or read back, as JSON."""

import json
import sys

from langfuse import Evaluation, get_client

dataset_name, run_name, action = sys.argv[1:]
langfuse = get_client()


def double(*, item, **_):
    return item.input["number"] * 2


def is_right(*, output, expected_output, **_):
    return Evaluation(name="is right", value=output == expected_output, data_type="BOOLEAN")


def share_of_right(*, item_results, **_):
    right = [result for result in item_results if result.evaluations[0].value]
    return Evaluation(name="share of right", value=len(right) / len(item_results))


if action == "delete":
    langfuse.delete_dataset_run(dataset_name=dataset_name, run_name=run_name)
    print(json.dumps({"left": langfuse.get_dataset_runs(dataset_name=dataset_name).meta.total_items}))
    sys.exit()

langfuse.create_dataset(name=dataset_name)
for number in range(4):
    langfuse.create_dataset_item(
        dataset_name=dataset_name,
        id=f"{dataset_name} {number}",
        input={"number": number},
        expected_output=number * 2 % 5,
    )
result = langfuse.get_dataset(dataset_name).run_experiment(
    name="double",
    run_name=run_name,
    description="twice as much",
    task=double,
    evaluators=[is_right],
    run_evaluators=[share_of_right],
    metadata={"model": "none"},
)
langfuse.flush()
printed = {"traces": {each.item.id: each.trace_id for each in result.item_results}}
if hasattr(langfuse, "get_dataset_run"):  # the newest knows no runs
    run = langfuse.get_dataset_run(dataset_name=dataset_name, run_name=run_name)
    [listed] = langfuse.get_dataset_runs(dataset_name=dataset_name).data
    assert (listed.id, listed.name, listed.description) == (run.id, run_name, "twice as much")
    printed["run"] = {
        "id": run.id,
        "metadata": run.metadata,
        "items": {each.dataset_item_id: each.trace_id for each in run.dataset_run_items},
    }
print(json.dumps({name: json.dumps(value) for name, value in printed.items()}))
