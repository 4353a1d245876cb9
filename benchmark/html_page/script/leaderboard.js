// The leaderboard: methods × columns of one model, or models × columns under one method.
function leaderboard(data) {
  const { names } = data;
  const choice = {
    dataset: state.get("dataset", "0"), by: state.get("by", names.methods.length ? "method" : "model"), model: state.get("model", "0"),
    method: state.get("method", "-1"), family: state.get("family"), find: state.get("find"), columns: state.get("columns"),
    controls: state.get("controls", "1"), passing: state.get("passing", "0"), sort: state.get("sort"),
  };
  const table = h("div", { id: "board" });
  const count = h("p", { class: "note", role: "status", id: "board-count" });
  const bar = h("div", { class: "controls" });
  let grid = null;
  let legend = "";
  let width = 0;

  const change = (changes) => {
    Object.assign(choice, changes);
    state.set(changes);
    draw();
  };
  const families = [...new Set(names.columns.map((one) => one.family))].sort();

  function draw() {
    const dataset = Number(choice.dataset);
    const byMethod = choice.by === "method";
    const focused = document.activeElement?.id;
    bar.replaceChildren(
      names.datasets.length > 1 ? chosen("Data", "board-dataset", names.datasets.map((name, at) => [at, name]), choice.dataset, (value) => change({ dataset: value })) : "",
      chosen("Rows", "board-by", [["method", "methods of a model"], ["model", "models under a method"]], choice.by, (value) => change({ by: value, sort: "" })),
      byMethod
        ? chosen("Model", "board-model", names.models.map((one, at) => [at, one.name]), choice.model, (value) => change({ model: value }))
        : chosen("Method", "board-method", [[-1, "(the models themselves)"], ...names.methods.map((one, at) => [at, one.name])], choice.method, (value) => change({ method: value })),
      chosen("Metric family", "board-family", [["", "all"], ...families.map((name) => [name, name])], choice.family, (value) => change({ family: value })),
      typed("Find rows", "board-find", choice.find, (value) => { choice.find = value; state.set({ find: value }); filter(); }),
      typed("Find columns", "board-columns", choice.columns, (value) => { choice.columns = value; state.set({ columns: value }); fill(Number(choice.dataset), choice.by === "method"); }),
      ticked("Controls", "board-controls", choice.controls === "1", (value) => { choice.controls = value ? "1" : "0"; state.set({ controls: choice.controls }); filter(); }),
      byMethod ? ticked("Only columns that pass their controls", "board-passing", choice.passing === "1", (value) => change({ passing: value ? "1" : "0" })) : "",
    );
    fill(dataset, byMethod);
    if (focused) document.getElementById(focused)?.focus();
  }

  function shownColumns(dataset, byMethod) {
    const model = Number(choice.model);
    const method = Number(choice.method);
    const words = choice.columns.toLowerCase().split(/[\s,]+/).filter(Boolean);
    return data.columnsOf(dataset, (m, k) => (byMethod ? m === model && k >= 0 : k === method))
      .filter((at) => !choice.family || names.columns[at].family === choice.family)
      .filter((at) => !words.length || words.some((word) => names.columns[at].name.toLowerCase().includes(word)))
      .filter((at) => !byMethod || choice.passing !== "1" || data.health(dataset, model, at)?.passes);
  }

  function fill(dataset, byMethod) {
    const columns = shownColumns(dataset, byMethod);
    const entries = byMethod ? names.methods : names.models;
    const order = data.order.find((one) => one.dataset === dataset && one.model === Number(choice.model));
    const headline = new Map(order ? order.methods.map((method, place) => [method, order.rank[place]]) : []);
    const rows = entries.map((entry, at) => {
      const [model, method] = byMethod ? [Number(choice.model), at] : [at, Number(choice.method)];
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
      ? "Bold: in the set of the best. Darker: better rank. ≈: the note says why the rank is less sure. Failed cells say so."
      : "Darker: better mean, in columns that compare models; what is beyond doubt stands under Compare.";
    width = columns.length;
    grid?.destroy();
    table.replaceChildren();
    const inner = h("div");
    table.append(inner);
    grid = makeGrid(inner, {
      data: rows, index: "at", layout: "fitData", maxHeight: 640,
      renderHorizontal: columns.length > 30 ? "virtual" : "basic", sortMode: "local", placeholder: "No scores for this choice.",
      initialSort: sorting(choice.sort, columns, byMethod),
      columns: [
        { title: byMethod ? "Method" : "Model", field: "name", frozen: true, width: 210, formatter: nameCell, titleFormatter: () => document.createTextNode(byMethod ? "Method" : "Model") },
        ...(byMethod ? [{ title: "mean rank", field: "rank", sorter: numberSorter, width: 90, hozAlign: "right", formatter: (cell) => document.createTextNode(number(cell.getValue())), headerTooltip: false, titleFormatter: () => withTip(h("span", {}, "mean rank ↓"), () => "The headline order of this model: the mean rank over the columns that pass their controls, families of metrics alike. Controls, and methods without a score in one of these columns, have none.") }] : [{ title: "family", field: "family", width: 110 }]),
        ...columns.map((column) => boardColumn(data, column, most, byMethod, dataset, Number(choice.model))),
      ],
    });
    grid.on("dataSorted", (sorters) => {
      choice.sort = sorters.length ? `${sorters[0].field}:${sorters[0].dir}` : "";
      state.set({ sort: choice.sort });
    });
    grid.on("tableBuilt", filter);
  }

  function filter() {
    const words = choice.find.toLowerCase().split(/[\s,]+/).filter(Boolean);
    grid.setFilter((row) => (choice.controls === "1" || !row.control) && (!words.length || words.some((word) => `${row.name} ${row.family}`.toLowerCase().includes(word))));
    count.textContent = `${grid.getDataCount("active")} rows, ${width} columns. ${legend}`;
  }

  queueMicrotask(draw);
  return [h("h2", {}, "Leaderboard"), bar, count, table];
}

function sorting(text, columns, byMethod) {
  const [field, dir] = text.split(":");
  const there = ["name", "rank", "family", ...columns.map((at) => `c${at}`)].includes(field);
  return there ? [{ column: field, dir }] : [{ column: byMethod ? "rank" : "name", dir: "asc" }];
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
      () => columnTip(column) + (failing ? "\n⚠ fails its controls on this model" : "")),
    formatter: (cell) => scoreCell(cell.getValue(), most, byMethod),
    headerSortStartingDir: column.direction === 1 ? "desc" : "asc",
  };
}

