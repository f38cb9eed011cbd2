/* What htmx and plain HTML cannot do: keys in lists, one sending at a time, masking again, suggestions by key.
   Nothing here is needed for reading. No eval, no inline handlers, nothing kept in the browser. */
"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const isTyping = (node) => node.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

  // ── Keys: / search · j k move · x select · enter open, on <table data-keys> ───────────────────────────────────
  const rowsOf = (table) => all("tbody > tr", table).filter((row) => row.querySelector("a[href]") || row.dataset.href);
  const linkOf = (row) => row.querySelector("a[data-open]") || row.querySelector("a[href]");
  function move(table, step) {
    const rows = rowsOf(table);
    const at = rows.findIndex((row) => row.classList.contains("is-current"));
    const next = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step))];
    if (!next) return;
    rows.forEach((row) => row.classList.toggle("is-current", row === next));
    linkOf(next)?.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
    if (event.key === "/") {
      const search = document.getElementById("search");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
      return;
    }
    const table = document.querySelector("table[data-keys]");
    if (!table) return;
    const row = table.querySelector("tr.is-current");
    if (event.key === "j") move(table, 1);
    else if (event.key === "k") move(table, -1);
    else if (event.key === "x" && row) row.querySelector("input[type=checkbox]")?.click();
    else if (event.key === "Enter" && row && event.target === document.body) linkOf(row)?.click();
  });

  // ── Menus that are <details>: one at a time, closed by Escape or a click elsewhere ──────────────────────────────
  const closeMenus = (but) => all("details.drop[open]").forEach((menu) => { if (menu !== but) menu.open = false; });
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.drop")));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.drop[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  // ── Suggestions: arrows, enter, escape. The answer is a list of <a role="option" href> ──────────────────────────
  const search = document.getElementById("search");
  const list = document.getElementById("suggestions");
  if (search && list) {
    const options = () => all("[role=option]", list);
    const pick = (option) => {
      options().forEach((one) => one.setAttribute("aria-selected", String(one === option)));
      option ? search.setAttribute("aria-activedescendant", option.id) : search.removeAttribute("aria-activedescendant");
      option?.scrollIntoView({ block: "nearest" });
    };
    const clear = () => { list.replaceChildren(); search.setAttribute("aria-expanded", "false"); pick(null); };
    list.addEventListener("htmx:afterSettle", () => {
      options().forEach((option, n) => { option.id = `suggestion-${n}`; option.setAttribute("aria-selected", "false"); });
      search.setAttribute("aria-expanded", String(options().length > 0));
    });
    search.addEventListener("keydown", (event) => {
      if (event.isComposing) return; // the input method owns these keys while it composes
      const found = options();
      const at = found.findIndex((one) => one.getAttribute("aria-selected") === "true");
      if (event.key === "Escape") clear();
      else if (event.key === "Enter" && at >= 0) { event.preventDefault(); found[at].click(); }
      else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && found.length) {
        event.preventDefault();
        pick(found[(at + (event.key === "ArrowDown" ? 1 : found.length - (at < 0 ? 0 : 1))) % found.length]);
      }
    });
    search.addEventListener("input", () => { if (!search.value) clear(); });
    document.addEventListener("click", (event) => { if (!event.target.closest(".find")) clear(); });
  }

  // ── One sending at a time ────────────────────────────────────────────────────────────────────────────────────
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[hx-post], [hx-get]") || event.defaultPrevented) return;
    if (form.dataset.sending) { event.preventDefault(); return; }
    if (form.method !== "post") return;
    form.dataset.sending = "1"; // the pressed button's own value still has to be sent: mark, do not disable
    all("button, input[type=submit]", form).forEach((button) => button.setAttribute("aria-disabled", "true"));
  });
  window.addEventListener("pageshow", () => all("form[data-sending]").forEach((form) => {
    delete form.dataset.sending;
    all("[aria-disabled]", form).forEach((button) => button.removeAttribute("aria-disabled"));
  }));
  const buttonsOf = (element) => element.matches("form") ? all("button", element) : element.matches("button") ? [element] : [];
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, requestConfig } = event.detail;
    buttonsOf(elt).forEach((button) => { button.disabled = true; });
    if (requestConfig.verb !== "get" && elt.id !== "search") document.getElementById("refusal")?.replaceChildren();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    buttonsOf(event.detail.elt).forEach((button) => { button.disabled = false; });
  });

  // ── Refusals: seen and read out at once; a lost connection says so ────────────────────────────────────────────────
  const focusOn = (node) => { node?.focus({ preventScroll: true }); node?.scrollIntoView({ block: "center" }); };
  document.addEventListener("htmx:sendError", () => {
    const place = document.getElementById("refusal");
    place?.replaceChildren(document.getElementById("offline").content.cloneNode(true));
    focusOn(place);
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "refusal") focusOn(event.target);
    else focusOn(event.target.querySelector?.("[data-focus]"));
    mask(event.target);
  });
  focusOn(document.querySelector("[data-focus]"));

  // ── Revealed values: <span data-reveal="60" data-mask="1101…"> is masked again when its seconds are over ──────────
  function mask(root) {
    all("[data-reveal]", root).concat(root.matches?.("[data-reveal]") ? [root] : []).forEach((node) => {
      const ends = Date.now() + 1000 * Number(node.dataset.reveal);
      const left = node.querySelector("[data-left]");
      delete node.dataset.reveal;
      node.dataset.shown = "1";
      const tick = () => {
        const seconds = Math.ceil((ends - Date.now()) / 1000);
        if (!node.isConnected || !node.dataset.shown) return;
        if (seconds <= 0) { hide(node); return; }
        if (left) left.textContent = String(seconds);
        window.setTimeout(tick, 500);
      };
      tick();
    });
  }
  function hide(node) {
    delete node.dataset.shown;
    node.classList.remove("revealed");
    node.textContent = node.dataset.mask || "••••••";
    node.dispatchEvent(new CustomEvent("masked", { bubbles: true }));
  }
  mask(document.body);
  // A page put aside or kept for "back" must not still show it.
  window.addEventListener("pagehide", () => all("[data-shown]").forEach(hide));

  // ── Uploads: the file goes at once, the form later sends only the id that came back ───────────────────────────────
  document.addEventListener("htmx:xhr:progress", (event) => {
    const bar = event.target.matches?.("[data-upload]") && event.target.parentElement.querySelector("progress");
    if (bar && event.detail.lengthComputable) bar.value = (100 * event.detail.loaded) / event.detail.total;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.elt.matches("[data-upload]")) return;
    event.detail.elt.value = "";
    event.detail.elt.parentElement.querySelector("progress")?.removeAttribute("value");
  });

  // A picture that may be missing leaves what stands behind it.
  document.addEventListener("error", (event) => { if (event.target.matches?.("img[data-optional]")) event.target.remove(); }, true);

  // ── Selection: <input type="checkbox" data-select>, all by [data-select-all], counted in [data-selected] ─────────────
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) {
      all("[data-select]").forEach((box) => { box.checked = event.target.checked; });
    }
    if (event.target.matches("[data-select], [data-select-all]")) {
      const count = all("[data-select]:checked").length;
      all("[data-selected]").forEach((node) => { node.textContent = String(count); });
      all("[data-batch]").forEach((bar) => { bar.hidden = count === 0; });
    }
    if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });
})();

