// Figures that are drawn from the tables: ranks, families, agreement, curves, robustness.
function figures(data) {
  const { names, called } = data;
  const known = [
    ["ranks", "Ranks in one column", rankFigure, names.methods.length > 0],
    ["families", "Mean rank by metric family", familyFigure, names.methods.length > 0],
    ["agreement", "Agreement of metrics", agreementFigure, data.agreement.length > 0],
    ["curves", "Deletion and insertion curves", curveFigure, data.curves.length > 0],
    ["robustness", "Robustness against the radius", robustnessFigure, data.robustness.length > 0],
  ].filter(([, , , there]) => there);
  if (!known.length) return [h("h2", {}, "Figures"), h("p", {}, "Nothing to draw: the run has no methods.")];
  const bar = h("div", { class: "controls" });
  const place = h("div", { id: "figure" });
  const change = (changes) => { state.set(changes); draw(); };

  function draw() {
    const [dataset, model] = [state.place("dataset", called.dataset), state.place("model", called.model)];
    const kind = state.choose("figure", known.map(([name]) => name));
    const make = known.find(([name]) => name === kind)[2];
    const columns = columnsFor(data, kind, dataset, model).map((at) => called.column[at]);
    const column = ["ranks", "curves"].includes(kind) ? state.choose("column", columns) : "";
    refill(bar,
      chosen("Figure", "figure-kind", known, kind, (value) => change({ figure: value })),
      chosenData(data, "figure-dataset", dataset, change),
      kind === "agreement" ? null : chosen("Model", "figure-model", called.model, called.model[model], (value) => change({ model: value })),
      column ? chosen("Column", "figure-column", columns, column, (value) => change({ column: value })) : null,
    );
    refill(place, ...make(data, dataset, model, called.column.indexOf(column), change));
    state.tell();
  }

  queueMicrotask(draw);
  return [h("h2", {}, "Figures"), bar, place];
}

function columnsFor(data, kind, dataset, model) {
  if (kind === "curves") {
    const there = data.curves.filter((one) => one.dataset === dataset && one.model === model);
    return [...new Set(there.map((one) => one.column))].sort((a, b) => a - b);
  }
  return data.columnsOf(dataset, (m, k) => m === model && k >= 0).filter((at) => data.names.columns[at].direction);
}

// The critical-difference diagram: ranks with the intervals that hold together for all methods of the column.
function rankFigure(data, dataset, model, column) {
  const { names } = data;
  const rows = names.methods.map((method, at) => ({ method: marked(method), control: method.control, colour: method.colour, ...data.row(dataset, model, at, column) }))
    .filter((row) => row.rank).sort((a, b) => a.rank - b.rank || (a.method < b.method ? -1 : 1));
  if (!rows.length) return [h("p", {}, "No method has a rank here.")];
  const plot = drawn(Plot.plot({
    ...PLOT, width: 760, height: 66 + 22 * rows.length, marginLeft: 230, marginRight: 20, marginBottom: 46,
    x: { label: "rank (1 is best), with 95 % intervals →", domain: [0.5, rows.length + 0.5], grid: true, ticks: Math.min(rows.length, 12), tickFormat: "d" },
    y: { label: null, domain: rows.map((row) => row.method) },
    marks: [
      Plot.ruleY(rows, { y: "method", x1: "rankLow", x2: "rankHigh", stroke: "colour", strokeWidth: 5, strokeOpacity: 0.45, strokeLinecap: "round" }),
      Plot.dot(rows, { x: "rank", y: "method", fill: "colour", r: 5, title: (row) => `${row.method}: rank ${row.rank} (${row.rankLow} to ${row.rankHigh}), mean ${number(row.mean)}` }),
    ],
  }), `Ranks in ${names.columns[column].name}`);
  return [plot, h("p", { class: "note" }, `${names.columns[column].name} on ${names.models[model].name}. Bars hold the true ranks of all methods at once, with 95 %. † controls.`)];
}

