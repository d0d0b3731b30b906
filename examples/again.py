"""The same plan, seed and machine give the same table; another seed says how much of it was luck.

    python examples/again.py
"""

import bakeoff

options = {"slate": "fcn,gru", "budget": "1m", "seeds": 2}
first = bakeoff.run("sample:digits", **options)
again = bakeoff.run("sample:digits", plan=first.folder / "plan.json", **options)
other = bakeoff.run("sample:digits", seed=1, **options)

for name, result in {"first": first, "the same plan": again, "another seed": other}.items():
    values = result.leaderboard.set_index("contender")["value"]
    print(f"{name:<14}", "  ".join(f"{contender} {value:.4f}" for contender, value in values.items()))
same = first.leaderboard["value"].equals(again.leaderboard["value"])
print("the same plan gave the same values:", same)
