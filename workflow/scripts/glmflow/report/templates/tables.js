/* Tables of a page: their rows as objects, and every table to be saved as TSV. */
const tables = (() => {
  /** The rows of a table of the page's data, as objects. */
  const rows = (table) => {
    const columns = Object.entries(table.columns).map(([name, { values, levels, codes }]) => [name, values ?? codes.map((code) => levels[code])]);
    return Array.from({ length: table.rows }, (_, i) => Object.fromEntries(columns.map(([name, values]) => [name, values[i]])));
  };

  /** Values between tabs, a line a row. */
  const tsv = (lines) => lines.map((cells) => cells.map((cell) => String(cell ?? "").replace(/\s+/g, " ").trim()).join("\t")).join("\n") + "\n";
  function save(name, text) {
    const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(new Blob([text], { type: "text/tab-separated-values" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
  function words(cell) {
    const copy = cell.cloneNode(true);
    for (const part of copy.querySelectorAll("br, span, small")) part.before(" ");
    return copy.textContent;
  }
  /** The text of a table as it is shown: a cell over several columns is followed by empty ones. */
  const shown = (table) => [...table.rows].map((row) => [...row.cells].flatMap((cell) => [words(cell), ...Array(cell.colSpan - 1).fill("")]));

  const page = () => decodeURIComponent(location.pathname.split("/").pop()).replace(/\.html$/, "") || "index";
  /** Give each table a box that scrolls, which the keyboard reaches, and a button that saves it. */
  function offer() {
    for (const table of document.querySelectorAll("main table")) {
      if (table.closest(".dt-scroll-head, .vg-tooltip, .vega-bindings")) continue;
      let home = table.closest(".scroll") ?? table.closest(".dt-container");
      if (!home) {
        home = Object.assign(document.createElement("div"), { className: "scroll" });
        table.before(home);
        home.append(table);
      }
      const section = home.closest("section[id], main");
      const heading = [...section.querySelectorAll("h1, h2, h3, summary")].filter((one) => one.compareDocumentPosition(home) & 4).pop();
      const title = heading?.textContent.trim() ?? document.title;
      const inner = table.closest(".dt-layout-full") ?? home; // what DataTables puts around a table scrolls in place of ours
      if (inner.matches(".scroll, .dt-layout-full")) Object.assign(inner, { tabIndex: 0, role: "group", ariaLabel: `Table: ${title}` });
      if (home.dataset.saved) continue;
      home.dataset.saved = "yes";
      const button = Object.assign(document.createElement("button"), { type: "button", className: "save", textContent: "TSV", title: "Save this table as TSV", ariaLabel: `Save the table as TSV: ${title}` });
      button.addEventListener("click", () => save(`${page()}.${title.toLowerCase().replace(/[^a-z0-9]+/g, "_").slice(0, 40)}.tsv`, tsv(shown(home.querySelector(".dt-scroll-body table") ?? home.querySelector("table")))));
      home.before(button);
    }
  }
  offer();
  new MutationObserver(offer).observe(document.querySelector("main"), { childList: true, subtree: true });
  return { rows, save, tsv, page };
})();