function familyFigure(data, dataset, model) {
  const { names } = data;
  const columns = data.columnsOf(dataset, (m, k) => m === model && k >= 0).filter((at) => data.health(dataset, model, at)?.passes || !data.health(dataset, model, at)?.tested);
  const cells = [];
  names.methods.forEach((method, at) => {
    const of = new Map();
    for (const column of columns) {
      const row = data.row(dataset, model, at, column);
      if (!row?.rank) continue;
      const family = names.columns[column].family;
      of.set(family, [...(of.get(family) ?? []), row.rank]);
    }
    for (const [family, ranks] of of) cells.push({ method: marked(method), family, rank: d3.mean(ranks), columns: ranks.length });
  });
  if (!cells.length) return [h("p", {}, "No method has a rank here.")];
  const order = d3.groupSort(cells, (group) => d3.mean(group, (cell) => cell.rank), (cell) => cell.method);
  const plot = drawn(Plot.plot({
    ...PLOT, width: 240 + 130 * new Set(cells.map((cell) => cell.family)).size, height: 70 + 24 * order.length, marginLeft: 230, marginTop: 40,
    x: { axis: "top", label: null }, y: { label: null, domain: order },
    color: { scheme: "blues", reverse: true, domain: [1, order.length], legend: true, label: "mean rank" },
    marks: [
      Plot.cell(cells, { x: "family", y: "method", fill: "rank", inset: 1, title: (cell) => `${cell.method}, ${cell.family}: mean rank ${cell.rank.toFixed(2)} over ${cell.columns} columns` }),
      Plot.text(cells, { x: "family", y: "method", text: (cell) => cell.rank.toFixed(1), fill: (cell) => (cell.rank < order.length * 0.45 ? "white" : "black") }),
    ],
  }), "Mean ranks by metric family");
  return [plot, h("p", { class: "note" }, `Mean of the ranks on ${names.models[model].name} over the columns of a family that pass their controls, or were not put to the test. † controls.`)];
}

function agreementFigure(data, dataset) {
  const rows = data.agreement.filter((row) => row[0] === dataset);
  const cells = rows.flatMap(([, a, b, mean, low, high]) => [{ a, b, mean, low, high }, { a: b, b: a, mean, low, high }]);
  const order = [...new Set(rows.flatMap((row) => [row[1], row[2]]))];
  if (!order.length) return [h("p", {}, "No two columns order the same methods here.")];
  const size = 15;
  const room = 20 + 6.6 * Math.max(...order.map((name) => name.length));
  const plot = drawn(Plot.plot({
    ...PLOT, width: room + 20 + size * order.length, height: room + 20 + size * order.length, marginLeft: room, marginBottom: room,
    x: { label: null, domain: order, tickRotate: -90 }, y: { label: null, domain: order },
    color: { scheme: "RdBu", domain: [-1, 1], legend: true, label: "rank correlation", marginLeft: 24 },
    marks: [Plot.cell(cells, { x: "a", y: "b", fill: "mean", title: (cell) => `${cell.a}\n${cell.b}\n${cell.mean} (models: ${cell.low} to ${cell.high})` })],
  }), "Rank correlations of metric columns");
  return [plot, h("p", { class: "note" }, "Spearman's correlation between the orders of the methods, the mean over models; 1: both call the same methods better. Controls are left out.")];
}

