"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // A link to something inside closed details opens them on the way.
  const reveal = () => {
    let node = null;
    try { node = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    if (!node) return;
    for (let up = node; up; up = up.parentElement) {
      if (up.tagName === "DETAILS") up.open = true;
      if (up.hidden) up.hidden = false;
    }
    node.scrollIntoView();
  };
  addEventListener("hashchange", reveal);

  const copy = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* a page from a disk may not be allowed to */ }
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  for (const button of all("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await copy(button.previousElementSibling.textContent);
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    });
  }

  const form = document.getElementById("filter");
  if (form) {
    const rows = all(".clause");
    const groups = all(".spec");
    const opened = new Map(groups.map((group) => [group, group.open]));
    const texts = new Map();
    const textOf = (row) => {
      if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
      return texts.get(row);
    };
    let filtering = false;
    const apply = () => {
      const chosen = new FormData(form);
      const verdicts = chosen.getAll("verdict");
      const level = chosen.get("level");
      const spec = chosen.get("spec");
      const differ = chosen.get("differ");
      const words = chosen.get("text").toLowerCase().split(/\s+/).filter(Boolean);
      const active = Boolean(verdicts.length || level || spec || differ || words.length);
      if (active && !filtering) for (const group of groups) opened.set(group, group.open);
      let shown = 0;
      for (const row of rows) {
        const match = (!verdicts.length || verdicts.includes(row.dataset.v))
          && (!level || row.dataset.l.startsWith(level))
          && (!differ || row.dataset.d === differ)
          && (!spec || row.closest(".spec").dataset.s === spec)
          && words.every((word) => textOf(row).includes(word));
        row.hidden = !match;
        shown += match;
      }
      for (const group of groups) {
        const matches = all(".clause:not([hidden])", group).length;
        group.hidden = !matches;
        if (active) group.open = true;
        else if (filtering) group.open = opened.get(group);
      }
      filtering = active;
      document.getElementById("matches").value = active ? `${shown} of ${rows.length} clauses` : "";
    };
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => event.preventDefault());
    addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
      event.preventDefault();
      form.elements.text.focus();
    });
    addEventListener("pageshow", apply);
  }

  // On paper the findings' evidence and the list of clauses are open.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all(".finding details:not([open]), .spec:not([open]), .reasons details:not([open])");
    for (const node of closed) node.open = true;
  });
  addEventListener("afterprint", () => {
    for (const node of closed) node.open = false;
  });
  reveal();
})();
