"""The command line: every command is there, and only what is run is imported."""

import subprocess
import sys

import pytest
from glmflow.cli import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_is_for(name, capsys):
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: glmflow {name}")


def test_the_list_of_commands_needs_no_library_that_takes_seconds():
    code = "import sys\nfrom glmflow.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
    code += "print(*sorted({'torch', 'pandas', 'numpy', 'pydantic'} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "" and all(name in done.stdout for name in COMMANDS)


def test_a_missing_package_is_a_line():
    code = "import sys; sys.modules['numpy'] = None\nfrom glmflow.cli import main\nsys.exit(main(['score', '--help']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr and "glmflow doctor" in done.stderr
