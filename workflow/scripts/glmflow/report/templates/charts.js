/* Charts of a page: drawn by Vega, saved as PNG, SVG and TSV, their choices kept in the address. */
const charts = (() => {
  const NARROW = 600, LABELS = 130;
  /** Whether a view, or one inside it, names rows of text on its left. */
  const named = (spec) => spec.encoding?.y?.type === "nominal" || [...(spec.layer ?? []), ...(spec.spec ? [spec.spec] : [])].some(named);
  /** A specification as a telephone shows it: one panel below the other, no wider than `room` pixels, the legend below. */
  function narrow(spec, room, alone = true) {
    const inner = (one) => narrow(one, room, false);
    const { hconcat, vconcat, concat, ...rest } = spec;
    const found = { ...rest };
    if (hconcat ?? vconcat ?? concat) found.vconcat = (hconcat ?? vconcat ?? concat).map(inner);
    if (found.spec) found.spec = inner(found.spec);
    if (found.layer) found.layer = found.layer.map(inner);
    if (found.title) {
      const { text = found.title, ...look } = typeof found.title === "string" ? {} : found.title;
      found.title = { ...look, text: String(text).match(/.{1,40}(?:\s|$)/g) ?? text, fontSize: 11.5 };
    }
    if (found.facet || found.vconcat) delete found.columns;
    if (found.facet) found.columns = 1;
    if (typeof found.width === "number") {
      const single = alone && typeof found.height === "number" && !found.facet && !found.vconcat && !found.encoding?.column && !found.encoding?.row && !found.encoding?.facet;
      const width = single ? room : Math.min(found.width, room - 90 - (named(found) ? LABELS : 0));
      if (found.height === found.width) found.height = width;
      found.width = width;
      if (single) found.autosize = { type: "fit-x", contains: "padding" };
    }
    return found;
  }
  /** Shorten the names on the left of every panel, and put every legend below its panel. */
  function shortened(spec, room) {
    return JSON.parse(JSON.stringify(spec), (key, value) => {
      if (key === "axis" && value?.labelLimit > LABELS) return { ...value, labelLimit: LABELS };
      if (key === "header" && value) return { ...value, labelFontSize: 10.5, labelLimit: room - 70, labelExpr: "split(replace(datum.label, ' (', '\\n('), '\\n')" };
      if (key === "legend" && value) return { ...value, orient: "bottom", columns: 1, labelLimit: room - 50 };
      return value;
    });
  }
  /** Draw a specification into `chart-{name}`; `datasets` are rows by name. Returns its view. */
  async function draw(name, spec, datasets, options = {}) {
    const named = JSON.stringify(spec);
    const used = Object.fromEntries(Object.entries(datasets).filter(([set]) => named.includes(`"name":"${set}"`)));
    const choices = (spec.params ?? []).filter((one) => one.bind?.options);
    const start = Object.fromEntries(choices.map((one) => [one.name, one.value]));
    const asked = (one) => one.bind.options.find((option) => String(option) === address.read()[one.name]) ?? start[one.name];
    for (const one of choices) one.value = asked(one);
    const home = document.getElementById(`chart-${name}`), room = home.closest("main").clientWidth - 40;
    const drawn = room < NARROW ? shortened(narrow(spec, room), room) : spec;
    const { view } = await vegaEmbed(home, { ...drawn, datasets: { ...spec.datasets, ...used } }, {
      actions: { export: true, source: false, compiled: false, editor: false },
      renderer: spec.usermeta?.renderer ?? "svg", logLevel: 1, downloadFileName: name, tooltip: { theme: "light" }, ...options,
    });
    for (const one of choices) view.addSignalListener(one.name, (_, value) => address.write({ [one.name]: value === start[one.name] ? null : value }));
    address.changed(() => {
      for (const one of choices) view.signal(one.name, asked(one));
      view.runAsync();
    });
    label(home, name);
    offer(home, name, used);
    return { view, sets: Object.keys(used) };
  }
  /** Say what a chart and its menu are to those who do not see them. */
  function label(home, name) {
    const heading = home.closest("section")?.querySelector("h1, h2")?.textContent.trim() ?? name;
    home.querySelector("summary")?.setAttribute("aria-label", `Save the chart: ${heading}`);
    const drawn = home.querySelector("svg.marks, canvas");
    drawn?.setAttribute("role", "img");
    drawn?.setAttribute("aria-label", `Chart: ${heading} (${name}); its values: menu, Save as TSV`);
    drawn?.querySelector(":scope > g")?.setAttribute("aria-hidden", "true"); // what an image holds is its label's alone
    Object.assign(home, { tabIndex: 0, role: "group", ariaLabel: `Chart: ${heading} (${name})` });
  }
  /** Add the values behind a chart to its menu. */
  function offer(home, name, used) {
    const menu = home.querySelector(".vega-actions"), several = Object.keys(used).length > 1;
    for (const [set, rows] of Object.entries(used)) {
      if (!menu || !rows.length) continue;
      const link = Object.assign(document.createElement("a"), { href: "#", textContent: several ? `Save ${set} as TSV` : "Save as TSV" });
      link.addEventListener("click", (event) => {
        event.preventDefault();
        const columns = Object.keys(rows[0]);
        tables.save(`${tables.page()}.${name}${several ? `.${set}` : ""}.tsv`, tables.tsv([columns, ...rows.map((row) => columns.map((column) => row[column]))]));
      });
      menu.append(link);
    }
  }
  return { draw };
})();
