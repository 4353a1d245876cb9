// What was run, the answer in a few sentences, the headline order, the health of the metrics.
function overview(data) {
  const { run, names } = data;
  const facts = [
    ["Suite", run.suites.join(", ")],
    ["Data", names.datasets.map((name) => `${name} (${run.samples[name]} images)`).join(", ")],
    ["Models", names.models.map((one) => one.name).join(", ")],
    ["Metrics", [...new Set(names.columns.map((one) => one.metric))].join(", ")],
    ["Methods", names.methods.map(marked).join(", ")],
    ...Object.entries(run.conditions).filter(([name]) => name !== "schema"),
    ["run by", run.runBy.join("; ") || "not noted in run.json: an earlier version than this one ran it"],
    ["page by", `xaiboard ${run.version}`],
    ["digest of the scores", run.digest || "none: an unsealed folder"],
  ].filter(([, value]) => value);
  const parts = [
    h("h2", {}, "What was run"),
    plainTable(["", ""], facts.map(([name, value]) => [name, value]), "What was run"),
    h("p", { class: "note" }, "† controls: they explain nothing, and a method that does not beat them does not either."),
  ];
  const failed = data.cells.status.filter((status) => data.cells.states[status] === "failed").length;
  if (failed) parts.push(h("p", { class: "fails" }, `${failed} cells failed: `, h("a", { href: "#view=cells&cells.status=failed" }, "see which, and why"), "."));
  for (const answer of data.answers) {
    const heading = names.datasets.length > 1 ? `The answer on ${names.datasets[answer.dataset]}` : "The answer";
    parts.push(h("h2", {}, heading), h("ul", {}, answer.sentences.map((text) => h("li", {}, text))));
  }
  parts.push(...headline(data), ...healthOf(data));
  return parts;
}

function headline(data) {
  const { names, order } = data;
  if (!order.length) return [];
  const pick = h("div");
  const options = order.map((one) => [
    names.datasets.length > 1 && names.datasets[one.dataset],
    one.model < 0 ? "all models" : names.models[one.model].name,
  ].filter(Boolean).join(", "));
  const show = (at) => {
    const one = order[at];
    const rows = one.methods.map((method, place) => [
      names.methods[method].name,
      { text: one.rank[place].toFixed(2), class: "number" },
      { text: `${one.low[place].toFixed(2)} to ${one.high[place].toFixed(2)}`, class: "number" },
    ]);
    const counts = Object.entries(one.families).map(([name, count]) => `${name} ${count}`).join(", ");
    refill(pick,
      plainTable(["Method", "Mean rank", "95 % of images drawn anew"], rows, "Headline order"),
      one.leftOut.length ? h("p", { class: "note" }, `Left out, for want of a score in some of these columns: ${
        one.leftOut.map((method) => names.methods[method].name).join(", ")}.`) : null,
      h("details", {}, h("summary", {}, `What went in: ${one.columns.length} columns (${counts}, each model counted)`),
        h("ul", {}, one.columns.map((column) => h("li", {}, names.columns[column].name)))));
  };
  const first = state.choose("order", options);
  show(options.indexOf(first));
  return [
    h("h2", {}, "Headline order"),
    h("p", { class: "note" }, "Mean rank over the columns that pass their controls; metric families count alike, and so do models. It is descriptive: it tests nothing, and what is beyond doubt stands in the leaderboard."),
    h("div", { class: "controls" }, chosen("Order for", "order-for", options, first, (value) => { state.set({ order: value }); show(options.indexOf(value)); })),
    pick,
  ];
}

function healthOf(data) {
  const { names } = data;
  const groups = new Map();
  for (const one of data.tested) {
    const at = `${one.dataset}/${one.column}`;
    groups.set(at, [...(groups.get(at) ?? []), one]);
  }
  if (!groups.size) return [];
  const range = (values) => {
    const known = values.filter((value) => value !== null);
    return known.length ? `${Math.min(...known).toFixed(2)} to ${Math.max(...known).toFixed(2)}` : "";
  };
  const rows = [...groups.values()].map((of) => {
    const passing = of.filter((one) => one.passes).length;
    const tested = of.filter((one) => one.tested).length;
    return [
      names.datasets.length > 1 ? names.datasets[of[0].dataset] : null,
      names.columns[of[0].column].name,
      { text: tested ? `${passing} of ${tested}` : "no control ran", class: passing < tested ? "number fails" : "number" },
      { text: tested ? of.filter((one) => one.random_beats > 0).length : "", class: "number" },
      { text: of.some((one) => one.blurred_pairs > 0) ? of.filter((one) => one.blurred_better > 0).length : "", class: "number" },
      { text: range(of.map((one) => one.split_half)), class: "number" },
    ].filter((value) => value !== null);
  });
  return [
    h("h2", {}, "Health of the metrics"),
    h("p", { class: "note" }, "On how many models each column passes its controls; on how many random maps beat a method, and a blurred copy its own map, beyond doubt; and how alike two halves of the images order the methods."),
    folded(rows.length, plainTable([...(names.datasets.length > 1 ? ["Data"] : []), "Column", "Passes", "Random beats a method", "Blur beats a map", "Split-half"], rows, "Health of the metrics")),
  ];
}

// A long table is shown when it is asked for.
function folded(count, table) {
  return count <= 40 ? table : h("details", {}, h("summary", {}, `All ${count} columns`), table);
}
