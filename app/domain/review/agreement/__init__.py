"""How far raters agree, what each of them is like, and what their answers say together."""
