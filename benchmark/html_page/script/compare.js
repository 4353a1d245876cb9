// Two methods on a model, or two models under a method: differences over all columns, image by image, with the images.
function pairAt(contest, one, other) {
  const rivals = Array.from(contest.rivals);
  const [a, b] = [rivals.indexOf(one), rivals.indexOf(other)];
  if (a < 0 || b < 0) return null;
  const [j, k] = a < b ? [a, b] : [b, a];
  const at = (j * (2 * rivals.length - j - 1)) / 2 + (k - j - 1);
  const reach = (steps) => (steps[at] === 65535 ? Infinity : steps[at] * contest.step);
  const turn = a < b ? 1 : -1;
  // below and above the difference in the direction in which greater is better; then in units of the score
  const [below, above] = [reach(contest.below), reach(contest.above ?? contest.below)];
  const verdict = contest.verdict[at];
  const effect = verdict === 2 ? 0 : contest.mean[a] - contest.mean[b];
  const better = contest.sign * effect;
  const bounds = turn > 0 ? [better - below, better + above] : [better - above, better + below];
  const [low, high] = contest.sign > 0 ? bounds : [-bounds[1], -bounds[0]];
  return { effect, low, high, verdict: verdict === 2 ? 2 : turn * verdict, n: contest.n };
}

