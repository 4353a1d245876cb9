// Makes elements. All that a run says goes through here as text: nothing of it is ever read as HTML.
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...present(children));
  return element;
}

function present(children) {
  return children.flat().filter((child) => child !== null && child !== undefined);
}

// Children in the place of others; what has the focus keeps it if there is one of its id again.
function refill(element, ...children) {
  const focused = document.activeElement?.id;
  element.replaceChildren(...present(children));
  if (focused) document.getElementById(focused)?.focus();
}

// A choice; an option is a name, or a name and what is shown for it.
function chosen(label, id, options, value, change) {
  const select = h("select", { id, onchange: () => change(select.value) });
  for (const option of options) {
    const [key, text] = Array.isArray(option) ? option : [option, option];
    select.append(h("option", { value: key, selected: key === value }, text));
  }
  return h("label", {}, label, select);
}

// The choice of a data set, where there are several.
function chosenData(data, id, dataset, change) {
  const known = data.called.dataset;
  return known.length > 1 ? chosen("Data", id, known, known[dataset], (value) => change({ dataset: value })) : null;
}

function ticked(label, id, value, change) {
  const box = h("input", { type: "checkbox", id, onchange: () => change(box.checked) });
  box.checked = value;
  return h("label", { class: "tick" }, box, label);
}

function typed(label, id, value, change) {
  const box = h("input", { type: "search", id, value, oninput: () => change(box.value) });
  return h("label", {}, label, box);
}

function plainTable(columns, rows, caption) {
  const cell = (tag, value) => {
    const known = value && typeof value === "object" && !(value instanceof Node) ? value : { text: value };
    return h(tag, { class: known.class }, known.text ?? "");
  };
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", { class: "plain" },
      h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((value) => cell("td", value)))))));
}

function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  const size = Math.abs(value);
  if (size === Infinity) return value > 0 ? "∞" : "−∞";
  if (size !== 0 && (size < 0.001 || size >= 100000)) return value.toExponential(2);
  return value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3);
}

// A method or model by its name, with the sign of controls.
function marked(one) {
  return one.name + (one.control ? " †" : "");
}

const ARROW = { 1: "↑", 0: "", "-1": "↓" };

// A name that may be broken where its parts meet, and nowhere else.
function breakable(name) {
  return name.split(/(?<=[.[,=_@])/).flatMap((part, at) => (at ? [h("wbr"), part] : [part]));
}

// A figure as one picture with one description: readers of screens are not led through its lines. On a narrow screen it
// is scrolled, so that its words stay readable.
function drawn(plot, label) {
  for (const inner of plot.querySelectorAll("[aria-label], [aria-description]")) {
    inner.removeAttribute("aria-label");
    inner.removeAttribute("aria-description");
  }
  for (const svg of [plot, ...plot.querySelectorAll("svg")].filter((one) => one.tagName === "svg")) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  }
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, h("figure", { class: "plot" }, plot));
}

const PLOT = { style: { fontSize: "12px", overflow: "visible" } };
