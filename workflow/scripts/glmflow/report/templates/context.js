"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
{% include "tables.js" %}
  for (const [name, spec] of Object.entries(data.charts)) {
    spec.datasets = { ...spec.datasets, [name]: rows(data[name]) };
    vegaEmbed(`#chart-${name}`, spec, {
      actions: { export: true, source: false, compiled: false, editor: false },
      renderer: "svg", downloadFileName: name, tooltip: { theme: "light" },
    });
  }
})();
