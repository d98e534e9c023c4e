"""What the program wrote when somebody last looked at it and found it right."""
