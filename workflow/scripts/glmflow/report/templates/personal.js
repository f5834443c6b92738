"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data-json").textContent);
{% include "tables.js" %}
  const datasets = Object.fromEntries(Object.entries(data.datasets).map(([name, table]) => [name, rows(table)]));
  for (const [name, spec] of Object.entries(data.charts)) {
    vegaEmbed(`#chart-${name}`, { ...spec, datasets }, { actions: { export: true, source: false, compiled: false, editor: false }, renderer: "svg" });
  }
})();
