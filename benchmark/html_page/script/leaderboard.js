// The leaderboard: methods × columns of one model, or models × columns under one method.
function leaderboard(data) {
  const { names, called } = data;
  const table = h("div", { id: "board" });
  const count = h("p", { class: "note", role: "status", id: "board-count" });
  const bar = h("div", { class: "controls" });
  let grid = null;
  let legend = "";
  let width = 0;

  const change = (changes) => {
    state.set(changes);
    draw();
  };
  const families = [...new Set(names.columns.map((one) => one.family))].sort();
  const isChosen = (name, usual) => state.choose(name, ["0", "1"], usual) === "1";

  // What is chosen, the data set, model and method by their places; -1 is the models themselves.
  function read() {
    const kinds = names.methods.length ? ["method", "model"] : ["model", "method"];
    return {
      byMethod: state.choose("by", kinds) === "method", dataset: state.place("dataset", called.dataset), model: state.place("model", called.model),
      method: called.method.indexOf(state.choose("method", [MODELS_THEMSELVES, ...called.method])),
      family: state.choose("family", ["", ...families]), controls: isChosen("controls", "1"), passing: isChosen("passing", "0"),
    };
  }

  function draw() {
    const choice = read();
    refill(bar,
      chosenData(data, "board-dataset", choice.dataset, change),
      chosen("Rows", "board-by", [["method", "methods of a model"], ["model", "models under a method"]], choice.byMethod ? "method" : "model", (value) => change({ by: value, sort: "" })),
      choice.byMethod
        ? chosen("Model", "board-model", called.model, called.model[choice.model], (value) => change({ model: value }))
        : chosen("Method", "board-method", [MODELS_THEMSELVES, ...called.method], called.method[choice.method] ?? MODELS_THEMSELVES, (value) => change({ method: value })),
      chosen("Metric family", "board-family", [["", "all"], ...families], choice.family, (value) => change({ family: value })),
      typed("Find rows", "board-find", state.get("find"), (value) => { state.keep({ find: value }); filter(); }),
      typed("Find columns", "board-columns", state.get("columns"), (value) => { state.keep({ columns: value }); fill(read()); }),
      ticked("Controls", "board-controls", choice.controls, (value) => { state.set({ controls: value ? "1" : "0" }); filter(); }),
      choice.byMethod ? ticked("Only columns that pass their controls", "board-passing", choice.passing, (value) => change({ passing: value ? "1" : "0" })) : null,
    );
    fill(choice);
  }

  function shownColumns({ dataset, byMethod, model, method, family, passing }) {
    return columnsFound(data, state.get("columns"), data.columnsOf(dataset, (m, k) => (byMethod ? m === model && k >= 0 : k === method)))
      .filter((at) => !family || names.columns[at].family === family)
      .filter((at) => !byMethod || !passing || data.health(dataset, model, at)?.passes);
  }

  function fill(choice) {
    const { dataset, byMethod } = choice;
    const columns = shownColumns(choice);
    const entries = byMethod ? names.methods : names.models;
    const order = data.order.find((one) => one.dataset === dataset && one.model === choice.model);
    const headline = new Map(order ? order.methods.map((method, place) => [method, order.rank[place]]) : []);
    const rows = entries.map((entry, at) => {
      const [model, method] = byMethod ? [choice.model, at] : [at, choice.method];
      const row = { at, name: entry.name, control: Boolean(entry.control), family: entry.family ?? "", tip: entry.summary ? `${entry.summary}\nSource: ${entry.source}` : entry.name };
      let known = 0;
      for (const column of columns) {
        const found = data.row(dataset, model, method, column);
        const why = found ? "" : data.reason(dataset, model, method, column);
        if (found || why) known += 1;
        row[`c${column}`] = found ?? { mean: NaN, why };
      }
      row.rank = byMethod ? (headline.get(at) ?? NaN) : NaN;
      return { row, known };
    }).filter((one) => one.known).map((one) => one.row);
    const most = rows.length;
    if (!byMethod) placeModels(data, rows, columns);
    legend = byMethod
      ? `Bold: in the set of the best. Darker: better rank. ≈: the note says why the rank is less sure. Failed cells say so.${order ? ` Columns behind the mean rank: ${order.columns.length}.` : ""}`
      : "Darker: better mean, in columns that compare models; what is beyond doubt stands under Compare.";
    width = columns.length;
    grid?.destroy();
    table.replaceChildren();
    const inner = h("div");
    table.append(inner);
    grid = makeGrid(inner, {
      data: rows, index: "at", layout: "fitData", maxHeight: 640,
      renderHorizontal: columns.length > 30 ? "virtual" : "basic", sortMode: "local", placeholder: "No scores for this choice.",
      initialSort: sorting(data, columns, byMethod),
      columns: [
        { title: byMethod ? "Method" : "Model", field: "name", frozen: true, width: window.innerWidth < 700 ? 130 : 210, formatter: nameCell, titleFormatter: () => document.createTextNode(byMethod ? "Method" : "Model") },
        ...(byMethod ? [{ title: "mean rank", field: "rank", sorter: numberSorter, width: 90, hozAlign: "right", formatter: (cell) => document.createTextNode(number(cell.getValue())), headerTooltip: false, titleFormatter: () => withTip(h("span", {}, "mean rank ↓"), () => "The headline order of this model: the mean rank over the columns that pass their controls, families of metrics alike. Controls, and methods without a score in one of these columns, have none.") }] : [{ title: "family", field: "family", width: 110 }]),
        ...columns.map((column) => boardColumn(data, column, most, byMethod, dataset, choice.model)),
      ],
    });
    grid.on("dataSorted", (sorters) => {
      if (sorters.length) state.keep({ sort: `${called.column[sorters[0].field.slice(1)] ?? sorters[0].field}:${sorters[0].dir}` });
    });
    grid.on("tableBuilt", filter);
    state.tell();
  }

  function filter() {
    const words = wordsOf(state.get("find"));
    const { controls } = read();
    grid.setFilter((row) => (controls || !row.control) && (!words.length || words.some((word) => `${row.name} ${row.family}`.toLowerCase().includes(word))));
    count.replaceChildren(`${grid.getDataCount("active")} rows, ${width} columns. ${legend}`, h("span", { class: "on-screen" }, " A tap on a cell, or the arrow keys, show its interval."));
  }

  queueMicrotask(draw);
  return [h("h2", {}, "Leaderboard"), bar, count, table];
}

