// The leaderboard by names, and what else is looked up by data set, model, method and column.
function indexed(content) {
  const { names, board, cells, health, samples } = content;
  const key = (...parts) => parts.join("/");
  const rows = new Map();
  for (let at = 0; at < board.column.length; at++) {
    rows.set(key(board.dataset[at], board.model[at], board.method[at], board.column[at]), at);
  }
  const why = new Map();
  for (let at = 0; at < cells.status.length; at++) {
    if (cells.states[cells.status[at]] === "ok") continue;
    const metric = cells.metrics[cells.metric[at]];
    why.set(key(cells.dataset[at], cells.model[at], cells.method[at], metric),
      `${cells.states[cells.status[at]]}: ${cells.notes[cells.note[at]]}`);
  }
  const sound = new Map(health.map((one) => [key(one.dataset, one.model, one.column), one]));
  const scores = new Map();
  samples.scores.forEach((of, dataset) => {
    for (let at = 0; at < of.column.length; at++) {
      scores.set(key(dataset, of.model[at], of.method[at], of.column[at]), at);
    }
  });
  const called = (list) => list.map((one) => one.name);
  return {
    ...content,
    tested: health,
    // The names that people choose from, in the order of the lists.
    called: { dataset: names.datasets, model: called(names.models), method: called(names.methods), column: called(names.columns) },
    row(dataset, model, method, column) {
      const at = rows.get(key(dataset, model, method, column));
      if (at === undefined) return null;
      return {
        mean: board.mean[at], low: board.ci_low[at], high: board.ci_high[at], n: board.n[at], rank: board.rank[at],
        rankLow: board.rank_low[at], rankHigh: board.rank_high[at], best: Boolean(board.flag[at] & 1),
        doubtful: Boolean(board.flag[at] & 2), note: board.notes[board.note[at]],
      };
    },
    // Why there is no score.
    reason(dataset, model, method, column) {
      return why.get(key(dataset, model, method, names.columns[column].metric)) ?? "";
    },
    health(dataset, model, column) {
      return sound.get(key(dataset, model, column)) ?? null;
    },
    // Scores of the first images, image by image; null without any.
    scores(dataset, model, method, column) {
      const at = scores.get(key(dataset, model, method, column));
      if (at === undefined) return null;
      const of = samples.scores[dataset];
      const size = of.samples.length;
      return Array.from(of.values.subarray(at * size, (at + 1) * size),
        (step) => (step === 65535 ? NaN : of.low[at] + step * of.step[at]));
    },
    columnsOf(dataset, test) {
      const found = new Set();
      for (let at = 0; at < board.column.length; at++) {
        if (board.dataset[at] === dataset && test(board.model[at], board.method[at])) found.add(board.column[at]);
      }
      return [...found].sort((a, b) => a - b);
    },
  };
}

// What is known of a column; of one on a model also whether it fails its controls there.
function columnTip(column, failing = false) {
  const direction = { 1: "higher is better", 0: "no direction", "-1": "lower is better" }[column.direction];
  return [
    `${column.metric}${column.settings ? ` [${column.settings}]` : ""}`,
    column.perturbation && `under ${column.perturbation}`,
    `${column.family}, ${direction}`,
    column.across ? "" : "comparable within one model only",
    column.meaning,
    column.source && `Source: ${column.source}`,
    failing && "⚠ fails its controls on this model",
  ].filter(Boolean).join("\n");
}
