"""Configuration of Sphinx: ``sphinx-build -W -b html docs docs/_build/html``."""

import inspect
import os
import re
import sys
import urllib.request
from importlib import import_module
from pathlib import Path

from docutils import nodes
from numpydoc.xref import DEFAULT_LINKS
from sphinx import addnodes
from sphinx.ext.intersphinx import InventoryAdapter
from sphinx.transforms.post_transforms import SphinxPostTransform

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import api_pages  # noqa: E402  (found by the path above)
import gallery_pages  # noqa: E402  (as above)
import speed_plots  # noqa: E402  (as above)

import arraygrad  # noqa: E402  (as above)

project = "arraygrad"
author = copyright = "The arraygrad developers"
version = release = arraygrad.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_design",
]
# What is copied has neither prompts nor results.
copybutton_prompt_text = r">>> |\.\.\. ?"
copybutton_prompt_is_regexp = True
copybutton_copy_empty_lines = False

templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
exclude_patterns = ["_build"]

html_theme = "pydata_sphinx_theme"
html_title = f"arraygrad {version}"
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
if switcher := os.environ.get("DOCS_SWITCHER"):  # of a site with several versions: .ci/publish-docs
    html_theme_options |= {
        "switcher": {"json_url": switcher, "version_match": os.environ["DOCS_VERSION"]},
        "check_switcher": False,
        "navbar_end": ["version-switcher", "theme-switcher", "navbar-icon-links"],
    }
html_sidebars = {"index": [], "conformance": [], "changelog": []}
html_show_sourcelink = False
html_copy_source = False
smartquotes = False  # the pages are read as they are written, on other sites too

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say it in words
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # the templates show them
numpydoc_xref_param_type = True
# numpydoc's own links are roles that warn where they find nothing.
numpydoc_xref_aliases = {name: name for name in DEFAULT_LINKS}
numpydoc_xref_aliases |= {
    name: f":obj:`{name} <python:{name}>`"
    for name in ("None", "bool", "str", "int", "float", "complex", "tuple", "list", "dict", "slice")
}
numpydoc_xref_aliases |= {
    "numpy.ndarray": ":obj:`numpy.ndarray`",
    "Tensor": ":obj:`~arraygrad.Tensor`",
    "Device": ":obj:`~arraygrad.Device`",
}
numpydoc_xref_ignore = "all"  # but for these
nitpicky = True
# What is not ours can be looked up only where the inventories are; there it becomes a link.
nitpick_ignore_regex = [("py:.*", r"(?!arraygrad\b).*")]

# --- links to other projects

PROJECTS = {
    "python": "https://docs.python.org/3/",
    "numpy": "https://numpy.org/doc/stable/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
    "sklearn": "https://scikit-learn.org/stable/",
    "array-api": f"https://data-apis.org/array-api/{arraygrad.__array_api_version__}/",
}


def inventories():
    """Projects whose list of names is cached or can be downloaded.

    The site has no links to the others. Sphinx can download the lists, but warns if it cannot, and
    warnings are errors. So the site could not be built without a network.
    """
    folder = HERE / "_build" / "inventories"
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, url in PROJECTS.items():
        path = folder / f"{name}.inv"
        if not path.exists():
            request = urllib.request.Request(f"{url}objects.inv", headers={"User-Agent": "Sphinx"})
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    content = answer.read()
                if not content.startswith(b"# Sphinx inventory version"):
                    raise OSError("what came is no inventory")
            except OSError as problem:
                print(f"docs: no links to {url}: {problem}")
                continue
            path.write_bytes(content)
        found[name] = (url, str(path))
    return found


intersphinx_mapping = inventories()

# --- names as links
#
# Pages and docstrings are written for readers of plain text too: names stand in backticks, without
# roles. Here those that mean something become links.

default_role = "literal"

SHORT = {"xp": "arraygrad", "autodiff": "arraygrad.autodiff", "np": "numpy"}
LIBRARIES = ("numpy", "scipy", "sklearn")
PUBLIC = api_pages.public_names()


def meaning(text, place=(), parameters=()):
    """Full name that a piece of code refers to; None if there is none.

    A name without dots is looked up in `place`, the names around a docstring, unless it is a
    parameter there.
    """
    match = re.fullmatch(r"([A-Za-z_][\w.]*)(\(.*\))?", text)
    if match is None:
        return None
    name = match[1]
    first, dot, rest = name.partition(".")
    name = f"{SHORT.get(first, first)}{dot}{rest}"
    if name in PUBLIC or (dot and name.startswith(tuple(f"{lib}." for lib in LIBRARIES))):
        return name
    if first not in parameters:
        return next((f"{p}.{name}" for p in place if f"{p}.{name}" in PUBLIC), None)
    return None


