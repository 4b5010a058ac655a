"""Confident learning (section 3 of the paper): thresholds, the confident joint, label quality, rules that flag."""