function nameCell(cell) {
  const row = cell.getRow().getData();
  return withTip(h("span", { class: row.control ? "control" : "" }, row.name + (row.control ? " †" : "")), () => row.tip);
}

function scoreCell(value, most, byMethod) {
  if (Number.isNaN(value.mean)) {
    const failed = value.why?.startsWith("failed");
    return withTip(h("span", { class: failed ? "fails" : "absent" }, failed ? "failed" : "–"), () => value.why || "no score");
  }
  const ranked = byMethod && value.rank;
  const element = h("span", { class: byMethod && value.best ? "best" : "" }, `${number(value.mean)}${byMethod && value.doubtful ? " ≈" : ""}`);
  const [place, of] = byMethod ? [value.rank, most] : [value.place ?? 0, value.most ?? 0];
  if (place && of > 1) {
    const share = Math.round(55 * (1 - (place - 1) / (of - 1)));
    element.style.cssText = `display:block;margin:-4px;padding:4px;background:color-mix(in srgb, var(--rank) ${share}%, transparent)`;
  }
  const rank = ranked ? `rank ${value.rank} (${value.rankLow} to ${value.rankHigh})${value.best ? ", in the set of the best" : ""}` : "";
  const tipText = [`mean ${number(value.mean)} (95 %: ${number(value.low)} to ${number(value.high)})`, `n = ${value.n}`, rank, value.note].filter(Boolean).join("\n");
  return withTip(element, () => tipText);
}