function compare(data) {
  const { names, called } = data;
  const kinds = ["method", "model"].filter((kind) => data.pairs[kind].length > 0);
  if (!kinds.length) return [h("h2", {}, "Compare"), h("p", {}, "Nothing to compare: no column has two methods or two models.")];
  const bar = h("div", { class: "controls" });
  const table = h("div", { id: "differences" });
  const sentence = h("p", { role: "status", id: "compare-sum" });
  const detail = h("div", { id: "compare-detail" });
  let grid = null;
  const change = (changes) => { state.set(changes); draw(); };

  function draw() {
    const kind = state.choose("kind", kinds);
    const [lists, others] = kind === "method" ? [names.methods, called.model] : [names.models, called.method];
    const dataset = state.place("dataset", called.dataset);
    const contests = data.pairs[kind].filter((one) => one.dataset === dataset);
    const rivals = [...new Set(contests.flatMap((one) => Array.from(one.rivals)))].sort((a, b) => a - b);
    const judged = [...rivals.filter((at) => !lists[at].control), ...rivals.filter((at) => lists[at].control)].map((at) => lists[at].name);
    const ofs = [...new Set(contests.map((one) => one.other))].sort((a, b) => a - b).map((at) => others[at] ?? MODELS_THEMSELVES);
    const [of, a] = [state.choose("of", ofs), state.choose("a", judged)];
    const b = state.choose("b", judged, judged.find((name) => name !== a));
    const sides = rivals.map((at) => [lists[at].name, marked(lists[at])]);
    refill(bar,
      chosenData(data, "compare-dataset", dataset, change),
      chosen("Compare", "compare-kind", kinds.map((one) => [one, `${one}s`]), kind, (value) => change({ kind: value, of: "", a: "", b: "", column: "" })),
      chosen(kind === "method" ? "On the model" : "Under the method", "compare-of", ofs, of, (value) => change({ of: value })),
      chosen("This", "compare-a", sides, a, (value) => change({ a: value })),
      chosen("against", "compare-b", sides, b, (value) => change({ b: value })),
      h("button", { type: "button", id: "compare-swap", onclick: () => change({ a: b, b: a }) }, "Swap"),
    );
    const at = (list, name) => list.findIndex((one) => one.name === name);
    const choice = { kind, dataset, of: others.indexOf(of), a: at(lists, a), b: at(lists, b) };
    fill(contests.filter((one) => one.other === choice.of), choice, (place) => marked(lists[place]));
    state.tell();
  }

  function fill(contests, choice, named) {
    const { a, b } = choice;
    const rows = contests.map((contest) => ({ contest, found: pairAt(contest, a, b) })).filter((one) => one.found && a !== b)
      .map(({ contest, found }) => {
        const column = names.columns[contest.column];
        const word = found.verdict === 1 ? "better" : found.verdict === -1 ? "worse" : found.verdict === 2 ? "equal" : "not told apart";
        const health = choice.kind === "method" ? data.health(choice.dataset, choice.of, contest.column) : null;
        const noted = choice.kind === "method" ? [a, b].map((at) => data.row(choice.dataset, choice.of, at, contest.column)).filter((row) => row?.doubtful) : [];
        return { failing: health !== null && health.tested && !health.passes, doubtful: [...new Set(noted.map((row) => row.note))].join("; "), at: contest.column, column: column.name, family: column.family, arrow: ARROW[column.direction], ...found, word };
      });
    const words = ["better", "worse", "not told apart", "equal"];
    rows.sort((p, q) => words.indexOf(p.word) - words.indexOf(q.word));
    const count = (word) => rows.filter((row) => row.word === word).length;
    sentence.textContent = rows.length
      ? `${named(a)} against ${named(b)}: beyond doubt better in ${count("better")} of ${rows.length} columns, worse in ${count("worse")}, equal in ${count("equal")}, not told apart in ${count("not told apart")}. Intervals hold at 95 % for all pairs of a column together.`
      : a === b ? "Choose two different ones." : "No column has scores of both.";
    grid?.destroy();
    table.replaceChildren();
    const inner = h("div");
    table.append(inner);
    const text = (make) => (cell) => document.createTextNode(make(cell.getRow().getData()));
    const columnCell = (cell) => {
      const row = cell.getRow().getData();
      const show = () => { state.set({ column: row.column }); pick(choice, row.at); };
      const name = h("button", { type: "button", class: "pick", onclick: show }, `${row.column} ${row.arrow}${row.failing ? " ⚠" : ""}`);
      return withTip(name, () => columnTip(names.columns[row.at], row.failing) + (row.doubtful ? `\n≈ ${row.doubtful}` : ""));
    };
    grid = makeGrid(inner, {
      data: rows, index: "at", layout: "fitData", maxHeight: 430, placeholder: "No column has scores of both.",
      columns: [
        { title: "Column", field: "column", width: 380, formatter: columnCell },
        { title: "Family", field: "family", width: 110, formatter: text((row) => row.family) },
        { title: "Verdict", field: "word", width: 130, formatter: (cell) => h("span", { class: `verdict ${cell.getValue().split(" ")[0]}` }, cell.getValue() + (cell.getRow().getData().doubtful ? " ≈" : "")) },
        { title: "Difference", field: "effect", width: 130, hozAlign: "right", formatter: text((row) => number(row.effect)) },
        { title: "95 % interval", field: "low", width: 160, headerSort: false, formatter: text((row) => `${number(row.low)} to ${number(row.high)}`) },
        { title: "around 0", field: "high", width: 170, headerSort: false, formatter: (cell) => intervalMark(cell.getRow().getData()) },
        { title: "n", field: "n", width: 60, hozAlign: "right", formatter: text((row) => String(row.n)) },
      ],
    });
    const column = state.choose("column", rows.map((row) => row.column));
    if (rows.length) pick(choice, called.column.indexOf(column));
    else detail.replaceChildren();
  }

  function pick({ kind, dataset, of, a, b }, column) {
    const pair = kind === "method" ? [[of, a], [of, b]] : [[a, of], [b, of]];
    detail.replaceChildren(...imageByImage(data, dataset, column, pair, kind));
  }

  queueMicrotask(draw);
  return [h("h2", {}, "Compare"), bar, sentence, table, detail];
}

