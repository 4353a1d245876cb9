// Cells, model cards, and the sections that plug-ins bring.

// Columns of the cells in which people search.
const FILTERED = ["dataset", "model", "method", "metric", "settings", "perturbation", "status", "note"];

function cellTable(data) {
  const { names, cells } = data;
  const rows = Array.from(cells.status, (status, at) => ({
    at, dataset: names.datasets[cells.dataset[at]], model: names.models[cells.model[at]].name, method: names.methods[cells.method[at]]?.name ?? "",
    metric: cells.metrics[cells.metric[at]], settings: cells.settings[cells.setting[at]], perturbation: cells.perturbations[cells.perturbation[at]],
    status: cells.states[status], n: cells.n[at], seconds: cells.seconds[at], forward: cells.forward[at], backward: cells.backward[at], note: cells.notes[cells.note[at]],
  }));
  const counts = cells.states.map((word) => [word, rows.filter((row) => row.status === word).length]).filter(([, count]) => count);
  const inner = h("div", { id: "cells" });
  const text = (field) => (cell) => withTip(h("span", {}, String(cell.getRow().getData()[field])), () => String(cell.getRow().getData()[field]));
  const count = (field) => (cell) => document.createTextNode(cell.getRow().getData()[field] < 0 ? "" : String(Math.round(1000 * cell.getRow().getData()[field]) / 1000));
  const words = (title, field, width) => ({ title, field, width, formatter: text(field), headerFilter: "input", headerFilterPlaceholder: "filter", headerFilterFunc: "like" });
  queueMicrotask(() => {
    const grid = makeGrid(inner, {
      data: rows, index: "at", layout: "fitData", height: 560, renderHorizontal: "basic", placeholder: "No cell fits.",
      initialHeaderFilter: FILTERED.filter((field) => state.get(`cells.${field}`)).map((field) => ({ field, value: state.get(`cells.${field}`) })),
      columns: [
        ...(names.datasets.length > 1 ? [words("Data", "dataset", 110)] : []), words("Model", "model", 150), words("Method", "method", 170), words("Metric", "metric", 170),
        words("Settings", "settings", 200), words("Perturbation", "perturbation", 170), words("Status", "status", 110), words("Note", "note", 420),
        ...[["n", "n"], ["Seconds", "seconds"], ["Forward", "forward"], ["Backward", "backward"]].map(([title, field]) => ({ title, field, width: 115, hozAlign: "right", sorter: "number", formatter: count(field) })),
      ],
    }, 2400);
    grid.on("dataFiltered", (filters) => state.keep(Object.fromEntries(FILTERED.map((field) => [`cells.${field}`, filters.find((one) => one.field === field)?.value ?? ""]))));
  });
  return [h("h2", {}, "Cells"), h("p", {}, counts.map(([word, number]) => `${number} ${word}`).join(", ") + ". Seconds are the run's own; forward and backward are passes of one image."), inner];
}

function cards(data) {
  const interval = (one) => (one.low < one.high ? ` (${number(one.low)} to ${number(one.high)})` : "");
  return [h("h2", {}, "Models"), h("div", { class: "cards" }, data.cards.map((card) => h("section", { class: "card" },
    h("h3", {}, `${card.model} on ${card.dataset}`),
    h("p", {}, [card.summary, card.source && `Source: ${card.source}.`].filter(Boolean).join(" ")),
    h("p", { class: "note" }, [`family ${card.family}`, card.recipe && `a network of the recipe ${card.recipe}`, card.weights && `weights ${card.weights}`].filter(Boolean).join(" · ")),
    card.samples ? h("p", {}, `Right on ${card.right} of the ${card.samples} images of this run.`) : null,
    card.numbers.length ? plainTable(["Measured here", "Mean (95 %)"], card.numbers.map((one) => [one.name, { text: number(one.mean) + interval(one), class: "number" }]), `Numbers of ${card.model} on ${card.dataset}`)
      : h("p", { class: "note" }, "No metric of the models themselves has a number here."),
    card.training.length ? h("details", {}, h("summary", {}, "Training"), plainTable(["", ""], card.training, `Training of ${card.model}`)) : null,
    card.note ? h("p", { class: "note" }, card.note) : null)))];
}

function further(data) {
  return data.sections.flatMap((one) => [
    h("h2", {}, [one.title, one.dataset].filter(Boolean).join(", ")), h("p", { class: "note" }, one.question), one.note ? h("p", {}, one.note) : null,
    plainTable(one.columns, one.rows, one.title),
  ]);
}
