"""Confident learning (section 3 of the paper): thresholds, confident joint, label quality, flag rules."""
