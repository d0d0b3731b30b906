"""Order decides: in these texts only which of two words comes first tells the class. Who can see that?

    python examples/sequences.py
"""

import bakeoff

result = bakeoff.run("sample:order", slate="gru,tcn,transformer,mlp", budget="3m", set={"width": [32, 64]})

table = result.leaderboard.set_index("contender")
for name, row in table.iterrows():
    print(f"{name:<12} {row['value']:.3f}  ({row['low']:.3f} – {row['high']:.3f})  {row['macs']:>12,.0f} operations")

verdict = result.verdict
print("\nbest baseline beaten:", verdict["beats_baseline"])
print(verdict["sentence"])
