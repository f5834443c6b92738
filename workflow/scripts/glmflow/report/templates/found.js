/* What `find=` in the address asks for: the rows of the page's data that hold it, and the cells of its tables. */
(() => {
  const ROWS = 40, HIDDEN = new Set(["href", "key", "group", "mark", "place"]);
  const main = document.querySelector("main");
  let island;
  const datasets = () => (island ??= JSON.parse(document.getElementById("data")?.textContent ?? "{}")).datasets ?? {};
  const figure = (value) => (typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : (value ?? "–"));

  function table(rows) {
    const columns = Object.keys(rows[0]).filter((name) => !HIDDEN.has(name));
    const line = (name, cells) => { const row = document.createElement("tr"); row.append(...cells.map((text) => Object.assign(document.createElement(name), { textContent: text }))); return row; };
    const found = Object.assign(document.createElement("table"), { className: "plain" });
    found.createTHead().append(line("th", columns.map((name) => name.replaceAll("_", " "))));
    found.createTBody().append(...rows.slice(0, ROWS).map((row) => line("td", columns.map((name) => figure(row[name])))));
    return found;
  }
  function show() {
    document.getElementById("found")?.remove();
    document.querySelectorAll(".sought").forEach((cell) => cell.classList.remove("sought"));
    const term = address.read().find;
    if (!term) return;
    const same = (value) => String(value).toLowerCase() === term.toLowerCase();
    const cells = [...main.querySelectorAll("td, code")].filter((cell) => cell.dataset.find ? same(cell.dataset.found ?? cell.textContent.trim()) : same(cell.textContent.trim()));
    const home = Object.assign(document.createElement("section"), { id: "found" });
    home.append(Object.assign(document.createElement("h2"), { textContent: term }));
    let count = 0;
    for (const set of Object.values(datasets())) {
      const rows = tables.rows(set).filter((row) => Object.values(row).some((value) => typeof value === "string" && same(value)));
      if (!rows.length) continue;
      count += rows.length;
      home.append(table(rows));
      if (rows.length > ROWS) home.append(Object.assign(document.createElement("p"), { className: "note", textContent: `The first ${ROWS} of ${rows.length} rows.` }));
    }
    for (const cell of cells) {
      cell.classList.add("sought");
      for (let around = cell.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
    }
    if (!count && !cells.length) home.append(Object.assign(document.createElement("p"), { className: "note", textContent: "This page shows nothing of it." }));
    const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
    close.addEventListener("click", () => { address.write({ find: null }); show(); });
    home.append(close);
    if (count || !cells.length) main.querySelector("h1").after(home);
    (count || !cells.length ? home : cells[0]).scrollIntoView({ block: "center" });
  }
  address.changed(show);
  show();
})();
