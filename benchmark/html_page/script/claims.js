// What papers claim, each with its verdict, and its effect against a margin that was declared before.
const SIGNS = { holds: "✓", "does not hold": "✗", mixed: "±", undecided: "?", "not testable here": "–" };

function claimTable({ claims: { claims, parts } }) {
  const counts = Object.keys(SIGNS).map((word) => [word, claims.filter((row) => row.verdict === word).length]).filter(([, count]) => count);
  const inner = h("div", { id: "claims" });
  const detail = h("div", { id: "claim" });
  const pick = (id) => refill(detail, ...oneClaim(claims.find((row) => row.id === id), parts.filter((row) => row.id === id)));
  const name = (cell) => {
    const { id } = cell.getRow().getData();
    return h("button", { type: "button", class: "pick", id: `claim-${id}`, onclick: () => { state.set({ claim: id }); pick(id); } }, id);
  };
  const text = (field) => (cell) => document.createTextNode(cell.getRow().getData()[field] ?? "");
  const plain = (title, field, width) => ({ title, field, width, variableHeight: true, formatter: text(field), headerFilter: "input", headerFilterPlaceholder: "filter" });
  queueMicrotask(() => {
    makeGrid(inner, {
      data: claims, index: "id", layout: "fitData", placeholder: "No claim fits.",
      columns: [
        { title: "Claim", field: "id", width: 80, frozen: true, formatter: name, sorter: "alphanum" },
        plain("What is claimed", "text", 330), plain("Paper", "paper", 120),
        { title: "Verdict", field: "verdict", width: 160, headerFilter: "input", headerFilterPlaceholder: "filter", formatter: (cell) => verdictOf(cell.getValue()) },
        { title: "Effect", field: "effect", width: 90, hozAlign: "right", sorter: "number", formatter: (cell) => withTip(h("span", {}, number(cell.getValue())), () => effectWords(cell.getRow().getData())) },
        { title: "against its margin", field: "m", width: 190, headerSort: false, formatter: (cell) => withTip(h("span", { "data-paper": effectWords(cell.getRow().getData()) }, marginMark(cell.getRow().getData())), () => effectWords(cell.getRow().getData())) },
        { title: "Images", field: "n", width: 100, hozAlign: "right", sorter: "number", formatter: (cell) => document.createTextNode(cell.getValue() ?? "") },
        plain("Networks", "networks", 240),
      ],
    });
    const wanted = state.choose("claim", claims.map((row) => row.id));
    if (claims.length) pick(wanted);
    state.tell();
  });
  return [
    h("h2", {}, "Claims"),
    h("p", {}, `${claims.length} claims: ${counts.map(([word, count]) => `${count} ${word}`).join(", ")}.`),
    h("p", { class: "note" }, "Each was declared with its margin before looking. The unit is the trained network: networks and images are drawn anew. Verdicts hold for all claims together: that one of them is false has a probability of 5 % at most. Of a claim with several parts, the numbers are those of the part that is least sure to have its verdict."),
    inner, detail,
  ];
}

function verdictOf(word) {
  return h("span", { class: `verdict ${{ holds: "better", "does not hold": "worse" }[word] ?? ""}` }, `${SIGNS[word] ?? ""} ${word}`);
}

function oneClaim(claim, parts) {
  const facts = [
    ["the paper", claim.paper_says], ["by the claim's own interval", claim.alone], ["why", claim.why], ["parts", claim.parts], ["what would settle it", claim.settle],
    ["missing scores", claim.command], ["again", claim.reproduce],
  ].filter(([, value]) => value);
  const shown = [["dataset", "Data"], ["recipes", "Recipes"], ["method", "Method"], ["column", "Column"], ["perturbation", "Perturbation"], ["says", "In addition"]]
    .filter(([field]) => parts.some((row) => row[field]));
  const rows = parts.map((row) => [
    ...shown.map(([field]) => row[field] ?? ""), verdictOf(row.verdict), row.counts ? "" : "beside", { text: number(row.effect), class: "number" }, marginMark(row), effectWords(row),
    { text: row.n ?? "", class: "number" }, row.networks ?? "", row.why ?? "",
  ]);
  return [
    h("h3", {}, `${claim.id}: `, verdictOf(claim.verdict)), h("p", {}, claim.text),
    parts.length ? plainTable([...shown.map(([, title]) => title), "Verdict", "", "Effect", "against its margin", "in numbers", "Images", "Networks", "Why"], rows, `Parts of claim ${claim.id}`) : null,
    plainTable(["", ""], facts, `More on claim ${claim.id}`),
  ];
}

// In words what the mark draws.
function effectWords(row) {
  if (row.effect === null) return "no effect is known";
  const around = row.holds === "within" ? ` of ${number(row.around)}` : "";
  const interval = row.ci_low === null ? "" : ` (95 % alone: ${number(row.ci_low)} to ${number(row.ci_high)}${row.page_low === null ? "" : `; with all claims: ${number(row.page_low)} to ${number(row.page_high)}`})`;
  return `${number(row.effect)}${interval}; holds ${row.holds} ${number(row.m)}${around}; ${row.unit ?? ""}`;
}

// The effect, its own interval (thick) and that with all claims (thin), and the margin as a line.
function marginMark(row) {
  const svg = d3.create("svg").attr("width", 170).attr("height", 18).attr("class", "interval").attr("aria-hidden", "true");
  if (row.effect === null) return svg.node();
  const margins = row.holds === "within" ? [row.around - row.m, row.around + row.m] : [row.m];
  const ends = [row.effect, row.ci_low, row.ci_high, row.page_low, row.page_high, ...margins].filter((value) => value !== null && Number.isFinite(value));
  const at = d3.scaleLinear(d3.extent(ends), [6, 164]).clamp(true);
  for (const margin of margins) svg.append("line").attr("class", "margin").attr("x1", at(margin)).attr("x2", at(margin)).attr("y1", 0).attr("y2", 18);
  for (const [low, high, name] of [[row.page_low, row.page_high, "together"], [row.ci_low, row.ci_high, ""]]) {
    if (low !== null) svg.append("line").attr("class", name).attr("x1", at(low)).attr("x2", at(high)).attr("y1", 9).attr("y2", 9);
  }
  svg.append("circle").attr("cx", at(row.effect)).attr("cy", 9).attr("r", 4);
  return svg.node();
}
