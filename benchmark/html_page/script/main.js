// Shows the view that the address names.
const VIEWS = [
  ["overview", "Overview", overview],
  ["leaderboard", "Leaderboard", leaderboard],
  ["compare", "Compare", compare],
  ["figures", "Figures", figures],
  ["samples", "Samples", samples],
  ["cells", "Cells", cellTable],
  ["models", "Models", cards],
  ["further", "Further", further],
];
let DATA = null;

function show() {
  tip.hide();
  const views = VIEWS.filter(([name]) => name !== "further" || DATA.sections.length);
  const wanted = state.get("view", "overview");
  const [name, , make] = views.find(([one]) => one === wanted) ?? views[0];
  document.getElementById("views").replaceChildren(...views.map(([one, title]) => h("a", {
    href: `#view=${one}`, id: `view-${one}`, "aria-current": one === name ? "page" : null,
    onclick: (event) => { event.preventDefault(); state.set({ view: one, sort: "" }); show(); document.getElementById(`view-${one}`).focus(); },
  }, title)));
  document.getElementById("main").replaceChildren(...make(DATA).filter(Boolean));
  document.body.dataset.view = name;
}

async function start() {
  try {
    await runLibraries();
    const content = await unpacked("content");
    DATA = indexed({ ...content, health_rows: content.health });
    show();
    window.addEventListener("hashchange", show);
  } catch (error) {
    document.getElementById("main").replaceChildren(h("p", { role: "alert" }, `The page cannot be shown: ${error.message}. A newer browser may; the tables beside this file hold the same numbers.`));
    throw error;
  }
}
start();