def surroundings(node):
    """Names around the docstring of a node, and the names of its parameters."""
    while node is not None and not isinstance(node, addnodes.desc):
        node = node.parent
    if node is None or not (name := node[0].get("fullname")) or not node[0].get("module"):
        return (), ()
    module = node[0]["module"]
    thing = import_module(module)
    for part in name.split("."):
        thing = getattr(thing, part, None)
    try:
        parameters = tuple(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        parameters = ()
    around = (f"{module}.{name}", f"{module}.{name}".rpartition(".")[0], module, "arraygrad")
    return tuple(dict.fromkeys(around)), parameters


def link_names(app, doctree):
    """Turn names in code font into links."""
    for node in list(doctree.findall(nodes.literal)):
        ancestor = node.parent
        while ancestor is not None and not isinstance(
            ancestor, (nodes.reference, addnodes.pending_xref, nodes.title, addnodes.desc_signature)
        ):
            ancestor = ancestor.parent
        if ancestor is not None:
            continue
        if page := re.fullmatch(r"docs/(\S+)\.md", node.astext()):
            node.replace_self(
                addnodes.pending_xref(
                    "", node.deepcopy(), refdomain="std", reftype="doc", refdoc=app.env.docname,
                    reftarget=f"/{page[1]}", refexplicit=True, refwarn=True,
                )
            )  # fmt: skip
            continue
        place, parameters = surroundings(node)
        name = meaning(node.astext(), place, parameters)
        if name is not None and name not in place[:1]:
            node.replace_self(link(app, name, node.deepcopy()))


def link(app, name, *children):
    """Link to the object with this full name, in this project or another."""
    return addnodes.pending_xref(
        "", *children, refdomain="py", reftype="obj", reftarget=name, refdoc=app.env.docname
    )


def link_standard(app, doctree):
    """Add a link to the standard below each of its functions."""
    inventory = InventoryAdapter(app.env).named_inventory.get("array-api", {})
    known = {name for kind, names in inventory.items() if kind.startswith("py:") for name in names}
    for desc in list(doctree.findall(addnodes.desc)):
        name = f"{desc[0].get('module')}.{desc[0].get('fullname')}"
        name = name.replace("arraygrad.Tensor.", "array_api.array.")
        name = name.replace("arraygrad.", "array_api.", 1)
        if name in known:
            text = nodes.literal(name, name)
            desc[-1] += nodes.paragraph(
                "", "", nodes.Text("In the standard: "), link(app, name, text)
            )


# --- links out of the pages' folder

PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "fakecuda/README.md": "fakecuda.md",
}


def mend_links(text, up):
    """Redirect links to files that are not pages: to the page that includes them, or nowhere."""

    def mended(match):
        words, target = match.groups()
        path, sharp, anchor = target.partition("#")
        if path in PAGES:
            return f"[{words}]({PAGES[path]}{sharp}{anchor})"
        if not up and path.startswith("docs/"):
            return f"[{words}]({path.removeprefix('docs/')}{sharp}{anchor})"
        return words

    pattern = r"\[([^\]]+)\]\(" + (r"\.\./" if up else r"(?!https?:|#)") + r"([^)\s]+)\)"
    return re.sub(pattern, mended, text)


def mend_page(app, docname, content):
    """Redirect the links of a page."""
    content[0] = mend_links(content[0], up=True)


def mend_included(app, path, docname, content):
    """Redirect the links of an included file."""
    content[0] = mend_links(content[0], up=False)


def end_blocks(app, doctree):
    """Show the empty line that ends a block in Python's prompt, so that it is copied, too."""
    for node in doctree.findall(lambda n: isinstance(n, nodes.literal_block | nodes.doctest_block)):
        text = node.astext()
        if text.startswith(">>> "):
            node.rawsource = re.sub(r"(?m)^(\.\.\. {4}.*)\n(?!\.\.\.)", r"\1\n...\n", text + "\n")
            node.children = [nodes.Text(node.rawsource)]


class BreakCode(SphinxPostTransform):
    """Let code in tables break after dots, commas and opening brackets."""

    default_priority = 900  # links are made by then

    def run(self, **options):
        """Put a mark where a line may end."""
        for entry in self.document.findall(nodes.entry):
            for text in list(entry.findall(nodes.Text)):
                if isinstance(text.parent, nodes.literal):
                    first, *rest = re.split(r"(?<=[\w)][.,(=])", text)
                    pieces = [nodes.Text(first)]
                    for piece in rest:
                        pieces += [nodes.raw("", "<wbr>", format="html"), nodes.Text(piece)]
                    text.parent.replace(text, pieces)


def without_never(app, what, name, thing, options, signature, returned):
    """Signature without ``*more: Never`` and ``**other: Never``, which accept nothing."""
    if signature is not None:
        signature = re.sub(r"(, )?\*\*other: [\w.~]*Never", "", signature)
        signature = re.sub(r"\*more: [\w.~]*Never(?=, )", "*", signature)
        signature = re.sub(r", \*more: [\w.~]*Never", "", signature)
    return signature, returned


def setup(app):
    """Write the reference, the gallery and the plots, and register the functions above."""
    api_pages.write_pages(HERE / "api")
    gallery_pages.write_pages(HERE / "gallery")
    speed_plots.write_plots(HERE / "plots")
    app.add_post_transform(BreakCode)
    app.connect("autodoc-process-signature", without_never)
    app.connect("doctree-read", end_blocks)
    app.connect("doctree-read", link_names)
    app.connect("doctree-read", link_standard)
    app.connect("source-read", mend_page)
    app.connect("include-read", mend_included)
