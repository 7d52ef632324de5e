"""Tsuzuki's web app and its launcher. Nothing is loaded here: what is small, as the simulator, starts quickly."""
