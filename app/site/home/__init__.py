"""Pages about all datasets: home, method, reproduction, media coverage."""
