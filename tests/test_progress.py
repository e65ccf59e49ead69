"""Progress bars."""

from __future__ import annotations

import subprocess
import sys


def test_a_notebook_without_its_widgets_hears_no_warning_of_ours() -> None:
    """Tqdm's would show where things are installed, and be saved with the notebook."""
    program = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "sys.modules['IPython'] = type(sys)('IPython')\n"
        "class Kernel: config = {'IPKernelApp': 1}\n"
        "sys.modules['IPython'].get_ipython = lambda: Kernel()\n"
        "sys.modules['ipywidgets'] = None\n"
        "from cohortkit.progress import bar\n"
        "b = bar(3, 'scan', 'file'); b.update(3); b.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stderr
    assert "Warning" not in done.stderr
