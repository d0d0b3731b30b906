"""Which architecture should read these pictures? The cheapest network of each group against all baselines.

    python examples/images.py
"""

import bakeoff

result = bakeoff.run("sample:digits", slate="quick", budget="3m")

print(result.leaderboard[["rank", "contender", "group", "value", "low", "high", "macs"]].to_string(index=False))
print(result.verdict["sentence"])
print("report:", result.report)

first = result.recommended.predict("sample:digits")[:10]      # a folder, a file or an array of pictures
print("the first ten digits are", *first)
