/* The state of a page stands in its address behind `#`, as `key=value&...`, so that a link shows what its sender saw. */
const address = (() => {
  const text = () => {
    const hash = location.hash.slice(1);
    return !hash || hash.includes("=") ? hash : `at=${hash}`;
  };
  const read = () => Object.fromEntries(new URLSearchParams(text()));
  /** Change some keys; null takes one out. */
  function write(changes) {
    const state = new URLSearchParams(text()), before = state.toString();
    for (const [key, value] of Object.entries(changes)) {
      if (value === null || value === undefined) state.delete(key);
      else state.set(key, value);
    }
    if (state.toString() === before) return;
    const alone = state.size === 1 && state.has("at");
    const hash = alone ? `#${state.get("at")}` : state.size ? `#${state}` : location.href.split("#")[0];
    history.replaceState(null, "", hash);
  }
  /** Go to the section that the address names beside other keys; the browser itself knows one that stands alone. */
  const arrive = () => { if (location.hash.includes("=")) document.getElementById(read().at)?.scrollIntoView(); };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    const name = link?.getAttribute("href").slice(1);
    if (!name || name.includes("=") || !Object.keys(read()).some((key) => key !== "at")) return;
    event.preventDefault();
    write({ at: name });
    arrive();
  });
  const listeners = [arrive];
  window.addEventListener("hashchange", () => listeners.forEach((listener) => listener()));
  return { read, write, arrive, changed: (listener) => listeners.push(listener) };
})();
