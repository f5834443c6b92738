/* Charts of a page: drawn by Vega, saved as PNG, SVG and TSV, their choices kept in the address. */
const charts = (() => {
  /** Draw a specification into `chart-{name}`; `datasets` are rows by name. Returns its view. */
  async function draw(name, spec, datasets, options = {}) {
    const named = JSON.stringify(spec);
    const used = Object.fromEntries(Object.entries(datasets).filter(([set]) => named.includes(`"name":"${set}"`)));
    const choices = (spec.params ?? []).filter((one) => one.bind?.options);
    const start = Object.fromEntries(choices.map((one) => [one.name, one.value]));
    const asked = (one) => one.bind.options.find((option) => String(option) === address.read()[one.name]) ?? start[one.name];
    for (const one of choices) one.value = asked(one);
    const home = document.getElementById(`chart-${name}`);
    const { view } = await vegaEmbed(home, { ...spec, datasets: { ...spec.datasets, ...used } }, {
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
