// The leaderboard: methods × columns of one model, or models × columns under one method.
function leaderboard(data) {
  const { names } = data;
  const choice = {
    dataset: state.get("dataset", "0"), by: state.get("by", "method"), model: state.get("model", "0"),
    method: state.get("method", "-1"), family: state.get("family"), find: state.get("find"), columns: state.get("columns"),
    controls: state.get("controls", "1"), passing: state.get("passing", "0"), sort: state.get("sort"),
  };
  const table = h("div", { id: "board" });
  const count = h("p", { class: "note", role: "status", id: "board-count" });
  const bar = h("div", { class: "controls" });
  let grid = null;

  const change = (changes) => {
    Object.assign(choice, changes);
    state.set(changes);
    draw();
  };
  const families = [...new Set(names.columns.map((one) => one.family))].sort();

  function draw() {
    const dataset = Number(choice.dataset);
    const byMethod = choice.by === "method";
    bar.replaceChildren(
      names.datasets.length > 1 ? chosen("Data", "board-dataset", names.datasets.map((name, at) => [at, name]), choice.dataset, (value) => change({ dataset: value })) : "",
      chosen("Rows", "board-by", [["method", "methods of a model"], ["model", "models under a method"]], choice.by, (value) => change({ by: value, sort: "" })),
      byMethod
        ? chosen("Model", "board-model", names.models.map((one, at) => [at, one.name]), choice.model, (value) => change({ model: value }))
        : chosen("Method", "board-method", [[-1, "(the models themselves)"], ...names.methods.map((one, at) => [at, one.name])], choice.method, (value) => change({ method: value })),
      chosen("Metric family", "board-family", [["", "all"], ...families.map((name) => [name, name])], choice.family, (value) => change({ family: value })),
      typed("Find rows", "board-find", choice.find, (value) => { choice.find = value; state.set({ find: value }); filter(); }),
      typed("Find columns", "board-columns", choice.columns, (value) => change({ columns: value })),
      ticked("Controls", "board-controls", choice.controls === "1", (value) => { choice.controls = value ? "1" : "0"; state.set({ controls: choice.controls }); filter(); }),
      byMethod ? ticked("Only columns that pass their controls", "board-passing", choice.passing === "1", (value) => change({ passing: value ? "1" : "0" })) : "",
    );
    const focused = document.activeElement?.id;
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
    const rows = entries.map((entry, at) => {
      const [model, method] = byMethod ? [Number(choice.model), at] : [at, Number(choice.method)];
      const row = { at, name: entry.name, control: Boolean(entry.control), family: entry.family ?? "", tip: entry.summary ? `${entry.summary}\nSource: ${entry.source}` : entry.name };
      const ranks = [];
      let known = 0;
      for (const column of columns) {
        const found = data.row(dataset, model, method, column);
        if (found) known += 1;
        if (found?.rank) ranks.push(found.rank);
        row[`c${column}`] = found ?? { mean: NaN, why: data.reason(dataset, model, method, column) };
      }
      row.rank = ranks.length ? ranks.reduce((a, b) => a + b, 0) / ranks.length : NaN;
      return { row, known };
    }).filter((one) => one.known).map((one) => one.row);
    const most = byMethod ? rows.length : 0;
    if (!byMethod) placeModels(rows, columns);
    count.textContent = `${rows.length} rows, ${columns.length} columns. Bold: in the set of the best. Darker: better rank. ≈: the note says why the rank is less sure.`;
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
        ...(byMethod ? [{ title: "mean rank", field: "rank", sorter: numberSorter, width: 90, hozAlign: "right", formatter: (cell) => document.createTextNode(number(cell.getValue())), headerTooltip: false, titleFormatter: () => withTip(h("span", {}, "mean rank ↓"), () => "Mean of the ranks in the columns shown.") }] : [{ title: "family", field: "family", width: 110 }]),
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
function placeModels(rows, columns) {
  for (const column of columns) {
    const { direction, across } = DATA.names.columns[column];
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
  return {
    title: column.name, field: `c${at}`, sorter: numberSorter, width: 132, hozAlign: "right",
    titleFormatter: () => withTip(h("span", { class: health && !health.passes ? "fails" : "" }, breakable(column.name), ` ${ARROW[column.direction]}${health && !health.passes ? " ⚠" : ""}`),
      () => columnTip(column) + (health && !health.passes ? "\n⚠ fails its controls on this model" : "")),
    formatter: (cell) => scoreCell(cell.getValue(), most),
    headerSortStartingDir: column.direction === 1 ? "desc" : "asc",
  };
}

function nameCell(cell) {
  const row = cell.getRow().getData();
  return withTip(h("span", { class: row.control ? "control" : "" }, row.name + (row.control ? " †" : "")), () => row.tip);
}

function scoreCell(value, most) {
  if (Number.isNaN(value.mean)) return withTip(h("span", { class: "absent" }, "–"), () => value.why || "no score");
  const text = `${number(value.mean)}${value.doubtful ? " ≈" : ""}`;
  const element = h("span", { class: value.best ? "best" : "" }, text);
  const [place, of] = value.rank ? [value.rank, most] : [value.place ?? 0, value.most ?? 0];
  if (place && of > 1) {
    const share = Math.round(55 * (1 - (place - 1) / (of - 1)));
    element.style.cssText = `display:block;margin:-4px;padding:4px;background:color-mix(in srgb, var(--rank) ${share}%, transparent)`;
  }
  const rank = value.rank ? `rank ${value.rank} (${value.rankLow} to ${value.rankHigh})${value.best ? ", in the set of the best" : ""}` : "";
  const tipText = [`mean ${number(value.mean)} (95 %: ${number(value.low)} to ${number(value.high)})`, `n = ${value.n}`, rank, value.note].filter(Boolean).join("\n");
  return withTip(element, () => tipText);
}
