/* Search over all pages of the report: a script beside them holds the index, which is read at the first letter. */
(() => {
  const box = document.getElementById("find"), list = document.getElementById("found-list"), said = document.getElementById("found-said");
  if (!document.body.dataset.index.trim()) { box.closest(".find").hidden = true; return; }
  const MOST = 12, REGION = /^(?:chr)?([\w.]+):([\d,]+)(?:-([\d,]+))?$/i;
  const whole = (text) => Number(text.replaceAll(",", ""));
  const plain = (chrom) => String(chrom).toLowerCase().replace(/^chr/, "");

  let loading;
  /** The entries of every index: what is found, what it is, and its address. */
  const index = () => (loading ??= Promise.all(document.body.dataset.index.split(" ").map((src) => new Promise((done) => {
    const script = Object.assign(document.createElement("script"), { src, onload: done, onerror: done });
    document.head.append(script);
  }))).then(() => (window.glmflowIndex ?? []).flatMap(({ base, title, pages, entries }) => entries.map(([label, what, page, hash, chrom, start, end]) =>
    ({ label, what: title && document.body.dataset.index.includes(" ") ? `${what}, ${title}` : what, href: new URL(pages[page] + (hash ? `#${hash}` : ""), base).href, chrom, start, end, low: label.toLowerCase() })))));

  function matches(entries, query) {
    const region = REGION.exec(query.trim()), low = query.trim().toLowerCase();
    const inside = region && ((entry) => entry.chrom !== undefined && plain(entry.chrom) === plain(region[1]) && entry.start < whole(region[3] ?? region[2]) && entry.end >= whole(region[2]));
    const found = entries.filter((entry) => entry.low.includes(low) || inside?.(entry));
    return found.sort((a, b) => (b.low === low) - (a.low === low) || b.low.startsWith(low) - a.low.startsWith(low) || a.low.length - b.low.length);
  }
  let chosen = -1, links = [], asked = 0;
  function choose(place) {
    chosen = links.length ? (place + links.length) % links.length : -1;
    links.forEach((link, i) => link.setAttribute("aria-selected", String(i === chosen)));
    if (chosen >= 0) box.setAttribute("aria-activedescendant", links[chosen].id);
    else box.removeAttribute("aria-activedescendant");
  }
  function close() {
    list.hidden = true;
    list.replaceChildren();
    links = [];
    box.setAttribute("aria-expanded", "false");
    choose(-1);
  }
  async function look() {
    const query = box.value, number = ++asked;
    if (!query.trim()) { said.textContent = ""; return close(); }
    const entries = await index();
    if (number !== asked) return;
    const found = matches(entries, query);
    links = found.slice(0, MOST).map(({ label, what, href }, i) => {
      const link = Object.assign(document.createElement("a"), { href, id: `found-${i}`, role: "option", tabIndex: -1 });
      link.append(label, Object.assign(document.createElement("small"), { textContent: what }));
      link.addEventListener("click", close);
      return link;
    });
    list.replaceChildren(...links);
    list.hidden = !links.length;
    list.style.top = `${box.getBoundingClientRect().bottom + 2}px`; // fixed, as the navigation cuts off what leaves it
    box.setAttribute("aria-expanded", String(links.length > 0));
    said.textContent = !entries.length ? "data/search.js is not beside this page" : found.length > MOST ? `${found.length} found, the first ${MOST} are shown` : found.length ? `${found.length} found` : "nothing found";
    choose(links.length ? 0 : -1);
  }
  box.addEventListener("input", look);
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
    else if (event.key === "Enter" && links[chosen]) links[chosen].click();
    else if (event.key === "Escape") { box.value = ""; look(); }
    else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => { if (!event.target.closest(".find")) close(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input, select, textarea")) { event.preventDefault(); box.focus(); }
  });
})();
