"""What the program wrote when somebody last looked at it and found it right.

``make golden`` writes all of it anew; there is no other way.
"""

RENEW = (
    "differs from the golden file. If the change is wanted: run `make golden`, look at `git diff "
    "tests/golden`, and name each difference in the commit message."
)