// The difference and its interval on a line of its own scale, 0 in the middle.
function intervalMark(row) {
  const most = Math.max(Math.abs(row.low), Math.abs(row.high)) || 1;
  const at = (value) => 80 + 74 * (Number.isFinite(value) ? value / most : Math.sign(value));
  const svg = d3.create("svg").attr("width", 160).attr("height", 16).attr("class", "interval").attr("aria-hidden", "true");
  svg.append("line").attr("class", "zero").attr("x1", 80).attr("x2", 80).attr("y1", 0).attr("y2", 16);
  if (Number.isFinite(most)) {
    svg.append("line").attr("x1", at(row.low)).attr("x2", at(row.high)).attr("y1", 8).attr("y2", 8);
    svg.append("circle").attr("cx", at(row.effect)).attr("cy", 8).attr("r", 4);
  }
  return svg.node();
}

function imageByImage(data, dataset, column, [one, other], kind) {
  const { names, samples } = data;
  const [x, y] = [one, other].map(([model, method]) => data.scores(dataset, model, method, column));
  if (!x || !y) return [];
  const label = ([model, method]) => (kind === "method" ? names.methods[method].name : names.models[model].name);
  const of = samples.scores[dataset];
  const points = x.map((value, at) => ({ x: value, y: y[at], sample: of.samples[at] })).filter((point) => !Number.isNaN(point.x + point.y));
  const { direction, name } = names.columns[column];
  const plot = drawn(Plot.plot({
    ...PLOT, width: 430, height: 430, grid: true, marginLeft: 55, marginBottom: 45,
    x: { label: `${label(one)} →` }, y: { label: `↑ ${label(other)}` },
    marks: [
      Plot.line(diagonal(points), { stroke: "currentColor", strokeDasharray: "4 3" }),
      Plot.dot(points, { x: "x", y: "y", r: 3.5, fill: "var(--accent)", fillOpacity: 0.6, title: (point) => `image ${point.sample}: ${number(point.x)} against ${number(point.y)}` }),
    ],
  }), `Scores of each image in ${name}`);
  const kept = new Set(samples.images.filter((image) => image.dataset === dataset).map((image) => image.sample));
  // with lower scores better, less is more
  const gain = (point) => (direction || 1) * (point.x - point.y);
  const shown = points.filter((point) => kept.has(point.sample) && point.x !== point.y).sort((p, q) => gain(q) - gain(p));
  const row = (point) => h("div", { class: "pair" },
    imageTile(data, dataset, point.sample) ?? "",
    mapTile(data, dataset, one[0], one[1], point.sample, `${label(one)}: ${number(point.x)}`) ?? h("p", { class: "note" }, `${label(one)}: ${number(point.x)}, no map kept`),
    mapTile(data, dataset, other[0], other[1], point.sample, `${label(other)}: ${number(point.y)}`) ?? h("p", { class: "note" }, `${label(other)}: ${number(point.y)}, no map kept`));
  const best = shown.filter((point) => gain(point) > 0).slice(0, 3);
  const worst = shown.filter((point) => gain(point) < 0).slice(-3).reverse();
  const images = kept.size
    ? [["Where the first is best, of the images kept", best], ["Where the second is, of the images kept", worst]].flatMap(([title, of]) => [h("h3", {}, title), ...(of.length ? of.map(row) : [h("p", { class: "note" }, "Nowhere.")])])
    : [h("h3", {}, "The images where they differ most"), h("p", { class: "note" }, noMaps(data))];
  return [
    h("h3", {}, `Image by image: ${name} ${ARROW[direction]}`),
    h("p", { class: "note" }, `${points.length} of ${of.of} images. On the dashed line both are equal; ${direction > 0 ? "below" : "above"} it ${label(one)} is better.`),
    h("div", { id: "scatter" }, plot),
    h("div", { id: "widest" }, images),
  ];
}

function diagonal(points) {
  const all = points.flatMap((point) => [point.x, point.y]);
  return [[Math.min(...all), Math.min(...all)], [Math.max(...all), Math.max(...all)]];
}