function curveFigure(data, dataset, model, column, change) {
  const { names } = data;
  const there = data.curves.filter((one) => one.dataset === dataset && one.model === model && one.column === column);
  if (!there.length) return [h("p", {}, "This model has no curves.")];
  const methods = [...new Set(there.map((one) => one.method))];
  const ranked = methods.map((at) => ({ at, rank: data.row(dataset, model, at, column)?.rank || 999 })).sort((a, b) => a.rank - b.rank);
  const usual = [...ranked.filter((one) => !names.methods[one.at].control).slice(0, 5), ...ranked.filter((one) => names.methods[one.at].control).slice(0, 1)].map((one) => one.at);
  const wanted = listed(state.get("curves"));
  const picked = wanted.length ? methods.filter((at) => wanted.includes(names.methods[at].name)) : usual;
  const lost = wanted.filter((name) => name !== "none" && !data.called.method.includes(name));
  if (lost.length) state.unfit.set("curves", lost.join(", "));
  const lines = there.filter((one) => picked.includes(one.method));
  const points = lines.flatMap((one) => Array.from(one.fraction, (x, at) => ({ x, y: one.mean[at], method: marked(names.methods[one.method]), colour: names.methods[one.method].colour, line: `${one.method}/${one.curve}`, curve: one.curve })));
  const kinds = [...new Set(points.map((point) => point.curve))];
  const fy = kinds.length > 1 ? "curve" : undefined;
  // beside the lines their names, in the order of the areas under them
  const beside = d3.groups(points, (point) => point.curve).flatMap(([curve, of]) => {
    const methods = d3.groupSort(of, (line) => -d3.mean(line, (point) => point.y), (point) => point.method);
    const [low, high] = d3.extent(points, (point) => point.y);
    return methods.map((method, at) => ({ curve, method, colour: of.find((point) => point.method === method).colour, y: high - ((high - low) * (at + 0.5)) / Math.max(methods.length, 12) }));
  });
  const plot = drawn(Plot.plot({
    ...PLOT, width: 860, height: 430, marginRight: 230, marginLeft: 55, marginBottom: 46, grid: true,
    x: { label: "share of the image changed →", labelAnchor: "center" }, y: { label: "↑ mean output" },
    marks: [
      Plot.line(points, { x: "x", y: "y", z: "line", stroke: "colour", strokeWidth: 2, fy }),
      Plot.text(beside, { x: 1, y: "y", text: "method", textAnchor: "start", dx: 30, fill: "currentColor", fy }),
      Plot.dot(beside, { x: 1, y: "y", r: 5, dx: 18, fill: "colour", fy }),
    ],
  }), `Curves of ${names.columns[column].name}`);
  const boxes = ranked.map(({ at }) => {
    const box = ticked("", `curve-${at}`, picked.includes(at), (value) => {
      const next = value ? [...picked, at] : picked.filter((one) => one !== at);
      change({ curves: next.map((one) => names.methods[one].name).join(",") || "none" });
    });
    box.append(h("span", {}, h("span", { class: "key", style: `background:${names.methods[at].colour}` }), marked(names.methods[at])));
    return box;
  });
  return [plot, h("div", { class: "controls", id: "curve-methods", role: "group", "aria-label": "Methods that are drawn" }, boxes)];
}

// Names with commas between them; a comma in brackets is part of a name.
function listed(text) {
  return text.split(/,(?![^[]*\])/).filter(Boolean);
}

function robustnessFigure(data, dataset, model) {
  const { names } = data;
  const lines = data.robustness.filter((one) => one.dataset === dataset && one.model === model);
  const points = lines.flatMap((one) => Array.from(one.eps, (x, at) => ({ x, y: one.mean[at], low: one.low[at], high: one.high[at], chance: one.chance[at], kind: one.kind, method: names.methods[one.method].name }))).filter((point) => point.y > -9);
  if (!points.length) return [h("p", {}, "This model has no such scores on images that all models classify correctly.")];
  const methods = [...new Set(points.map((point) => point.method))];
  const panel = (point) => ({ fx: methods.indexOf(point.method) % 3, fy: Math.floor(methods.indexOf(point.method) / 3) });
  const [fx, fy] = [(point) => panel(point).fx, (point) => panel(point).fy];
  const plot = drawn(Plot.plot({
    ...PLOT, width: 960, height: 190 * Math.ceil(methods.length / 3) + 60, marginLeft: 45, marginBottom: 40, grid: true,
    x: { type: "log", label: "eps →", tickFormat: "~g" }, y: { label: "↑ " + lines[0].score, domain: [0, 1] },
    color: { legend: true, domain: [...new Set(points.map((point) => point.kind))], scheme: "Dark2" },
    fx: { axis: null }, fy: { axis: null },
    marks: [
      Plot.frame({ stroke: "var(--line)" }),
      Plot.line(points, { fx, fy, x: "x", y: "chance", stroke: "gray", strokeDasharray: "2 3" }),
      Plot.ruleX(points, { fx, fy, x: "x", y1: "low", y2: "high", stroke: "kind", strokeOpacity: 0.5 }),
      Plot.line(points, { fx, fy, x: "x", y: "y", stroke: "kind", strokeWidth: 2 }),
      Plot.dot(points, { fx, fy, x: "x", y: "y", fill: "kind", r: 3, title: (point) => `${point.method}, ${point.kind}, eps ${number(point.x)}: ${number(point.y)}` }),
      Plot.text(methods.map((method) => ({ method })), { fx, fy, text: "method", frameAnchor: "bottom-left", dx: 4, dy: -4, fill: "currentColor", fontWeight: 600 }),
    ],
  }), "Robustness of the maps");
  return [plot, h("p", { class: "note" }, "Over the images that all models classify correctly; dotted: the level of chance.")];
}
