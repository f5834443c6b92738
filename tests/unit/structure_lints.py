"""Lints of the library's structure, read off its source text: circles of imports, names of kinds, doubled file names.

`package` is the folder `glmflow` of the library (or of a small made-up one), so that each lint can be shown to fail.
"""

import ast
import re
from collections import defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

KIND_FOLDERS = ("config/tasks", "tasks", "baselines", "checks", "new/proposals", "report/pages")
"""Where a file, or a folder, named as a kind is the kind's own."""
PAIRS = (
    KIND_FOLDERS,
    ("config/heads", "models/heads"),
    ("config/losses", "training/losses"),
    ("models/families", "models/sizes", "models/settings"),
    ("config/efficient", "models/efficient"),
)
"""Folders whose files share a name on purpose: settings, code and page of one thing."""
DISCOVERY = {"blocks_of", "modules_of", "iter_modules", "module_names"}
"""Functions with which a package finds its modules."""


class Source(NamedTuple):
    """A parsed file: its nodes, the node above each, and its text constants (docstrings left out)."""

    nodes: list
    parents: dict
    texts: list


@cache
def source(path):
    """Return the parsed source of a file."""
    nodes, parents = [ast.parse(path.read_text(encoding="utf-8"))], {}
    for node in nodes:  # which grows by the children of each
        children = list(ast.iter_child_nodes(node))
        nodes += children
        parents.update(dict.fromkeys(children, node))
    texts = [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return Source(nodes, parents, [node for node in texts if not isinstance(parents[node], ast.Expr)])


# --- what imports what ------------------------------------------------------------------------------------------


@cache
def modules(package):
    """Return the source file of each module by its full name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(package):
    """Return the modules of the library that each one imports, inside functions and under TYPE_CHECKING as well.

    A package that looks for its modules while it is imported counts as importing all of them; what is looked up by name
    inside of a function does not.
    """
    known = modules(package)
    found = {name: imported(package, path, name) for name, path in known.items()}
    for name, path in known.items():
        if path.name == "__init__.py" and discovers(path):
            found[name] = found[name] | {module for module in known if module.rpartition(".")[0] == name}
    return {name: targets - {name} for name, targets in found.items()}


@cache
def imported(package, path, name=""):
    """Return the modules of the library that a file imports; `name` is its own, for relative imports."""
    known, found = modules(package), set()
    inside = (name if path.name == "__init__.py" else name.rpartition(".")[0]).split(".")
    for node in source(path).nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = inside[: len(inside) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            targets = (f"{base}.{alias.name}" for alias in node.names)
            found.update(target if target in known else base for target in targets)
    return found & known.keys()


def discovers(path):
    """Whether a package looks for its modules while it is imported."""
    parents = source(path).parents
    for node in source(path).nodes:
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", None)) in DISCOVERY:
            while node in parents and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                node = parents[node]
            if isinstance(node, ast.Module):
                return True
    return False


def circle(package):
    """Return the modules of a circle of imports in their order, the first one again at the end; none without a circle."""
    try:
        TopologicalSorter(imports(package)).prepare()
    except CycleError as error:
        return error.args[1][::-1]
    return []


# --- kinds of task ----------------------------------------------------------------------------------------------


def kinds(package):
    """Return the names of the kinds of task: the modules of `config/tasks`."""
    return sorted(path.stem for path in (package / "config/tasks").glob("*.py") if not path.stem.startswith("_"))


@cache
def own_files(package, kind):
    """Return the files of a kind: those named as it, and the folders of the report that only its page imports."""
    own = set()
    for folder in KIND_FOLDERS:
        own.update((package / folder).glob(f"{kind}.*"))
        own.update((package / folder / kind).rglob("*"))
    for inside in sorted((package / "report").glob("*/__init__.py")):
        below = f"{package.name}.report.{inside.parent.name}"
        users = {
            modules(package)[name]
            for name, targets in imports(package).items()
            if not within(name, below) and any(within(target, below) for target in targets)
        }
        if users and users <= own:
            own.update(inside.parent.rglob("*"))
    return frozenset(own)


def within(module, package):
    """Whether a module is a package or lies in it."""
    return module == package or module.startswith(f"{package}.")


def code(package):
    """Return the Python files of the library, and the scripts beside it."""
    return [*modules(package).values(), *sorted(package.parent.glob("*.py"))]


def is_compound(kind):
    """Whether a name is more than a word of English (`snp2gex`, `context_extension`): as text it stands for the kind."""
    return not kind.isalpha()


def named_kinds(package):
    """Return where the name of a kind stands in code outside of its own files.

    Counted are: imports of the kind's modules; paths to its files in text; text that holds the name as a word or, if the
    name is a plain word (`sequences`), text that is the name and stands for a kind (see `stands_for_kind`). A name with a
    digit is no English at all: it is not to stand in names, comments and docstrings either.
    """
    found = []
    for kind in kinds(package):
        own = own_files(package, kind)
        for path in code(package):
            if path not in own:
                found += [f"{path.relative_to(package.parent)}:{text}" for text in of_kind(package, path, kind)]
    return found


@cache
def names_of(package):
    """Return the full name of each module by its file."""
    return {file: name for name, file in modules(package).items()}


@cache
def own_modules(package, kind):
    """Return the full names of the modules of a kind."""
    return {name for file, name in names_of(package).items() if file in own_files(package, kind)}


def of_kind(package, path, kind):
    """Yield the lines of a file that name a kind."""
    # A package that finds the kinds imports all of them: `config/tasks/__init__.py`.
    if taken := imported(package, path, names_of(package).get(path, "")) & own_modules(package, kind):
        yield f"1: imports {', '.join(sorted(taken))}"
    in_path = re.compile(rf"\b(?:tasks|baselines|checks|pages)[./]{kind}\b")
    for node in source(path).texts:
        word = is_compound(kind) and re.search(rf"(?<!\w){kind}(?!\w)", node.value)
        alone = node.value == kind and stands_for_kind(node, path, kinds(package))
        if word or alone or in_path.search(node.value):
            yield f"{node.lineno}: {node.value!r}"
    if any(map(str.isdigit, kind)):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(rf"(?<![a-z0-9]){kind}", line, re.IGNORECASE):
                yield f"{number}: {line.strip()}"


def stands_for_kind(node, path, names):
    """Whether a text that is the name of a kind stands for the kind, and not for the plain word.

    It does if it is compared with a kind (`kind == "sequences"`, `match task.kind`), given as one (`{"kind": "sequences"}`,
    `KIND = "sequences"`, `module(tasks, "sequences")`), stands beside the name of another kind, or is a key of a table
    that is asked by kind (`SIZES[task.kind]`).
    """
    parents = source(path).parents
    inner, outer = node, parents[node]
    while isinstance(outer, ast.List | ast.Tuple | ast.Set | ast.MatchOr | ast.MatchValue):
        if len({getattr(one, "value", None) for one in getattr(outer, "elts", [])} & set(names)) > 1:
            return True
        inner, outer = outer, parents[outer]
    match outer:
        case ast.Compare():
            return any(is_kind(side) for side in (outer.left, *outer.comparators) if side is not inner)
        case ast.match_case():
            return is_kind(parents[outer].subject)
        case ast.keyword():
            return outer.arg == "kind"
        case ast.Call():
            return getattr(outer.func, "id", None) in ("module", "find_kind")
        case ast.Assign() | ast.AnnAssign():
            return any(map(is_kind, targets_of(outer)))
        case ast.Dict() if inner in outer.values:
            return getattr(outer.keys[outer.values.index(inner)], "value", None) == "kind"
        case ast.Dict():
            keys = {getattr(key, "value", None) for key in outer.keys}
            tables = {ast.unparse(one) for one in (outer, *targets_of(parents[outer]))}
            return len(keys & set(names)) > 1 or bool(tables & asked_by_kind(path))
    return False


def targets_of(node):
    """Return what an assignment assigns to; nothing if it is no assignment."""
    return getattr(node, "targets", [node.target] if isinstance(node, ast.AnnAssign) else [])


def is_kind(node):
    """Whether an expression is a kind by its name: `kind`, `task.kind`, `settings["task"]["kind"]`, `kind_of(task)`."""
    return re.search(r"(?<![a-z])kinds?(?:_of)?(?![a-z])", ast.unparse(node), re.IGNORECASE) is not None


@cache
def asked_by_kind(path):
    """Return the tables that a file asks by kind: `TABLE[task.kind]`, `TABLE.get(kind)`."""
    found = set()
    for node in source(path).nodes:
        if isinstance(node, ast.Subscript) and is_kind(node.slice):
            found.add(ast.unparse(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and any(map(is_kind, node.args)):
            found.add(ast.unparse(node.func.value))
    return found


def named_in_text(package, files):
    """Return where the name of a kind stands in rules, templates and other files that are no Python."""
    found = []
    for kind in kinds(package):
        pattern = rf"(?<!\w){kind}(?!\w)" if is_compound(kind) else rf"kind\W+{kind}\b"
        pattern += rf"|\b(?:tasks|baselines|checks|pages)[./]{kind}\b"
        for path in files:
            if path not in own_files(package, kind):
                lines = path.read_text(encoding="utf-8").splitlines()
                found += [f"{path.name}:{n}: {line}" for n, line in enumerate(lines, 1) if re.search(pattern, line)]
    return found


def branches(package):
    """Return where code outside of kinds' own files decides by the kind of a task, openly or by asking what it is."""
    own = frozenset().union(*(own_files(package, kind) for kind in kinds(package)))
    found = []
    for path in code(package):
        if path not in own:
            for node in filter(decides, source(path).nodes):
                found.append(f"{path.relative_to(package.parent)}:{node.lineno}: {ast.unparse(node).splitlines()[0]}")
    return found


def decides(node):
    """Whether a node decides by the kind of a task."""
    match node:
        case ast.Match():
            return is_task_kind(node.subject)
        case ast.Compare():
            sides = [node.left, *node.comparators]
            return any(map(is_task_kind, sides)) and any(map(holds_text, sides))
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Name(id="Mapping")]):  # not checked yet
            return False
        case ast.Call(func=ast.Name(id="getattr" | "hasattr" | "isinstance")):
            return re.fullmatch(r"(.*\.)?task|(.*\.)?tasks\[.*\]", ast.unparse(node.args[0])) is not None
    return False


def is_task_kind(node):
    """Whether an expression is the kind of a task: `task.kind`, `study.tasks[label].kind`, `settings["task"]["kind"]`."""
    return re.search(r"\btasks?\b.*(?:\.kind|\['kind'\])$", ast.unparse(node)) is not None


def holds_text(node):
    """Whether an expression is text, or a collection with text in it, as it is written."""
    parts = [node, *getattr(node, "elts", [])]
    return any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts)


# --- names of files ---------------------------------------------------------------------------------------------


def doubled(package):
    """Return the names that several modules have, with their files; those of `PAIRS` may share theirs."""
    files = defaultdict(list)
    for path in modules(package).values():
        if path.name != "__init__.py":
            files[path.stem].append(path.relative_to(package))
    return [
        f"{name}: {', '.join(map(Path.as_posix, paths))}"
        for name, paths in sorted(files.items())
        if len(paths) > 1 and not any({path.parent.as_posix() for path in paths} <= set(pair) for pair in PAIRS)
    ]
