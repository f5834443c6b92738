"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const genes = tables.rows(data.genes), values = tables.rows(data.values);
  const byId = new Map(genes.map((gene) => [gene.gene_id, gene]));
  const first = data.runs.map((run) => run.label).filter((label) => data.first.includes(label));
  const known = (address.read().runs ?? "").split("|").filter((label) => data.runs.some((run) => run.label === label));
  const shown = new Set(known.length ? known : first.length ? first : [data.runs[0].label]);
  const element = (id) => document.getElementById(id);
  const number = (value) => (value === null || value === undefined ? "–" : value >= 10 ? value.toFixed(1) : value.toFixed(3));

  // --- the browser ---------------------------------------------------------------------------------------------------
  let browser, chosen;
  const flank = (gene) => Math.max(500, Math.round(0.15 * (gene.end - gene.start)));
  const locus = (gene) => `${gene.chrom}:${Math.max(1, gene.start - flank(gene))}-${gene.end + flank(gene)}`;

  function signalTracks() {
    const wanted = element("tracks").value, overlay = element("overlay").checked, own = element("own-scale").checked;
    const tracks = data.tracks.filter((track) => wanted === "all" || track.name === wanted || (wanted === "strand" && [chosen.strand, ".", ""].includes(track.strand)));
    const runs = data.runs.filter((run) => shown.has(run.label));
    const wig = (name, url, color, group) => ({
      name, url, color, type: "wig", format: "bigwig", height: 70, autoscale: true, removable: false,
      ...(group ? { autoscaleGroup: group } : {}),
    });
    return tracks.flatMap((track) => {
      const group = own || overlay ? "" : track.name;
      const truth = wig(`${track.name}: true`, track.true, data.truth, group);
      const predicted = runs.filter((run) => run.predicted[track.name]);
      if (!overlay) return [truth, ...predicted.map((run) => wig(`${track.name}: ${run.label}`, run.predicted[track.name], run.colour, group))];
      return predicted.map((run) => ({
        name: `${track.name}: true and ${run.label}`, type: "merged", height: 90, alpha: 0.6, autoscale: true, removable: false,
        tracks: [truth, wig(run.label, run.predicted[track.name], run.colour, group)],
      }));
    });
  }
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  /** igv.js may read an overlay's features before its second signal is there: read again until both are. */
  async function settleOverlays() {
    const half = ({ track, viewports }) => viewports.some(({ featureCache }) => (featureCache?.features.featureArrays?.length ?? 0) < track.config.tracks.length);
    for (let tries = 0; tries < 40; tries++) {
      const waiting = browser.trackViews.filter((view) => view.track.type === "merged" && half(view));
      if (!waiting.length) return;
      await pause(50);
      for (const view of waiting) {
        view.clearCachedFeatures();
        await view.updateViews();
      }
    }
  }
  let drawing = Promise.resolve();
  /** Replace the signals; one redraw after another, since igv.js loads asynchronously. */
  function redraw() {
    drawing = drawing.then(async () => {
      for (const name of browser.findTracks((track) => track.name?.includes(": ")).map((track) => track.name)) browser.removeTrackByName(name);
      await browser.loadTrackList(signalTracks());
      await settleOverlays();
    });
    return drawing;
  }
  async function go(gene) {
    const strandChanged = element("tracks").value === "strand" && chosen.strand !== gene.strand;
    chosen = gene;
    address.write({ gene: gene.gene_id });
    mark();
    await browser.search(locus(gene));
    if (strandChanged) await redraw();
    document.body.dataset.locus = locus(gene);
  }
  const wanted = address.read();
  const asked = () => byId.get(address.read().gene);
  /** Write what is shown into the address, as far as it is not what the page starts with. */
  function keep() {
    const runs = [...shown].join("|"), started = [...(first.length ? first : [data.runs[0].label])].join("|");
    address.write({
      runs: runs === started ? null : runs, tracks: element("tracks").value === element("tracks").options[0].value ? null : element("tracks").value,
      overlay: element("overlay").checked ? "yes" : null, scale: element("own-scale").checked ? "own" : null,
    });
  }

  // --- the gene list -------------------------------------------------------------------------------------------------
  let list;
  function listed() {
    const label = element("error-run").value;
    return genes.map((gene) => {
      const own = values.filter((row) => row.gene_id === gene.gene_id && row.label === label);
      const error = own.reduce((sum, row) => sum + Math.abs(Math.log1p(Math.max(0, row.predicted)) - Math.log1p(Math.max(0, row.observed))), 0) / own.length;
      const highest = own.reduce((best, row) => (best && best.observed >= row.observed ? best : row), undefined);
      return { ...gene, observed: highest?.observed ?? null, predicted: highest?.predicted ?? null, error: own.length ? error : null };
    });
  }
  async function drawList() {
    const DataTable = await window.dataTables;
    const show = (value, type) => (type === "display" ? number(value) : (value ?? -1));
    list?.destroy();
    element("list").replaceChildren();
    list = new DataTable("#list", {
      data: listed(), rowId: "gene_id", paging: false, info: false, autoWidth: false, scrollY: "58vh", scrollCollapse: true, orderClasses: false,
      order: [[3, "desc"]], language: { search: "", searchPlaceholder: "Find a gene" },
      columns: [
        { title: "Gene", data: "gene_name", render: (name, type, gene) => (type === "display" ? `<a href="#gene=${encodeURIComponent(gene.gene_id)}" title="${gene.chrom}:${gene.start + 1}-${gene.end} (${gene.strand})">${name}</a>` : `${name} ${gene.gene_id}`) },
        { title: "True", data: "observed", type: "num", className: "dt-right", render: show },
        { title: "Predicted", data: "predicted", type: "num", className: "dt-right", render: show },
        { title: "Error", data: "error", type: "num", className: "dt-right", render: show },
      ],
    });
    list.on("click", "tbody tr", function (event) {
      event.preventDefault();
      const gene = byId.get(this.id);
      if (gene) go(gene);
    });
    mark();
  }
  function mark() {
    for (const row of document.querySelectorAll("#list tbody tr")) row.classList.toggle("chosen", row.id === chosen?.gene_id);
  }

  // --- controls ------------------------------------------------------------------------------------------------------
  function controls() {
    for (const run of data.runs) {
      const label = document.createElement("label"), box = document.createElement("input"), dot = document.createElement("span");
      Object.assign(box, { type: "checkbox", checked: shown.has(run.label), value: run.label });
      dot.className = "dot";
      dot.style.background = run.colour;
      box.addEventListener("change", () => {
        if (box.checked) shown.add(run.label); else shown.delete(run.label);
        keep();
        redraw();
      });
      label.append(box, dot, run.label);
      element("runs").append(label);
      element("error-run").append(new Option(run.label, run.label));
    }
    element("error-run").value = [...shown][0];
    element("error-run").addEventListener("change", drawList);
    const stranded = data.tracks.some((track) => track.strand === "+" || track.strand === "-");
    const choices = [...(stranded ? [["of the gene's strand", "strand"]] : []), ["all", "all"], ...data.tracks.map((track) => [track.name, track.name])];
    element("tracks").append(...choices.map(([text, value]) => new Option(text, value)));
    if (choices.some(([, value]) => value === wanted.tracks)) element("tracks").value = wanted.tracks;
    element("overlay").checked = wanted.overlay === "yes";
    element("own-scale").checked = wanted.scale === "own";
    for (const id of ["tracks", "overlay", "own-scale"]) element(id).addEventListener("change", () => { keep(); redraw(); });
    address.changed(() => { const gene = asked(); if (gene && gene !== chosen) go(gene); });
  }

  /** The gene of median error among the half that is expressed most: neither the best nor the worst that there is to see. */
  function typical() {
    const expressed = listed().sort((a, b) => (b.observed ?? 0) - (a.observed ?? 0));
    const half = expressed.slice(0, Math.ceil(expressed.length / 2)).sort((a, b) => (a.error ?? 0) - (b.error ?? 0));
    return half[half.length >> 1];
  }
  async function start() {
    controls();
    chosen = asked() ?? byId.get(typical().gene_id);
    browser = await igv.createBrowser(element("browser"), {
      reference: { id: "study", name: "study", fastaURL: data.fasta, indexed: false, wholeGenomeView: false },
      loadDefaultGenomes: false, search: false, showSVGButton: true, showChromosomeWidget: true, showIdeogram: false,
      showCenterGuideButton: false, locus: locus(chosen), showSampleNameButton: false,
      tracks: [{ name: "Genes", type: "annotation", features: data.features, displayMode: "EXPANDED", height: 60, color: "#3b4350", searchable: true, removable: false, order: -1 }, ...signalTracks()],
    });
    await drawList();
    document.body.dataset.locus = locus(chosen);
    document.body.dataset.ready = "yes";
    window.igvBrowser = browser;
  }
  start();
})();
