"""Running a notebook from top to bottom, in a kernel of this very Python."""
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient


class ThisPython(AsyncKernelManager):
    """A kernel of the Python that runs this, whatever other kernels the machine calls python3."""

    def _kernel_spec_manager_default(self):
        return KernelSpecManager(kernel_dirs=[])


def run(notebook, folder, seconds, **options):
    """Fill in the outputs of a notebook, as if it lay in this folder; a cell may take so many seconds."""
    client = NotebookClient(notebook, timeout=seconds, kernel_name="python3", kernel_manager_class=ThisPython,
                            record_timing=False, coalesce_streams=True, extra_arguments=["--log-level=ERROR"],
                            resources={"metadata": {"path": str(folder)}}, **options)
    return client.execute()
