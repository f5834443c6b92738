"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const FILTERS = ["task", "split", "subset", "context_bp", "protocol", "metric", "track"];
  const NAMES = { task: "Task", split: "Split", subset: "Subset", context_bp: "Context (bp)", protocol: "Protocol", metric: "Metric", track: "Track" };

  const datasets = Object.fromEntries(Object.entries(data.datasets).map(([name, table]) => [name, tables.rows(table)]));
  const costs = new Map(datasets.costs.map((row) => [row.key, row]));
  const unique = (values) => [...new Set(values)];

  function number(value, isCount) {
    if (value === null || value === undefined) return "–";
    if (value < 0) return `−${number(-value, isCount)}`;
    if (isCount) return Math.round(value).toLocaleString("en");
    const size = Math.abs(value);
    if (size >= 1000) return Math.round(value).toLocaleString("en");
    if (size >= 10) return value.toFixed(1);
    if (size && size < 0.001) return value.toExponential(1);
    return value.toFixed(3);
  }
  function duration(seconds) {
    if (seconds === null || seconds === undefined) return "–";
    if (seconds < 90) return `${Number(seconds.toPrecision(3))} s`;
    return seconds < 5400 ? `${Number((seconds / 60).toPrecision(3))} min` : `${Number((seconds / 3600).toPrecision(3))} h`;
  }
  function size(count) {
    if (count === null || count === undefined) return "–";
    if (count < 1000) return String(Math.round(count));
    const [divisor, unit] = count < 1e6 ? [1e3, "k"] : count < 1e9 ? [1e6, "M"] : [1e9, "G"];
    return `${Number((count / divisor).toPrecision(3))} ${unit}`;
  }
  function escape(text) {
    const element = document.createElement("span");
    element.textContent = text;
    return element.innerHTML;
  }
  const dot = (row) => `<span class="dot ${row.origin}" style="background:${data.colours[row.model]}"></span>`;

  // --- what is shown -------------------------------------------------------------------------------------------------
  const first = Object.keys(data.start)[0], state = {};
  /** Take what the address asks for, and of the rest what the task starts with. */
  function asked() {
    const wanted = address.read(), task = wanted.task in data.start ? wanted.task : first;
    Object.assign(state, data.start[task], { task });
    for (const name of FILTERS) {
      const value = options(name).find((one) => String(one) === wanted[name]);
      if (value !== undefined) state[name] = value;
    }
    settle();
  }
  /** Write what differs from the start into the address. */
  function keep() {
    address.write(Object.fromEntries(FILTERS.map((name) => [name, state[name] === (name === "task" ? first : data.start[state.task][name]) ? null : state[name]])));
  }
  /** How the metrics of the chosen task are shown. */
  const words = () => data.metrics[state.task];

  /** Rows that agree with the filters before `name`. */
  const upTo = (name) => {
    const before = FILTERS.slice(0, FILTERS.indexOf(name));
    return datasets.summary.filter((row) => before.every((filter) => row[filter] === state[filter]));
  };
  function options(name) {
    let values = unique(upTo(name).map((row) => row[name]));
    if (name === "metric") values = Object.keys(words()).filter((metric) => values.includes(metric) && (words()[metric].sign || metric === data.start[state.task].metric));
    if (name === "track") values.sort((a, b) => (b === data.all_tracks) - (a === data.all_tracks));
    return values;
  }
  function settle() {
    for (const name of FILTERS) {
      const values = options(name);
      if (!values.includes(state[name])) {
        const start = data.start[state.task][name];
        state[name] = values.includes(start) ? start : values[0];
      }
    }
  }
  function option(value, label) {
    const element = new Option(label, value, false, false);
    return element;
  }
  function drawFilters() {
    const bar = document.getElementById("filters");
    bar.replaceChildren();
    for (const name of FILTERS) {
      const values = options(name);
      if (values.length < 2) continue;
      const label = document.createElement("label");
      label.className = "pick";
      const select = document.createElement("select");
      select.name = name;
      if (name === "metric") {
        for (const level of data.levels[state.task]) {
          const group = document.createElement("optgroup");
          group.label = level.title;
          const inside = values.filter((value) => words()[value].level === level.title);
          group.append(...inside.map((value) => option(value, words()[value].label)));
          if (inside.length) select.append(group);
        }
      } else {
        select.append(...values.map((value) => option(value, value)));
      }
      select.value = state[name];
      select.addEventListener("change", () => {
        state[name] = select.value;
        settle();
        keep();
        draw();
        document.querySelector(`#filters select[name=${name}]`)?.focus();
      });
      label.append(NAMES[name], select);
      bar.append(label);
    }
  }

  // --- leaderboard ---------------------------------------------------------------------------------------------------
  const direction = () => words()[state.metric].sign;
  const inCell = (row) => FILTERS.every((name) => row[name] === state[name]);
  const byValue = (a, b) => (a.value === null) - (b.value === null) || direction() * (b.value - a.value);

  function interval(row, low, high) {
    const width = 112, place = (value) => 8 + ((value - low) / (high - low || 1)) * (width - 16);
    if (row.value === null) return "";
    const colour = data.colours[row.model], x = place(row.value);
    const line = row.ci_low === null ? "" : `<line x1="${place(row.ci_low)}" x2="${place(row.ci_high)}" y1="9" y2="9" stroke="${colour}" stroke-width="3" stroke-linecap="round" opacity=".55"/>`;
    const mark = row.origin === "baseline" ? `<rect x="${x - 4}" y="5" width="8" height="8" transform="rotate(45 ${x} 9)" fill="#fff" stroke="${colour}" stroke-width="2"/>`
      : row.origin === "informed" ? `<path d="${data.star}" transform="translate(${x} 9) scale(7)" fill="#fff" stroke="${colour}" stroke-width=".22"/>`
      : `<circle cx="${x}" cy="9" r="4.5" fill="${colour}"/>`;
    return `<svg width="${width}" height="18" role="img" aria-label="${number(row.value)}, interval ${number(row.ci_low)} to ${number(row.ci_high)}"><line x1="0" x2="${width}" y1="9" y2="9" stroke="#e6e9ee"/>${line}${mark}</svg>`;
  }

  function drawShown() {
    const parts = [words()[state.metric].title, `${state.split} split`];
    if (state.track !== "all") parts.push(state.track === data.all_tracks ? "mean over tracks" : `track ${state.track}`);
    if (Object.keys(data.start).length > 1) parts.unshift(state.task);
    const shown = document.getElementById("shown");
    shown.textContent = parts.join(" · ");
    shown.title = words()[state.metric].explanation;
  }
  let board;
  async function drawBoard() {
    const DataTable = await window.dataTables;
    const found = datasets.summary.filter(inCell).sort(byValue);
    const limits = found.flatMap((row) => [row.value, row.ci_low, row.ci_high]).filter((value) => value !== null);
    const low = Math.min(...limits), high = Math.max(...limits);
    const metric = words()[state.metric];
    const last = direction() >= 0 ? -Infinity : Infinity;
    const tied = (row) => 1 + found.findIndex((other) => Math.abs(other.value - row.value) < 1e-9); // equal scores share a place
    const content = found.map((row) => {
      const cost = costs.get(row.key);
      return { ...cost, ...row, memory: cost?.peak_memory_mb ?? cost?.predict_peak_memory_mb ?? null, rank: direction() && row.value !== null ? tied(row) : "", bar: interval(row, low, high) };
    });
    const sortable = (show, sort = (x) => x ?? -1) => (value, type, row) => (type === "display" ? show(value, row) : sort(value, row));
    const tag = (row) => (row.origin === "baseline" ? '<span class="tag">baseline</span>' : row.origin === "informed" ? `<span class="tag" title="It is given ${escape(data.given[row.key] ?? "more than the sequence").replaceAll('"', "&quot;")}: a mark to aim at, not a rival">given more</span>` : row.origin === "scratch" && !/scratch/i.test(row.label) ? '<span class="tag">from scratch</span>' : "");
    const devices = unique(content.map((row) => row.device).filter(Boolean));
    const columns = [
      { title: "#", data: "rank", className: "dt-right", orderable: false },
      { title: "Model", data: "label", render: sortable((label, row) => dot(row) + escape(label) + tag(row), (label) => label) },
      { title: escape(metric.label), data: "value", type: "num", className: "dt-right", render: sortable((value) => number(value, metric.count), (value) => value ?? last) },
      { title: "95 % interval", data: "ci_low", type: "num", className: "dt-right", render: sortable((value, row) => (value === null ? "–" : `[${number(value)}, ${number(row.ci_high)}]`), (value) => value ?? last) },
      { title: `<span class="spread">${limits.length ? `${number(low)} … ${number(high)}` : "interval"}</span>`, data: "bar", orderable: false },
      { title: "Seeds", data: "seeds", type: "num", className: "dt-right", render: sortable((seeds, row) => (row.sd === null ? seeds : `${seeds} <span class="spread">± ${number(row.sd)}</span>`)) },
      { title: "n", data: "n", type: "num", className: "dt-right", render: sortable((n) => number(n, true)) },
      { title: "Parameters", data: "parameters", type: "num", className: "dt-right", render: sortable(size) },
      { title: "Trained", data: "trainable_parameters", type: "num", className: "dt-right", render: sortable(size) },
      { title: "Training", data: "train_seconds", type: "num", className: "dt-right", render: sortable(duration) },
      { title: "Prediction", data: "predict_seconds", type: "num", className: "dt-right", render: sortable(duration) },
      { title: "Memory", data: "memory", type: "num", className: "dt-right", render: sortable((mb) => (mb === null ? "–" : mb < 10000 ? `${Math.round(mb)} MB` : `${(mb / 1024).toFixed(1)} GB`)) },
    ];
    if (devices.length > 1) columns.push({ title: "Device", data: "device", render: sortable(escape, (device) => device) });
    if (board) {
      board.destroy();
      document.getElementById("board").replaceChildren();
    }
    // The column that is sorted by stands in the address where it is not the score.
    const [by, way] = (address.read().sort ?? "").split("."), place = columns.findIndex((one) => one.data === by && one.orderable !== false);
    const start = direction() ? [[2, direction() > 0 ? "desc" : "asc"]] : [];
    board = new DataTable("#board", {
      data: content, orderClasses: false, columns, order: place >= 0 ? [[place, way === "desc" ? "desc" : "asc"]] : start, paging: false, searching: false, info: false,
      autoWidth: false, createdRow: (element, row) => { if (row.rank === 1) element.classList.add("leader"); },
    });
    board.on("order", () => {
      const [now] = board.order();
      address.write({ sort: !now || !now[1] || String([now]) === String(start) ? null : `${columns[now[0]].data}.${now[1]}` });
    });
  }

  // --- metrics by level ----------------------------------------------------------------------------------------------
  function drawLevels() {
    const home = document.getElementById("level-tables");
    const shared = ["task", "split", "subset", "context_bp", "protocol"];
    const here = datasets.summary.filter((row) => shared.every((name) => row[name] === state[name]));
    const start = data.start[state.task];
    const runs = unique([
      ...here.filter((row) => row.metric === start.metric && row.track === start.track)
        .sort((a, b) => (a.value === null) - (b.value === null) || words()[start.metric].sign * (b.value - a.value)).map((row) => row.label),
      ...here.map((row) => row.label),
    ]);
    const first = new Map(here.map((row) => [row.label, row]));
    const known = new Set(here.map((row) => row.metric));
    const groups = data.levels[state.task].map((text) => {
      const metrics = Object.keys(words()).filter((name) => known.has(name) && words()[name].level === text.title);
      if (!metrics.length) return "";
      const lines = metrics.map((name) => {
        const all = here.filter((row) => row.metric === name);
        const tracks = unique(all.map((row) => row.track));
        const track = tracks.includes(state.track) ? state.track : tracks.includes(data.all_tracks) ? data.all_tracks : tracks[0];
        return line(name, track, all.filter((row) => row.track === track), runs);
      });
      const heading = `<th colspan="${runs.length + 1}" scope="rowgroup"><span>${text.title}</span> <small>${text.explanation}</small></th>`;
      return `<tbody><tr class="level">${heading}</tr>${lines.join("")}</tbody>`;
    });
    const heads = runs.map((label) => `<th scope="col">${dot(first.get(label))}${escape(label).replaceAll("_", "_<wbr>")}</th>`);
    home.innerHTML = `<table class="plain levels"><thead><tr><th scope="col">metric</th>${heads.join("")}</tr></thead>${groups.join("")}</table>`;
  }
  function line(name, track, found, runs) {
    const metric = words()[name], cells = new Map(found.map((row) => [row.label, row]));
    const values = found.map((row) => row.value).filter((value) => value !== null);
    const best = !metric.sign || values.length < 2 ? undefined : metric.sign > 0 ? Math.max(...values) : Math.min(...values);
    const shown = runs.map((label) => {
      const row = cells.get(label);
      if (!row) return "<td>–</td>";
      const spread = row.sd === null ? "" : `<span class="interval">± ${number(row.sd)} (${row.seeds} seeds)</span>`;
      const limits = (row.ci_low === null ? "" : `<span class="interval">[${number(row.ci_low)}, ${number(row.ci_high)}]</span>`) + spread;
      return `<td${row.value === best ? ' class="best"' : ""}>${number(row.value, metric.count)}${limits}</td>`;
    });
    const where = track === state.track ? "" : ` <span class="spread">(${escape(track)})</span>`;
    const arrow = metric.sign > 0 ? "" : metric.sign < 0 ? ' <span class="spread" title="lower is better">↓</span>' : ' <span class="spread" title="no run is best at it">=</span>';
    const label = metric.explanation ? `<abbr title="${escape(metric.explanation).replaceAll('"', "&quot;")}">${escape(metric.label)}</abbr>` : escape(metric.label);
    return `<tr><th>${label}${arrow}${where}</th>${shown.join("")}</tr>`;
  }

  // --- charts --------------------------------------------------------------------------------------------------------
  const views = new Map();
  async function embed(name, spec) {
    const sets = { ...datasets, summary: datasets.summary.filter((row) => name !== "by_track" || data.chart_tracks.includes(row.track)) };
    for (const parameter of spec.params) if (parameter.name in signals()) parameter.value = signals()[parameter.name];
    const bound = document.getElementById(`choices-${name}`) ? { bind: `#choices-${name}` } : {};
    const { view, sets: used } = await charts.draw(name, spec, sets, bound);
    views.set(name, { view, parameters: spec.params.map((parameter) => parameter.name), sets: used });
    showOrHide(name);
    view.addEventListener("click", (event, item) => {
      if (item?.datum?.href) window.open(item.datum.href, "glmflow-page");
    });
  }
  /** A chart without any row of the chosen task gives way to a sentence. */
  function showOrHide(name) {
    const chart = document.getElementById(`chart-${name}`), choices = document.getElementById(`choices-${name}`);
    const has = views.get(name).sets.some((set) => datasets[set].some((row) => !("task" in row) || row.task === state.task));
    for (const element of [chart, choices]) if (element) element.hidden = !has;
    let line = document.getElementById(`nothing-${name}`);
    if (!has && !line) {
      line = Object.assign(document.createElement("p"), { id: `nothing-${name}`, className: "note" });
      chart.after(line);
    }
    if (line) line.textContent = has ? "" : `The task ${state.task} has nothing to draw here.`;
  }
  const signals = () => ({ ...state, all_tracks: data.all_tracks });
  async function drawCharts() {
    for (const [name, { view, parameters }] of views) {
      showOrHide(name);
      for (const [name, value] of Object.entries(signals())) if (parameters.includes(name)) view.signal(name, value);
      await view.runAsync();
    }
  }

  // --- the page ------------------------------------------------------------------------------------------------------
  async function draw() {
    drawFilters();
    drawShown();
    drawLevels();
    await drawBoard();
    await drawCharts();
  }
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(button.closest("tr").querySelector("code"));
      }
    });
  }
  const links = [...document.querySelectorAll('nav a[href^="#"]')];
  const spy = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) for (const link of links) link.classList.toggle("here", link.hash === `#${entry.target.id}`);
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  document.querySelectorAll("main section[id]").forEach((section) => spy.observe(section));

  window.reportViews = { get: (name) => views.get(name)?.view };
  asked();
  address.changed(() => { asked(); draw(); });
  draw()
    .then(() => Promise.all(Object.entries(data.charts).map(([name, spec]) => embed(name, spec))))
    .then(() => { address.arrive(); document.body.dataset.ready = "yes"; });
})();
