"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const datasets = Object.fromEntries(Object.entries(data.datasets).map(([name, table]) => [name, tables.rows(table)]));
  Promise.all(Object.entries(data.charts).map(([name, spec]) => charts.draw(name, spec, datasets))).then(() => {
    address.arrive();
    document.body.dataset.ready = "yes";
  });
})();
