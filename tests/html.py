"""Looks at every HTML answer: ids are unique, fields have labels, targets exist, nothing is inline."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
# Optional end tags that our templates always write out, so that a forgotten one is found.
UNLABELLED = frozenset({"hidden", "submit", "button"})


class Element:
    def __init__(self, tag: str, attrs: dict[str, str], parent: Element | None) -> None:
        self.tag, self.attrs, self.parent = tag, attrs, parent
        self.text = ""

    def inside(self, tag: str) -> bool:
        return self.parent is not None and (self.parent.tag == tag or self.parent.inside(tag))


class Page(HTMLParser):
    """All elements in order; `faults` are sentences about what is wrong with them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.faults: list[str] = []
        self.open: list[Element] = []
        self.whole = "<html" in html
        self.feed(html)
        self.close()
        if self.open:
            self.faults.append(f"<{self.open[-1].tag}> is never closed")
        self.look()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"<{tag}> has an attribute twice: {names}")
        element = Element(tag, {name: value or "" for name, value in attrs}, self.open[-1] if self.open else None)
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1].tag != tag:
            self.faults.append(f"</{tag}> closes <{self.open[-1].tag if self.open else 'nothing'}>")
            return
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    def named(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    def look(self) -> None:
        ids = [element.attrs["id"] for element in self.elements if "id" in element.attrs]
        self.faults += [f"id {name} is there twice" for name in sorted({i for i in ids if ids.count(i) > 1})]
        self.look_at_scripts()
        self.look_at_labels(set(ids))
        self.look_at_references(set(ids))
        self.look_at_forms()
        if self.whole:
            self.look_at_the_whole()

    def look_at_scripts(self) -> None:
        for element in self.elements:
            for name in element.attrs:
                if name == "style" or name.startswith(("on", "hx-on")):
                    self.faults.append(f"<{element.tag}> has an inline {name}")
            if element.tag == "style" or (element.tag == "script" and "src" not in element.attrs):
                self.faults.append(f"inline <{element.tag}>")
            trigger = element.attrs.get("hx-trigger", "")
            if "[" in trigger or any(value.startswith("js:") for value in element.attrs.values()):
                self.faults.append(f"hx-trigger needs eval: {trigger}")

    def look_at_labels(self, ids: set[str]) -> None:
        labelled = {element.attrs.get("for", "") for element in self.named("label")}
        for field in self.named("input", "select", "textarea"):
            if field.attrs.get("type") in UNLABELLED or "hidden" in field.attrs:
                continue
            if not (field.attrs.get("id") in labelled or field.inside("label") or field.attrs.get("aria-label")):
                self.faults.append(f"field {field.attrs.get('name')} has no label")
        for thing in self.named("button", "a", "summary"):
            if not (thing.text.strip() or thing.attrs.get("aria-label")):
                self.faults.append(f"<{thing.tag}> {thing.attrs} says nothing")
        for image in self.named("img"):
            if "alt" not in image.attrs:
                self.faults.append(f"image {image.attrs.get('src')} has no alt")
        for progress in self.named("progress"):
            if progress.attrs.get("id") not in labelled and "aria-label" not in progress.attrs:
                self.faults.append("progress has no label")

    def look_at_references(self, ids: set[str]) -> None:
        for element in self.elements:
            for name in ("aria-describedby", "aria-labelledby", "aria-controls", "for", "list", "form"):
                for wanted in element.attrs.get(name, "").split():
                    if wanted not in ids and (self.whole or name != "form"):  # a fragment's form is that of its page
                        self.faults.append(f"{name}={wanted} leads nowhere")
            target = element.attrs.get("hx-target", "")
            if target.startswith("#") and self.whole and target[1:] not in ids:
                self.faults.append(f"hx-target {target} leads nowhere")
            href = element.attrs.get("href", "")
            if self.whole and href.startswith("#") and len(href) > 1 and href[1:] not in ids:
                self.faults.append(f"link {href} leads nowhere")

    def look_at_forms(self) -> None:
        for form in self.named("form"):
            if form.inside("form"):
                self.faults.append("a form inside a form")
        tokens = [e for e in self.named("input") if e.attrs.get("name") == "csrf_token"]
        posts = [e for e in self.named("form") if e.attrs.get("method", "").lower() == "post"]
        if len(tokens) < len(posts):
            self.faults.append(f"{len(posts)} forms that post, {len(tokens)} tokens")
        for table in self.named("th"):
            if "scope" not in table.attrs:
                self.faults.append(f"table head without scope: {table.text.strip()}")

    def look_at_the_whole(self) -> None:
        if len(self.named("h1")) != 1:
            self.faults.append(f"{len(self.named('h1'))} first headings")
        if len(self.named("main")) != 1:
            self.faults.append("not exactly one <main>")
        if not self.named("html")[0].attrs.get("lang"):
            self.faults.append("no language")
        if not (self.named("title") and self.named("title")[0].text.strip()):
            self.faults.append("no title")


def check(html: str) -> Page:
    """The parsed page. Fails with everything that is wrong with it."""
    page = Page(html)
    assert not page.faults, "\n".join(page.faults)
    return page
