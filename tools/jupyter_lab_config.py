"""JupyterLab for analysts on a closed network: this machine only, nothing asked from outside."""

from pathlib import Path

c = get_config()  # noqa: F821

c.ServerApp.ip = "127.0.0.1"
c.ServerApp.root_dir = "."
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
# Japanese interface, no question about news.
c.LabApp.app_settings_dir = str(Path(__file__).parent / "lab_settings")