// ── Cases: copying an address, and the viewer of papers ──────────────────────────────────────────────────────────────
(() => {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const from = document.getElementById(`id_${button.dataset.copy}`);
    const into = document.getElementById(`id_${button.dataset.into}`);
    if (from && into) { into.value = from.value; into.focus(); }
  });

  const viewer = document.querySelector("[data-viewer]");
  if (!viewer) return;
  const papers = Array.from(viewer.querySelectorAll("[data-paper]"));
  const stage = viewer.querySelector(".viewer-stage");
  const image = viewer.querySelector("[data-image]");
  const caption = viewer.querySelector("[data-caption]");
  let at = -1, turn = 0, size = 0;
  const pose = () => { image.className = `turn-${turn} size-${size}`; };
  function show(next) {
    if (!papers.length) return;
    at = (next + papers.length) % papers.length;
    turn = 0; size = 0; pose();
    image.src = papers[at].href;
    image.alt = papers[at].dataset.name;
    caption.textContent = `${papers[at].dataset.name}(${at + 1}/${papers.length})`;
    papers.forEach((paper, n) => n === at ? paper.setAttribute("aria-current", "true") : paper.removeAttribute("aria-current"));
    stage.hidden = false;
    viewer.querySelector(".viewer-hint").hidden = true;
  }
  const acts = {
    next: () => show(at + 1),
    prev: () => show(at < 0 ? -1 : at - 1),
    turn: () => { turn = (turn + 1) % 4; pose(); },
    larger: () => { size = Math.min(3, size + 1); pose(); },
    smaller: () => { size = Math.max(0, size - 1); pose(); },
  };
  viewer.addEventListener("click", (event) => {
    const paper = event.target.closest("[data-paper]");
    const button = event.target.closest("[data-view]");
    if (paper) { event.preventDefault(); show(papers.indexOf(paper)); }
    if (button) acts[button.dataset.view]();
  });
  const keys = { n: "next", p: "prev", r: "turn", "+": "larger", "=": "larger", "-": "smaller" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select") || !(event.key in keys)) return;
    acts[keys[event.key]]();
  });
  if ("openFirst" in viewer.dataset) show(0);
})();

// ── Questions that come anew: what was typed while the answer was on its way stays typed ─────────────────────────────
(() => {
  let typed = new Map();
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target.id !== "asks") return;
    typed = new Map(Array.from(event.target.querySelectorAll("input:not([type=hidden]), textarea, select"), (field) => [field.name, field.value]));
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const [name, value] of typed) {
      const field = document.querySelector(`#asks [name="${name}"]:not([type=hidden])`);
      if (field && value && field.value !== value) field.value = value;
    }
    typed.clear();
  });
})();