// Stands for no method, where metrics of the models themselves are shown.
const MODELS_THEMSELVES = "(the models themselves)";

function wordsOf(text) {
  return text.toLowerCase().split(/[\s,]+/).filter(Boolean);
}

// Those of some columns whose names have one of the words; all if there is no word.
function columnsFound(data, text, columns) {
  const words = wordsOf(text);
  return columns.filter((at) => !words.length || words.some((word) => data.called.column[at].toLowerCase().includes(word)));
}

// The order in the address: the name of a column, a colon, and asc or desc.
function sorting(data, columns, byMethod) {
  const own = byMethod ? ["rank", "name"] : ["name", "family"];
  const known = new Map([...columns.map((at) => [data.called.column[at], `c${at}`]), ...own.map((field) => [field, field])]);
  const ways = [...known.keys()].flatMap((name) => [`${name}:asc`, `${name}:desc`]);
  const wanted = state.choose("sort", ways, `${own[0]}:asc`);
  const colon = wanted.lastIndexOf(":");
  return [{ column: known.get(wanted.slice(0, colon)), dir: wanted.slice(colon + 1) }];
}

// Models are placed by their means in columns that may be compared across models; such places are no ranks.
function placeModels(data, rows, columns) {
  for (const column of columns) {
    const { direction, across } = data.names.columns[column];
    if (!direction || !across) continue;
    const known = rows.map((row) => row[`c${column}`]).filter((one) => !Number.isNaN(one.mean));
    known.sort((a, b) => direction * (b.mean - a.mean)).forEach((one, at) => { one.place = at + 1; one.most = known.length; });
  }
}

function numberSorter(a, b, _first, _second, _column, dir) {
  const [x, y] = [a?.mean ?? a, b?.mean ?? b];
  // What has no score comes last in either direction; the table hands the two over swapped when it sorts downwards.
  const sign = dir === "asc" ? 1 : -1;
  if (Number.isNaN(x)) return Number.isNaN(y) ? 0 : sign;
  if (Number.isNaN(y)) return -sign;
  return x - y;
}

function boardColumn(data, at, most, byMethod, dataset, model) {
  const column = data.names.columns[at];
  const health = byMethod ? data.health(dataset, model, at) : null;
  const failing = health !== null && health.tested && !health.passes;
  return {
    title: column.name, field: `c${at}`, sorter: numberSorter, width: 132, hozAlign: "right",
    titleFormatter: () => withTip(h("span", { class: failing ? "fails" : "" }, breakable(column.name), ` ${ARROW[column.direction]}${failing ? " ⚠" : ""}`),
      () => columnTip(column, failing)),
    formatter: (cell) => scoreCell(cell, most, byMethod),
    headerSortStartingDir: column.direction === 1 ? "desc" : "asc",
  };
}

function nameCell(cell) {
  const row = cell.getRow().getData();
  return withTip(h("span", { class: row.control ? "control" : "" }, marked(row)), () => row.tip);
}

function scoreCell(cell, most, byMethod) {
  const value = cell.getValue();
  if (Number.isNaN(value.mean)) {
    const failed = value.why?.startsWith("failed");
    return said(cell, h("span", { class: failed ? "fails" : "absent" }, failed ? "failed" : "–"), value.why || "no score");
  }
  const ranked = byMethod && value.rank;
  const interval = `${number(value.low)} to ${number(value.high)}`;
  const element = h("span", { class: byMethod && value.best ? "best" : "", "data-paper": interval }, `${number(value.mean)}${byMethod && value.doubtful ? " ≈" : ""}`);
  const [place, of] = byMethod ? [value.rank, most] : [value.place ?? 0, value.most ?? 0];
  if (place && of > 1) {
    const share = Math.round(55 * (1 - (place - 1) / (of - 1)));
    element.style.cssText = `display:block;margin:-4px;padding:4px;background:color-mix(in srgb, var(--rank) ${share}%, transparent)`;
  }
  const rank = ranked ? `rank ${value.rank} (${value.rankLow} to ${value.rankHigh})${value.best ? ", in the set of the best" : ""}` : "";
  return said(cell, element, [`mean ${number(value.mean)} (95 %: ${interval})`, `n = ${value.n}`, rank, value.note].filter(Boolean).join("\n"));
}

// A cell whose tip readers of screens say in the place of the bare number.
function said(cell, element, text) {
  cell.getElement().setAttribute("aria-label", text.replaceAll("\n", "; "));
  return withTip(element, () => text);
}
